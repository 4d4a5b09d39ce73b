// Package bubble lets a nats-server, and all that works with it, live in virtual
// time: in a testing/synctest bubble time passes as soon as everybody waits, so
// that a day takes as long as what is done in it.
//
// The server keeps a clock of its own beside the bubble's, and the client a pool
// of timers that must not leave their bubble. Both are the process's, so there can
// be one bubble with a server at a time.
package bubble

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	_ "unsafe" // for go:linkname

	_ "github.com/nats-io/nats-server/v2/server" // has what is linked below
	_ "github.com/nats-io/nats.go"
)

// The server's clock for what ages is set ten times a second by a goroutine. It
// would be the real one even inside a bubble: the first look at a stream with an
// age limit would drop all that is in it.

//go:linkname serverTime github.com/nats-io/nats-server/v2/server/ats.utime
var serverTime atomic.Int64

//go:linkname serverTimeUsers github.com/nats-io/nats-server/v2/server/ats.refs
var serverTimeUsers atomic.Int64

// The client keeps used timers in a pool, and a timer must not leave its bubble.
//
//go:linkname clientTimers github.com/nats-io/nats%2ego.globalTimerPool
var clientTimers sync.Pool

// errTaken says that the server's clock is in use.
var errTaken = errors.New("making time virtual: another server keeps the real one")

// Run calls f in a bubble of its own, with a Clock, and returns when all that it
// began has ended. It works in any program, not only in tests. A panic of f, and
// goroutines that wait for ever, are errors.
func Run(f func(*Clock)) (err error) {
	defer func() {
		if p := recover(); p != nil { // of synctest: all wait, and no time can come
			err = fmt.Errorf("running in virtual time: %v", p)
		}
	}()
	// synctest wants a test, of which it uses nothing where none fails.
	synctest.Test(new(testing.T), func(*testing.T) { err = run(f) })
	return err
}

func run(f func(*Clock)) (err error) {
	c, err := Start()
	if err != nil {
		return err
	}
	defer c.Stop()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("running in virtual time: %v\n%s", p, debug.Stack())
		}
	}()
	f(c)
	return nil
}

// beat is how often the server's clock is set.
const beat = 100 * time.Millisecond

// Clock sets the server's clock by the bubble's.
type Clock struct {
	rest          chan bool
	stop, stopped chan struct{}
}

// Start makes servers that run in this bubble age their messages by the bubble's
// clock. It takes the place of ats.Register and is called first in the bubble;
// Stop is called last.
func Start() (*Clock, error) {
	if serverTimeUsers.Add(1) != 1 {
		serverTimeUsers.Add(-1)
		return nil, errTaken
	}
	clientTimers = sync.Pool{}
	serverTime.Store(time.Now().UnixNano())
	c := &Clock{rest: make(chan bool), stop: make(chan struct{}), stopped: make(chan struct{})}
	go c.run()
	return c, nil
}

func (c *Clock) run() {
	defer close(c.stopped)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case rest := <-c.rest:
			if tick.Stop(); !rest {
				tick.Reset(beat)
			}
		case <-c.stop:
			return
		}
		serverTime.Store(time.Now().UnixNano())
	}
}

// Leap sleeps as time.Sleep does, at less cost: the server's clock stands
// meanwhile, so that what ages does so when the leap is over.
func (c *Clock) Leap(d time.Duration) {
	c.rest <- true
	time.Sleep(d)
	serverTime.Store(time.Now().UnixNano())
	c.rest <- false
}

// Stop gives the server's clock back.
func (c *Clock) Stop() {
	close(c.stop)
	<-c.stopped
	serverTimeUsers.Add(-1)
	serverTime.Store(0)
	clientTimers = sync.Pool{}
}

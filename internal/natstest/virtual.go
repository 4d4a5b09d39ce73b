package natstest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "unsafe" // for go:linkname
)

// The server keeps a clock of its own for what ages, which a goroutine sets ten
// times a second. It would be the real one even inside a bubble: the first look
// at a stream with an age limit would drop all that is in it.

//go:linkname serverTime github.com/nats-io/nats-server/v2/server/ats.utime
var serverTime atomic.Int64

//go:linkname serverTimeUsers github.com/nats-io/nats-server/v2/server/ats.refs
var serverTimeUsers atomic.Int64

// The client keeps used timers in a pool, and a timer must not leave its bubble.
//
//go:linkname clientTimers github.com/nats-io/nats%2ego.globalTimerPool
var clientTimers sync.Pool

// VirtualTime makes servers that run in a bubble age their messages by the
// bubble's clock. It takes the place of ats.Register, is called first in the
// bubble, and holds until the end of the test.
func VirtualTime(t testing.TB) {
	t.Helper()
	if serverTimeUsers.Add(1) != 1 {
		t.Fatal("making time virtual: another server keeps the real one")
	}
	clientTimers = sync.Pool{}
	serverTime.Store(time.Now().UnixNano())
	tick, stop, stopped := time.NewTicker(100*time.Millisecond), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-tick.C:
				serverTime.Store(time.Now().UnixNano())
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() {
		tick.Stop()
		close(stop)
		<-stopped
		serverTimeUsers.Add(-1)
		serverTime.Store(0)
		clientTimers = sync.Pool{}
	})
}

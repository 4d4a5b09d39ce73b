package node

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

//go:embed runner.js
var runner []byte

// Options say what code may use.
type Options struct {
	Path      string        // of node; empty: it is looked for
	Processes int           // calls at once
	Keep      int           // processes that are kept at rest
	Memory    int64         // of a process
	Output    int64         // bytes that a call may print
	Result    int64         // bytes that a call may return
	Network   bool          // whether code may use it
	Calls     int           // after which a process is not used again
	Age       time.Duration // after which a process is not used again
	Idle      time.Duration // after which a process at rest is ended
}

// Defaults are what holds where nothing is said.
var Defaults = Options{Processes: 8, Keep: 4, Memory: 256 << 20, Output: 1 << 20, Result: 4 << 20, Network: true,
	Calls: 5000, Age: time.Hour, Idle: 5 * time.Minute}

// Pool is the processes.
type Pool struct {
	Options
	found   Found
	flags   []string
	isolate bool
	dir     string

	slots  chan struct{} // one for each call
	fresh  chan birth    // a process that is nobody's yet
	want   chan struct{} // says that one will be wanted
	awake  chan struct{} // says that there is something to watch
	closed chan struct{}
	over   sync.WaitGroup
	asleep atomic.Bool // the watch has nothing to look at

	mu   sync.Mutex
	all  map[*process]bool
	idle []*process // the one that has rested longest first
}

type birth struct {
	process *process
	err     error
}

// Open finds a Node.js. It starts no process before it is needed.
func Open(o Options) (*Pool, error) {
	found, err := Find(o.Path)
	if err != nil {
		return nil, err
	}
	return openWith(o, found)
}

func openWith(o Options, found Found) (*Pool, error) {
	o.Path = found.Path
	dir, err := os.MkdirTemp("", "zflow-code-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for code: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("making a folder for code: %w", err)
	}
	script := filepath.Join(dir, "runner.js")
	p := &Pool{Options: o, found: found, dir: dir, isolate: !o.Network && found.namespace,
		slots: make(chan struct{}, max(o.Processes, 1)), fresh: make(chan birth), want: make(chan struct{}, 1),
		awake: make(chan struct{}, 1), closed: make(chan struct{}), all: map[*process]bool{}}
	if p.flags, err = found.flagsFor(o, script); err == nil {
		err = os.WriteFile(script, runner, 0o400)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	p.asleep.Store(true) // the first call wakes the watch, not only its first look
	p.over.Add(2)
	go p.deliver()
	go p.watch()
	return p, nil
}

// Found is the Node.js of the pool.
func (p *Pool) Found() Found { return p.found }

// Close ends all processes.
func (p *Pool) Close() error {
	close(p.closed)
	p.over.Wait()
	p.mu.Lock()
	for c := range p.all {
		c.kill("the worker stops")
	}
	p.mu.Unlock()
	for c := range p.all { // nobody adds to it any more
		<-c.ended
	}
	return os.RemoveAll(p.dir)
}

// deliver starts processes, one ahead of those that are asked for. They die with the
// thread that started them, so it is a thread that stays.
func (p *Pool) deliver() {
	defer p.over.Done()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	select {
	case <-p.want:
	case <-p.closed:
		return
	}
	for n := 1; ; n++ {
		c, err := p.begin(n)
		if c != nil && err == nil {
			p.mu.Lock()
			p.all[c] = true
			p.mu.Unlock()
		}
		select {
		case p.fresh <- birth{c, err}:
		case <-p.closed:
			return
		}
	}
}

// Call is one call of a step's code.
type Call struct {
	Group  string // whose processes it may use
	Bundle string // name of the code
	Code   func() ([]byte, error)
	Args   []Arg
	Limit  time.Duration // 0: none
	Log    func(level, line string)
	// Ask answers what the code asks of its worker, one question at a time. Nil: it may not ask.
	Ask func(ctx context.Context, question []byte) (answer []byte)
}

// Arg is a named argument, in JSON.
type Arg struct {
	Name string
	JSON []byte
}

// Thrown is what the code threw, or what is wrong with its result.
type Thrown struct {
	Name      string `json:"name"`
	Message   string `json:"message"`
	Stack     string `json:"stack"`
	Code      string `json:"code"`
	Status    int    `json:"status"`
	Retryable bool   `json:"retryable"`
}

func (t *Thrown) Error() string { return t.Message }

// ErrBusy says that no process became free: nothing was called.
var ErrBusy = errors.New("all processes for code were busy until the time was up")

// Do makes a call and returns its result in JSON. Errors are *Thrown and *Died;
// any other came before the code was called.
func (p *Pool) Do(ctx context.Context, call Call) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	defer func() { <-p.slots }()
	c, err := p.take(ctx, call.Group)
	if err != nil {
		return nil, err
	}
	result, err := c.call(ctx, p, call)
	p.give(c)
	return result, err
}

// take returns a process for a group.
func (p *Pool) take(ctx context.Context, group string) (*process, error) {
	if c := p.resting(group); c != nil {
		return c, nil
	}
	select {
	case p.want <- struct{}{}:
	default:
	}
	select {
	case b := <-p.fresh:
		if b.err != nil {
			return nil, b.err
		}
		b.process.group = group
		return b.process, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
}

// resting takes the process of a group that has rested the shortest.
func (p *Pool) resting(group string) *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range slices.Backward(p.idle) {
		if c.group != group {
			continue
		}
		p.idle = slices.Delete(p.idle, i, i+1)
		select {
		case <-c.ended:
			return nil
		default:
			return c
		}
	}
	return nil
}

// give takes a process back, and ends it where it is not to be used again.
func (p *Pool) give(c *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.calls++
	c.limit.Store(nil)
	select {
	case <-c.ended:
		delete(p.all, c)
		return
	default:
	}
	c.rested = time.Time{}
	p.idle = append(p.idle, c)
	if c.left || c.calls >= p.Calls || c.killed.Load() != nil {
		p.retire(c)
	} else if len(p.idle) > p.Keep {
		p.retire(p.idle[0])
	}
}

// retire ends a process at rest. The caller holds the lock.
func (p *Pool) retire(c *process) {
	p.idle = slices.DeleteFunc(p.idle, func(other *process) bool { return other == c })
	delete(p.all, c)
	c.kill("")
}

// call makes a call in a process.
func (c *process) call(ctx context.Context, p *Pool, call Call) ([]byte, error) {
	if err := c.learn(call); err != nil {
		return nil, err
	}
	defer c.settle()
	c.limit.Store(&bound{long: call.Limit})
	p.wake()
	if err := c.ask(p, call); err != nil {
		c.kill("")
		return nil, err
	}
	for {
		select {
		case f, ok := <-c.frames:
			if !ok {
				return nil, c.why
			}
			if done, result, err := c.heard(ctx, f, call); done {
				return result, err
			}
		case <-ctx.Done():
			c.kill("the call was ended before the code was through")
			for range c.frames { // it may be through, or about to die
			}
			return nil, c.why
		}
	}
}

// learn gives the process the code, once.
func (c *process) learn(call Call) error {
	if c.has[call.Bundle] {
		return nil
	}
	code, err := call.Code()
	if err != nil {
		return err
	}
	name := binary.LittleEndian.AppendUint16(nil, uint16(len(call.Bundle)))
	if err := write(c.to, toBundle, name, []byte(call.Bundle), code); err != nil {
		return fmt.Errorf("giving Node.js the code: %w", err)
	}
	c.has[call.Bundle] = true
	return nil
}

// head says what the bodies of a call are.
type head struct {
	Bundle string   `json:"bundle"`
	Args   [][2]any `json:"args"`
	Output int64    `json:"output"`
	Result int64    `json:"result"`
}

func (c *process) ask(p *Pool, call Call) error {
	h := head{Bundle: call.Bundle, Output: p.Output, Result: p.Result, Args: make([][2]any, len(call.Args))}
	parts := make([][]byte, 2, len(call.Args)+2)
	for i, a := range call.Args {
		h.Args[i] = [2]any{a.Name, len(a.JSON)}
		parts = append(parts, a.JSON)
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	parts[0], parts[1] = binary.LittleEndian.AppendUint32(nil, uint32(len(raw))), raw
	if err := write(c.to, toCall, parts...); err != nil {
		return fmt.Errorf("calling the code: %w", err)
	}
	return nil
}

// heard takes in what the process says during a call.
func (c *process) heard(ctx context.Context, f frame, call Call) (done bool, result []byte, err error) {
	switch {
	case f.letter == fromLog:
		if level, line, ok := strings.Cut(string(f.body), " "); ok && call.Log != nil {
			call.Log(level, line)
		}
		return false, nil, nil
	case f.letter == fromAsk && call.Ask != nil:
		c.answer(call.Ask(ctx, f.body))
		return false, nil, nil
	case len(f.body) > 0 && f.letter == fromOutput:
		c.left = f.body[0] == '1'
		return true, f.body[1:], nil
	case len(f.body) > 0 && f.letter == fromError:
		c.left = f.body[0] == '1'
		t := &Thrown{}
		if err := json.Unmarshal(f.body[1:], t); err == nil {
			return true, nil, t
		}
	}
	c.kill(errFrame.Error())
	return true, nil, &Died{Message: errFrame.Error(), Own: true}
}

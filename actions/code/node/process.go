package node

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"zflow/internal/child"
)

// process is one Node.js.
type process struct {
	cmd    *exec.Cmd
	dir    string
	to     io.WriteCloser
	frames chan frame    // what it says; closed at its end
	dead   chan struct{} // closed when it was killed: nobody listens any more
	ended  chan struct{} // closed when its end is known
	why    error         // of its end; read after ended
	stderr tail

	use
	started time.Time
	limit   atomic.Pointer[bound]
	killed  atomic.Pointer[string] // why we killed it; closes dead
}

// use is what a process has been used for. It is whose the process is at the time.
type use struct {
	group     string          // whose code it runs; empty: nobody's yet
	has       map[string]bool // bundles
	calls     int
	left      bool          // the last call left something running
	answering chan struct{} // closed when the last answer is written; nil: there was none
	rested    time.Time     // in real time, when it was first seen at rest; zero: it was not yet
}

// bound is how long a call may take; the watch stamps its beginning.
type bound struct {
	long  time.Duration
	since time.Time
}

// tail keeps the end of what was written.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// begin starts a process and waits until it is ready for calls.
func (p *Pool) begin(n int) (*process, error) {
	dir := fmt.Sprintf("%s/%d", p.dir, n)
	if err := os.Mkdir(dir, 0o500); err != nil {
		return nil, err
	}
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, inRead.Close(), inWrite.Close())
	}
	c := &process{dir: dir, to: inWrite, frames: make(chan frame, 16), dead: make(chan struct{}), ended: make(chan struct{}), use: use{has: map[string]bool{}}, started: time.Now()}
	c.cmd = exec.Command(p.Path, p.flags...)
	c.cmd.Dir, c.cmd.Env = dir, []string{"TZ=UTC"}
	c.cmd.Stderr, c.cmd.ExtraFiles = &c.stderr, []*os.File{inRead, outWrite}
	c.cmd.SysProcAttr = attributes(p.isolate)
	err = c.cmd.Start()
	_, _ = inRead.Close(), outWrite.Close() // the child has its own
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", p.Path, err), inWrite.Close(), outRead.Close(), os.Remove(dir))
	}
	go c.listen(outRead)
	if err := c.ready(); err != nil {
		return c, err
	}
	_, writable := memory(c.cmd.Process.Pid) // Node.js 24 maps half a GiB that it hardly ever uses
	if err := child.Limit(c.cmd.Process.Pid, child.Limits{Memory: writable + p.Memory + room, OpenFiles: mostOpen, FileSize: -1}); err != nil {
		c.kill(err.Error())
	}
	return c, nil
}

const (
	room     = 144 << 20 // bytes that Node.js maps writable for itself once code runs: most of it is never used
	mostOpen = 256       // files
)

// patience is how long Node.js may take to start on a busy machine.
const patience = 20 * time.Second

func (c *process) ready() error {
	late := time.AfterFunc(patience, func() { c.kill("it did not start in " + patience.String()) })
	defer late.Stop()
	f, ok := <-c.frames
	if ok && f.letter == fromReady {
		return nil
	}
	c.kill("")
	<-c.ended
	return fmt.Errorf("starting Node.js: %w", c.why)
}

// listen passes on what the process says, until its end.
func (c *process) listen(from *os.File) {
	r := bufio.NewReaderSize(from, 64<<10)
	for {
		f, err := read(r)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				c.kill(err.Error())
			}
			break
		}
		select {
		case c.frames <- f:
		case <-c.dead:
		}
	}
	_ = from.Close()                                                         // it has been read to its end
	late := time.AfterFunc(grace, func() { child.KillGroup(c.cmd.Process) }) // it may have closed the pipe, and live
	err := c.cmd.Wait()
	late.Stop()
	child.KillGroup(c.cmd.Process) // what it may have started
	c.why = c.end(err)
	_ = c.to.Close()        // nobody reads it
	_ = os.RemoveAll(c.dir) // it is empty
	close(c.ended)
	close(c.frames)
}

// grace is how long a process has to end by itself once it closed its pipe.
const grace = 100 * time.Millisecond

// kill ends the process and all of its group; why is told to whom it works for.
func (c *process) kill(why string) {
	if c.killed.CompareAndSwap(nil, &why) {
		close(c.dead)
	}
	child.KillGroup(c.cmd.Process)
}

// Died is the end of a process during a call.
type Died struct {
	Message string
	Own     bool // the code's own doing
	Late    bool // it took longer than it may
}

func (d *Died) Error() string { return d.Message }

// end tells why the process has ended.
func (c *process) end(err error) *Died {
	if why := c.killed.Load(); why != nil && *why != "" {
		return &Died{*why, *why == tooMuch, *why == tooLong}
	}
	said := c.stderr.String()
	switch {
	case strings.Contains(said, "heap out of memory"), strings.Contains(said, "Allocation failed"), strings.Contains(said, "out of memory"):
		return &Died{Message: tooMuch, Own: true}
	case err == nil:
		return &Died{Message: "the code ended its process: process.exit(0)", Own: true}
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return &Died{Message: "its process ended: " + err.Error()}
	}
	if code := exit.ExitCode(); code >= 0 {
		return &Died{Message: fmt.Sprintf("the code ended its process: process.exit(%d)%s", code, lastLine(said)), Own: true}
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	return &Died{Message: fmt.Sprintf("its process was ended by a signal (%s)%s", status.Signal(), lastLine(said))}
}

const tooMuch = "the code used too much memory"

// lastLine is the last line of what Node.js said, for the message.
func lastLine(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + last
	}
	return ""
}

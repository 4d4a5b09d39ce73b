//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// procSpan is a time in which a process could do nothing; to is zero while it lasts.
type procSpan struct{ from, to time.Time }

// process is one that is started again whenever it ends, but while it is to be
// down. What it wrote is in one file over all its lives.
type process struct {
	name  string
	start func(life int) (*exec.Cmd, error)
	lives []*procLife

	mu    sync.Mutex // guards what follows, and lives
	down  bool
	over  bool
	ended chan struct{} // closed when it will not start again
	up    chan struct{} // a token: it may start
	self  int           // how often it ended by itself
}

// procLife is one life of a process.
type procLife struct {
	cmd     *exec.Cmd
	begun   time.Time
	ended   time.Time // zero: it lives
	asked   bool      // to end
	stopped []procSpan
}

// run starts the process for the first time.
func (p *process) run() error {
	p.ended, p.up = make(chan struct{}), make(chan struct{}, 1)
	first := make(chan error, 1)
	go p.supervise(first)
	return <-first
}

// supervise starts the process again and again.
func (p *process) supervise(first chan<- error) {
	defer close(p.ended)
	for p.mayStart() {
		l, err := p.begin()
		if first != nil {
			first <- err
			first = nil
		}
		if err != nil {
			return
		}
		_ = l.cmd.Wait() // how it ended is no news: it is killed all the time
		p.mu.Lock()
		if l.ended = time.Now(); !l.asked {
			p.self++
		}
		p.mu.Unlock()
		<-time.After(20 * time.Millisecond)
	}
}

func (p *process) mayStart() bool {
	for {
		p.mu.Lock()
		down, over := p.down, p.over
		p.mu.Unlock()
		if over || !down {
			return !over
		}
		<-p.up
	}
}

func (p *process) begin() (*procLife, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd, err := p.start(len(p.lives) + 1)
	if err != nil {
		return nil, err
	}
	l := &procLife{cmd: cmd, begun: time.Now()}
	p.lives = append(p.lives, l)
	return l, nil
}

// signal sends a signal to the process and notes what it means.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lives[len(p.lives)-1]
	if !l.ended.IsZero() {
		return
	}
	switch s {
	case syscall.SIGKILL, syscall.SIGTERM:
		l.asked = true
	case syscall.SIGSTOP:
		l.stopped = append(l.stopped, procSpan{from: time.Now()})
	case syscall.SIGCONT:
		defer func() { l.stopped[len(l.stopped)-1].to = time.Now() }()
	}
	_ = l.cmd.Process.Signal(s) // it is gone already: as was wanted
}

// kill ends the process; it stays down until revive.
func (p *process) kill() {
	p.mu.Lock()
	p.down = true
	p.mu.Unlock()
	p.signal(syscall.SIGKILL)
}

func (p *process) revive() {
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	p.wake()
}

func (p *process) wake() {
	select {
	case p.up <- struct{}{}:
	default:
	}
}

// end ends the process for good and says whether it went within the time.
func (p *process) end(s syscall.Signal, within time.Duration) bool {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.wake()
	p.signal(s)
	select {
	case <-p.ended:
		return true
	case <-time.After(within):
		p.signal(syscall.SIGQUIT) // it tells what it waits for
		select {
		case <-p.ended:
		case <-time.After(time.Second):
			p.signal(syscall.SIGKILL)
			<-p.ended
		}
		return false
	}
}

// byItself is how often it ended though nobody asked it to.
func (p *process) byItself() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.self
}

// life is which one this is.
func (p *process) life() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lives)
}

// pause stops the process for a time.
func (p *process) pause(d time.Duration) {
	p.signal(syscall.SIGSTOP)
	<-time.After(d)
	p.signal(syscall.SIGCONT)
}

// procStarter makes the processes of one rig.
type procStarter struct{ dir, url, port string }

func newProcStarter() (*procStarter, error) {
	s := &procStarter{}
	var err error
	if s.dir, err = os.MkdirTemp("", "zflow-e2e"); err != nil {
		return nil, err
	}
	if s.port, err = procPort(); err != nil {
		return nil, err
	}
	s.url = "nats://127.0.0.1:" + s.port
	return s, nil
}

// procPort returns a free one that no outgoing connection takes while the broker
// is down.
func procPort() (string, error) {
	var err error
	for range 100 {
		port := fmt.Sprint(20000 + rand.N(10000))
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			return port, l.Close()
		}
	}
	return "", err
}

func (s *procStarter) newBroker() *process {
	return s.newProcess("broker", func(int) procRole {
		return procRole{Role: "broker", Data: filepath.Join(s.dir, "data"), Listen: "127.0.0.1:" + s.port}
	})
}

func (s *procStarter) newWorker(name string) *process {
	return s.newProcess(name, func(life int) procRole {
		return procRole{Role: "worker", URL: s.url, Keys: filepath.Join(s.dir, "sealing.keys"), Log: s.logOf(name, life)}
	})
}

// newProcess makes a process that does not outlive this one, and writes to a file.
func (s *procStarter) newProcess(name string, role func(life int) procRole) *process {
	return &process{name: name, start: func(life int) (*exec.Cmd, error) {
		text, err := json.Marshal(role(life))
		if err != nil {
			return nil, err
		}
		out, err := os.OpenFile(s.output(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		defer out.Close()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), procRoleEnv+"="+string(text))
		cmd.SysProcAttr = procAttr()
		cmd.Stdout, cmd.Stderr = out, out
		return cmd, cmd.Start()
	}}
}

func (s *procStarter) logOf(name string, life int) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s.%d.rights", name, life))
}

func (s *procStarter) output(name string) string { return filepath.Join(s.dir, name+".out") }

// tail returns the last lines that a process wrote.
func (s *procStarter) tail(name string, lines int) string {
	all, err := os.ReadFile(s.output(name))
	if err != nil {
		return err.Error()
	}
	parts := bytes.Split(bytes.TrimSpace(all), []byte("\n"))
	return string(bytes.Join(parts[max(0, len(parts)-lines):], []byte("\n")))
}

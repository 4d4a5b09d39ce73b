package child

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Program is what to run, and with what.
type Program struct {
	Path   string   // of the file to run
	Args   []string // without the program's name
	Env    []string // all of the environment, as name=value
	Dir    string   // where it begins; empty: where we are
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Files  []*os.File // its descriptors from 3 on; the caller closes its own
	Limits Limits
}

// Limits of a child; 0 is none.
type Limits struct {
	Memory    int64         // bytes of data of each process
	CPU       time.Duration // processor time of each process
	OpenFiles int           // of each process
	FileSize  int64         // bytes of each file that it writes; negative: it writes none
	Processes int           // of the group, threads not counted
}

// Child is a program that was started.
type Child struct {
	cmd     *exec.Cmd
	mark    string
	limits  Limits
	mu      sync.Mutex
	crowded bool
	gone    bool
	done    chan struct{}
	end     End
	err     error
}

// End is how a child ended.
type End struct {
	Code    int    // of its exit; -1 where a signal ended it
	Signal  string // that ended it, such as killed; empty: none
	Crowded bool   // it was killed, since its group had too many processes
}

// markName is the variable by which descendants that left the group are found.
const markName = "ZFLOW_CHILD"

// lingering is how long output may stay open once the whole group was killed.
const lingering = 2 * time.Second

// Start runs a program. The caller calls Wait, or reads Done.
func Start(p Program) (*Child, error) {
	c := &Child{mark: markName + "=" + rand.Text(), limits: p.Limits, done: make(chan struct{})}
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Env = append(append(make([]string, 0, len(p.Env)+1), p.Env...), c.mark)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = p.Dir, p.Stdin, p.Stdout, p.Stderr, p.Files
	cmd.WaitDelay = lingering
	cmd.SysProcAttr = Attributes()
	c.cmd = cmd
	keepOurs()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Path, err)
	}
	if err := Limit(cmd.Process.Pid, p.Limits); err != nil {
		c.Kill()
		go c.wait()
		<-c.done
		return nil, fmt.Errorf("limiting %s: %w", p.Path, err)
	}
	go c.wait()
	if p.Limits.Processes > 0 {
		go c.watch()
	}
	return c, nil
}

// PID is the number of the child's process, which is that of its group.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done is closed when the child and all in its group have ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Wait returns how the child ended, once it has and its output was read. An error
// is one of reading or writing for it, not the child's own.
func (c *Child) Wait() (End, error) {
	<-c.done
	return c.end, c.err
}

// Kill ends the child and all in its group at once. It may be called at any time.
func (c *Child) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone { // else the number may be another's already
		KillGroup(c.cmd.Process)
	}
}

// wait waits for the end of the child, ends what it left behind, and only then
// collects it: until then its number, and so its group's, belongs to nobody else.
func (c *Child) wait() {
	if awaitExit(c.cmd.Process.Pid) {
		c.Kill()
		killMarked(c.mark)
		c.forget()
	}
	err := c.cmd.Wait()
	c.forget()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.err = fmt.Errorf("running %s: %w", c.cmd.Path, err)
	}
	c.end = ended(c.cmd.ProcessState)
	c.mu.Lock()
	c.end.Crowded = c.crowded
	c.mu.Unlock()
	close(c.done)
}

// forget says that the child's number may be another's from now on.
func (c *Child) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
}

// crowdCheck is how often the processes of a group are counted.
const crowdCheck = 50 * time.Millisecond

// watch kills the group once it has too many processes.
func (c *Child) watch() {
	tick := time.NewTicker(crowdCheck)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-tick.C:
		}
		if inGroup(c.cmd.Process.Pid) <= c.limits.Processes {
			continue
		}
		c.mu.Lock()
		c.crowded = true
		c.mu.Unlock()
		c.Kill()
	}
}

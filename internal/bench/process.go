package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// endWithin is how long a process may drain once it is told to end.
const endWithin = 10 * time.Second

// process is a system under measurement, from outside.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
	at      report // what it said at the start

	mu sync.Mutex // one request at a time
}

// start runs a program that calls Serve. It ends with ctx, or by end.
func start(ctx context.Context, program []string, o order, errs io.Writer) (*process, error) {
	p := &process{command: exec.CommandContext(ctx, program[0], program[1:]...)}
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.System, err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.System, err)
	}
	p.in, p.answers, p.command.Stderr = in, json.NewDecoder(out), errs
	p.command.Cancel, p.command.WaitDelay = in.Close, endWithin
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.System, err)
	}
	if p.at, err = p.ask(o); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", o.System, err), p.end())
	}
	return p, nil
}

// ask sends a line and reads the answer.
func (p *process) ask(line any) (r report, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := json.NewEncoder(p.in).Encode(line); err != nil {
		return r, err
	}
	if err := p.answers.Decode(&r); err != nil {
		return r, fmt.Errorf("the process ended: %w", err)
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// end lets the process drain and waits for it. An answer that it still has to
// give is not read.
func (p *process) end() error {
	_ = p.in.Close() // closed already where ctx ended
	late := time.AfterFunc(endWithin, func() { _ = p.command.Process.Kill() })
	defer late.Stop()
	var exit *exec.ExitError
	if err := p.command.Wait(); errors.As(err, &exit) {
		return fmt.Errorf("a process under measurement ended badly: %w", err)
	}
	return nil
}

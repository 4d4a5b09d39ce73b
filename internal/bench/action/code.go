package action

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"zflow/actions"
	"zflow/actions/code"
	"zflow/actions/code/bundle"
	"zflow/actions/code/node"
	"zflow/internal/bench/usage"
)

const (
	processes = 2 // of the pool
	coldTries = 5
)

// Code is what code steps cost.
type Code struct {
	Node      string        // its version
	Cold      time.Duration // slowest first call of a pool, which starts Node.js
	Warm      Times         // of one call after another
	PerSecond float64       // calls by as many at a time as there are processes
	Memory    int64         // bytes of the largest process after all calls; 0: not known here
}

// MeasureCode measures a step that returns nothing, of a workflow that a meeting started.
func MeasureCode(ctx context.Context, length time.Duration) (c Code, err error) {
	name, data, faults := code.Make(bundle.Source{Dir: ".", Name: "bench.yaml", Text: "export default async ({ event }) => {}",
		Place: func(line int) (int, int) { return line, 0 }})
	if len(faults) > 0 {
		return c, errors.New(faults[0].Message)
	}
	for range coldTries - 1 {
		p := newPool(name, data)
		cold, err := p.once(ctx)
		if err := errors.Join(err, p.runtime.Close()); err != nil {
			return c, err
		}
		c.Cold = max(c.Cold, cold)
	}
	p := newPool(name, data)
	defer func() { err = errors.Join(err, p.runtime.Close()) }()
	cold, err := p.once(ctx)
	if err != nil {
		return c, err
	}
	c.Cold = max(c.Cold, cold)
	return c, p.warm(ctx, length, &c)
}

// pool is the action with processes of its own.
type pool struct {
	runtime *code.Runtime
	action  *actions.Action
	call    actions.Call
}

func newPool(name string, data []byte) *pool {
	o := node.Defaults
	o.Processes, o.Keep = processes, processes
	p := &pool{runtime: code.NewRuntime(o)}
	p.action = code.Action(code.Options{Runtime: p.runtime, Load: func(context.Context, string) ([]byte, error) { return data, nil }})
	p.call = actions.Call{Input: map[string]any{}, Code: &actions.Code{Bundle: name, Workflow: "bench", Limit: time.Minute, Scope: map[string][]byte{
		"event": []byte(`{"event":"meeting.ended","event_ts":1770000000000,"payload":{"account_id":"AAAAAABBBB","object":{"id":"85746065432","uuid":"4444AAAiAAAAAiAiAiiAii==","host_id":"x1yCzABCDEfg23HiJKl4mN","topic":"Weekly review","type":2,"duration":30,"timezone":"Europe/Berlin"}}}`),
		"steps": []byte(`{}`), "vars": []byte(`{}`), "step": []byte(`{"key":"0123456789abcdef"}`),
	}}}
	return p
}

// once makes the first call; that Node.js is looked for is not part of it.
func (p *pool) once(ctx context.Context) (time.Duration, error) {
	if _, err := p.runtime.Pool(); err != nil {
		return 0, err
	}
	begun := time.Now()
	_, err := p.action.Do(ctx, p.call)
	return time.Since(begun), err
}

func (p *pool) warm(ctx context.Context, length time.Duration, c *Code) error {
	found, err := p.runtime.Found()
	if err != nil {
		return err
	}
	c.Node = found.Version
	call := func() error {
		_, err := p.action.Do(ctx, p.call)
		return errors.Join(err, ctx.Err())
	}
	if _, err := timed(length/4, call); err != nil { // until V8 has compiled what is hot
		return err
	}
	all, err := timed(length, call)
	if err != nil {
		return err
	}
	c.Warm = timesOf(all)
	if c.PerSecond, err = rate(length, call); err != nil {
		return err
	}
	children, err := usage.Children()
	if err != nil || len(children) == 0 {
		return err
	}
	sizes := make([]int64, len(children))
	for i, pid := range children {
		u, err := usage.Read(pid)
		if err != nil {
			return fmt.Errorf("reading the memory of Node.js: %w", err)
		}
		sizes[i] = u.RSS
	}
	c.Memory = slices.Max(sizes)
	return nil
}

// rate is how many calls a second as many callers make as there are processes.
func rate(length time.Duration, call func() error) (float64, error) {
	var calls atomic.Int64
	var all sync.WaitGroup
	errs := make(chan error, processes)
	begun := time.Now()
	for range processes {
		all.Go(func() {
			done, err := timed(length, call)
			calls.Add(int64(len(done)))
			errs <- err
		})
	}
	all.Wait()
	took := time.Since(begun)
	close(errs)
	var failed error
	for err := range errs {
		failed = errors.Join(failed, err)
	}
	return float64(calls.Load()) / took.Seconds(), failed
}

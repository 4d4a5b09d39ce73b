package worker

import (
	"context"
	"sync"
	"testing"
	"time"

	"zflow/actions"
)

// call is an entry of the outside world's ledger.
type call struct {
	action  string
	key     string // of the step
	probe   bool
	unknown bool
	input   map[string]any
	begun   time.Time // of the attempt, as the worker says
	at      time.Time
	ended   time.Time // zero: in flight
	end     error     // why its context had ended when it did
	did     bool      // it brought no error
	brought any
}

// world is what the actions of a test call: it keeps a ledger and does as it is told.
type world struct {
	mu      sync.Mutex
	calls   []*call
	answer  func(ctx context.Context, n int, c actions.Call) (actions.Result, error) // nil: {n}
	found   bool                                                                     // what a probe finds
	truth   bool                                                                     // a probe finds what the ledger says
	probing error                                                                    // what a probe fails with
	started chan struct{}                                                            // not nil: gets a token as each call begins
}

func (w *world) do(name string) func(context.Context, actions.Call) (actions.Result, error) {
	return func(ctx context.Context, c actions.Call) (actions.Result, error) {
		e, n := w.begin(name, c, false)
		w.mu.Lock()
		answer := w.answer
		w.mu.Unlock()
		result, err := actions.Result{Output: map[string]any{"n": int64(n)}}, error(nil)
		if answer != nil {
			result, err = answer(ctx, n, c)
		}
		w.end(ctx, e, result.Output, err)
		return result, err
	}
}

func (w *world) probe(ctx context.Context, c actions.Call) (bool, actions.Result, error) {
	e, _ := w.begin("test.probed", c, true)
	defer w.end(ctx, e, nil, nil) // after the unlock
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.truth {
		return w.found, actions.Result{Output: map[string]any{"probed": true}}, w.probing
	}
	for _, x := range w.calls {
		if x.key == c.Key && !x.probe && x.did {
			return true, actions.Result{Output: map[string]any{"of": c.Key}}, nil
		}
	}
	return false, actions.Result{}, nil
}

// begin notes a call and returns its number.
func (w *world) begin(name string, c actions.Call, probe bool) (*call, int) {
	w.mu.Lock()
	e := &call{action: name, key: c.Key, probe: probe, unknown: c.Unknown, input: c.Input, begun: c.Started, at: time.Now()}
	w.calls = append(w.calls, e)
	n, started := len(w.calls), w.started
	w.mu.Unlock()
	if started != nil {
		started <- struct{}{}
	}
	return e, n
}

func (w *world) end(ctx context.Context, e *call, brought any, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.ended, e.end, e.did, e.brought = time.Now(), ctx.Err(), err == nil, brought
}

func (w *world) ledger() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]call, len(w.calls))
	for i, c := range w.calls {
		out[i] = *c
	}
	return out
}

// answering makes the calls bring what a function says.
func (w *world) answering(f func(ctx context.Context, n int, c actions.Call) (actions.Result, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = f
}

// answers makes the calls bring these, one after another, and then {n}. An answer
// is an error, or a value.
func (w *world) answers(all ...any) {
	w.answering(func(_ context.Context, n int, _ actions.Call) (actions.Result, error) {
		if n > len(all) {
			return actions.Result{Output: map[string]any{"n": int64(n)}}, nil
		}
		if err, ok := all[n-1].(error); ok {
			return actions.Result{}, err
		}
		return actions.Result{Output: all[n-1]}, nil
	})
}

// lasting makes each call take a while, unless its context ends first.
func (w *world) lasting(d time.Duration) {
	w.answering(func(ctx context.Context, n int, _ actions.Call) (actions.Result, error) {
		select {
		case <-time.After(d):
			return actions.Result{Output: map[string]any{"n": int64(n)}}, nil
		case <-ctx.Done():
			return actions.Result{}, ctx.Err()
		}
	})
}

func (w *world) registry(t testing.TB) *actions.Registry {
	open := actions.Schema{Type: "object", Open: true}
	action := func(name string, e actions.Effect) *actions.Action {
		return &actions.Action{Do: w.do(name), Spec: actions.Spec{Name: name, Summary: "Counts.", Input: open, Output: open,
			Effect: e, Secret: []string{"token"}}}
	}
	probed, sealed := action("test.probed", actions.Write), action("test.sealed", actions.Write)
	probed.Probe, sealed.Spec.Sealed = w.probe, true
	r, err := actions.NewRegistry(probed, sealed, action("test.write", actions.Write), action("test.put", actions.Idempotent), action("test.read", actions.Read))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

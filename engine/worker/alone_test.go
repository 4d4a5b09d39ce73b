package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"zflow/actions"
	"zflow/engine"
)

// TestAloneTakesAtOnce: a worker that has the server for itself does not wait for
// leases and ack waits of one that is gone; nor for the consumer of a workflow that is
// only called, which has none.
func TestAloneTakesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.deploy(`
name: put
on: [ { zoom: meeting.ended } ]
steps: [ { id: a, uses: test.put } ]
`)
		r.deploy(`{ name: called, on: [ { call: {} } ], steps: [ { id: a, uses: test.put } ] }`)
		first := r.start()
		r.world.started = make(chan struct{}, 2)
		hang := make(chan struct{})
		r.world.answer = func(_ context.Context, n int, _ actions.Call) (actions.Result, error) {
			if n == 1 {
				<-hang
			}
			return actions.Result{Output: map[string]any{}}, nil
		}
		id := r.event(1, nil)
		<-r.world.started
		first.kill()
		begun := time.Now()
		r.start(func(c *Config) { c.Alone = true })
		run := r.until("put", id, engine.Completed)
		if took := run.At.Sub(begun); took > 2*time.Second {
			t.Errorf("taken after %s", took)
		}
		if s := run.Step("a"); s.Attempt != 2 || !s.Unknown {
			t.Errorf("attempt %d, unknown %v: the first was open when its owner was lost", s.Attempt, s.Unknown)
		}
		close(hang)
	})
}

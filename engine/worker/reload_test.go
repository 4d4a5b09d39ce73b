package worker

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/proto"
)

// A read is called before its start is in the history. Where its owner then loads
// the run again, the history knows nothing of it, and the attempt is decided anew:
// its owner goes on with the run, and what the read brought counts.
func TestReadWhoseStartIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], retry: { attempts: 3, delay: 500ms }, steps: [ { id: a, uses: test.read } ] }`)
		r.world.started = make(chan struct{}, 10)
		r.world.answering(func(_ context.Context, n int, _ actions.Call) (actions.Result, error) {
			if n == 1 {
				return actions.Result{}, actions.Retryable("busy")
			}
			time.Sleep(time.Second)
			return actions.Result{Output: int64(n)}, nil
		})
		h := r.start()
		id := r.event(1, nil)
		<-r.world.started
		<-r.world.started // its start follows from the time alone, and is in memory only
		h.line.cut()
		time.Sleep(3 * time.Second)
		h.line.mend()
		run := r.until("flow", id, engine.Completed)
		r.tells("flow", id, "run_started, step_started a 1", "step_failed a 1 retryable retry", "step_started a 2, step_completed a, run_completed")
		if calls := r.world.ledger(); run.Epoch() != 1 || len(calls) != 2 {
			t.Errorf("epoch %d, %d calls", run.Epoch(), len(calls))
		}
		r.acked("flow")
	})
}

// The same, but the attempt begins with another input: it is called with what the
// history says.
func TestReadThatBeginsWithAnotherInput(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.put }, { id: b, uses: test.read, with: { at: "${{ now() }}" } } ] }`)
		r.world.started = make(chan struct{}, 10)
		r.world.lasting(2 * time.Second)
		h := r.start(func(c *Config) { c.Slots = 1 })
		id := r.event(1, nil)
		<-r.world.started
		h.slots <- struct{}{} // once a has ended another run has its place, and a's outcome is appended alone
		time.Sleep(time.Second)
		<-h.slots
		<-r.world.started
		h.line.cut()
		time.Sleep(3 * time.Second)
		h.line.mend()
		run := r.until("flow", id, engine.Completed)
		r.tells("flow", id, "run_started, step_started a 1", "step_completed a", "step_started b 1", "step_completed b, run_completed")
		calls := r.world.ledger()
		var input map[string]any
		r.must(json.Unmarshal(run.Step("b").Input.GetJson(), &input))
		if last := calls[len(calls)-1]; len(calls) != 3 || !reflect.DeepEqual(last.input, input) || reflect.DeepEqual(calls[1].input, input) {
			t.Errorf("%d calls, the last with %v, recorded %v", len(calls), last.input, input)
		}
		r.acked("flow")
	})
}

// A worker that does not stop gives up no run.
func TestNothingIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h, id := r.running(time.Hour, 1)
		l, err := h.load(t.Context(), "flow", proto.RunID("flow", id))
		r.must(err)
		def, err := h.definition(t.Context(), l.run)
		r.must(err)
		o := newOwned(&message{}, l.run, def, nil)
		o.called[engine.AttemptID{Step: "a", Attempt: 1}] = true // and nowhere in flight
		if done, err := h.advance(t.Context(), o); done || !errors.Is(err, errIdle) {
			t.Errorf("done %v, %v", done, err)
		}
	})
}

// A run that has begun two attempts, and loads itself again, finds one place left
// for them: the second goes in the place of the first. Runs that each hold one and
// wait for another would wait for ever.
func TestPlacesOfCallsThatLanded(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: both, parallel: { left: [ { id: a, uses: test.put } ], right: [ { id: b, uses: test.put } ] } } ] }`)
		r.world.lasting(time.Second)
		h := r.start(func(c *Config) { c.Slots = 2 })
		time.Sleep(time.Second)
		h.line.lose.Store(1)
		id := r.event(1, nil)
		for r.run("flow", id).State == "" { // until the starts are stored, and the answer is lost
			time.Sleep(time.Millisecond)
		}
		h.slots <- struct{}{} // another run's
		r.until("flow", id, engine.Completed)
		r.tells("flow", id, "run_started, branch_chosen both, step_started both.left.a 1, step_started both.right.b 1",
			"step_started both.left.a 1 again", "step_completed both.left.a", "step_completed both.right.b, step_completed both, run_completed")
		if n := len(r.world.ledger()); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

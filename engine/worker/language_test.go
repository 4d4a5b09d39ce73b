package worker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// other publishes an event that starts nothing.
func (r *rig) other(eventType string, n int) {
	r.must(r.tryOther(eventType, n))
}

func (r *rig) tryOther(eventType string, n int) error {
	e := r.eventOf(n, map[string]any{"n": n})
	e.ID, e.Type = otherID(eventType, n), eventType
	_, err := r.publish.Publish(context.Background(), e)
	return err
}

func otherID(eventType string, n int) string {
	return proto.EventID("default", eventType, fmt.Sprint(n))
}

// TestArrival: a run waits for an event of its own meeting; one of another does
// not end the wait, one that came before the wait was registered does.
func TestArrival(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`
name: wait
on: [ { zoom: meeting.ended } ]
steps:
  - { id: before, uses: test.put }
  - id: recording
    wait_for: { zoom: recording.completed, match: { payload.object.n: "${{ event.payload.object.n }}" }, timeout: 24h }
  - { id: a, uses: test.put }
`)
		r.start()
		id := r.event(1, map[string]any{"n": 1})
		r.until("wait", id, engine.Waiting)
		r.other("recording.completed", 2)
		time.Sleep(time.Minute)
		r.until("wait", id, engine.Waiting)
		r.other("recording.completed", 1)
		run := r.until("wait", id, engine.Completed)
		if s := run.Step("recording"); s.Outcome != "arrived" || len(s.Output.GetJson()) == 0 {
			t.Errorf("%+v", s)
		}
		r.world.lasting(10 * time.Second)
		early := r.event(3, map[string]any{"n": 3})
		r.when("wait", early, "under way", func(run *engine.Run) bool { return run.Step("before").Status == engine.StepOpen })
		r.other("recording.completed", 3)
		time.Sleep(time.Second) // the router has seen it
		if took := r.until("wait", early, engine.Completed); took.At.Sub(took.Started) > time.Minute {
			t.Errorf("an event that came before the wait ended it after %v", took.At.Sub(took.Started))
		}
	})
}

// TestParallelCalls: two branches call at the same time, a third sleeps meanwhile;
// the run goes on when all have ended.
func TestParallelCalls(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`
name: both
on: [ { zoom: meeting.ended } ]
steps:
  - id: p
    parallel:
      left: [ { id: a, uses: test.put } ]
      right: [ { id: b, uses: test.put } ]
      nap: [ { sleep: 3s } ]
  - { id: c, uses: test.put }
`)
		r.start()
		r.world.lasting(10 * time.Second)
		id := r.event(1, map[string]any{"n": 1})
		run := r.until("both", id, engine.Completed)
		if took := run.At.Sub(run.Started); took < 20*time.Second || took > 21*time.Second {
			t.Errorf("it took %s: the branches do not go at the same time", took)
		}
	})
}

// TestCalled: a run calls another and goes on with its output.
func TestCalled(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`
name: child
on: [ { call: { inputs: { n: number } } } ]
steps: [ { id: a, uses: test.put }, { sleep: 1m } ]
output: { twice: "${{ event.n * 2 }}" }
`)
		r.deploy(`
name: parent
on: [ { zoom: meeting.ended } ]
steps:
  - { id: sub, call: child, with: { n: 21 } }
output: "${{ steps.sub.output.twice }}"
`)
		r.start()
		id := r.event(1, map[string]any{"n": 1})
		run := r.until("parent", id, engine.Completed)
		if out := string(run.End.GetRunCompleted().GetOutput().GetJson()); out != "42" {
			t.Errorf("output %s", out)
		}
	})
}

// TestRetriedRun: a failed run goes on from the step that failed.
func TestRetriedRun(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`
name: again
on: [ { zoom: meeting.ended } ]
steps: [ { id: a, uses: test.put }, { id: b, uses: test.put, retry: { attempts: 1 } } ]
`)
		r.start()
		r.world.answers(nil, actions.Final("no"))
		id := r.event(1, map[string]any{"n": 1})
		r.until("again", id, engine.Failed)
		r.command("again", id, &v1.Command{Id: "r1", Kind: "retry", By: "me"})
		time.Sleep(5 * time.Second) // until then the run is still failed
		run := r.until("again", id, engine.Completed)
		if run.Step("a").Attempt != 1 || run.Step("b").Attempt != 2 {
			t.Errorf("attempts %d and %d, want 1 and 2", run.Step("a").Attempt, run.Step("b").Attempt)
		}
	})
}

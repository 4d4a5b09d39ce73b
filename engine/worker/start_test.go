package worker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

func TestTriggerIf(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: some, on: [ { zoom: meeting.ended, if: event.payload.object.duration >= 5 } ], steps: [ { id: a, uses: test.write } ] }`)
		h := r.start()
		short, long, odd := r.event(1, map[string]any{"duration": 4}), r.event(2, map[string]any{"duration": 5}), r.event(3, map[string]any{"duration": "long"})
		r.until("some", long, engine.Completed)
		failed := r.until("some", odd, engine.Failed)
		if f := failed.End.GetRunFailed(); f.Reason != "trigger" || !strings.Contains(f.Error.Message, "evaluating the trigger's if") {
			t.Errorf("an if that cannot be evaluated: %v", f)
		}
		r.tells("some", odd, "run_started, run_failed")
		if r.run("some", short).Facts != 0 || count("events_unmatched", h) != 1 || len(r.world.ledger()) != 1 {
			t.Errorf("an event that does not match: %d facts, %d counted, %d calls", r.run("some", short).Facts, count("events_unmatched", h), len(r.world.ledger()))
		}
	})
}

func TestDuplicatesMakeOneRun(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(three)
		hands := []*hand{r.start(), r.start()}
		var id string
		for range 50 { // past the duplicate window, as the server sees it
			id = r.eventAgain(1, map[string]any{"id": 7})
		}
		r.until("three", id, engine.Completed)
		r.acked("three")
		for _, h := range hands {
			h.stop()
		}
		time.Sleep(3 * time.Hour)
		r.start()
		r.eventAgain(1, map[string]any{"id": 7})
		r.acked("three")
		if calls := r.world.ledger(); len(calls) != 3 {
			t.Errorf("%d calls for one event, not 3", len(calls))
		}
		if h, err := r.load("three", id); err != nil || len(h.Appends) != 4 {
			t.Errorf("%d appends, %v", len(h.Appends), err)
		}
	})
}

func TestRunningRunsKeepTheirVersion(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		const flow = `{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 10s }, { id: a, uses: test.write, with: { v: VERSION } } ] }`
		r.deploy(strings.Replace(flow, "VERSION", "1", 1))
		r.start()
		first := r.event(1, nil)
		r.until("flow", first, engine.Waiting)
		r.deploy(strings.Replace(flow, "VERSION", "2", 1))
		time.Sleep(time.Second)
		second := r.event(2, nil)
		r.until("flow", second, engine.Completed)
		r.until("flow", first, engine.Completed)
		calls := r.world.ledger()
		if calls[0].input["v"] != int64(1) || calls[1].input["v"] != int64(2) {
			t.Errorf("calls of a run before a deployment and one after it: %v, %v", calls[0].input, calls[1].input)
		}
	})
}

func TestPausedWorkflow(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 10s }, { id: a, uses: test.write } ] }`)
		r.start()
		first := r.event(1, nil)
		r.until("flow", first, engine.Waiting)
		r.must(r.catalog.Pause(t.Context(), "flow"))
		time.Sleep(2 * time.Second)
		second := r.event(2, nil)
		r.until("flow", first, engine.Completed)
		time.Sleep(time.Minute)
		if r.run("flow", second).Facts != 0 {
			t.Error("a paused workflow started a run")
		}
		r.must(r.catalog.Resume(t.Context(), "flow"))
		r.until("flow", second, engine.Completed)
	})
}

func TestRemovedWorkflow(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 10s }, { id: a, uses: test.write } ] }`)
		r.start()
		first := r.event(1, nil)
		r.until("flow", first, engine.Waiting)
		r.must(r.catalog.Remove(t.Context(), "flow"))
		time.Sleep(2 * time.Second)
		second := r.event(2, nil)
		r.until("flow", first, engine.Completed)
		time.Sleep(20 * time.Second)
		if r.run("flow", second).Facts != 0 {
			t.Error("a removed workflow started a run")
		}
	})
}

// A consumer that is gone is made again, and gives every event since the first
// deployment; a run that had started says so.
func TestLostConsumers(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.write }, { sleep: 5s } ] }`)
		r.start()
		first := r.event(1, nil)
		r.until("flow", first, engine.Waiting)
		r.must(r.js.DeleteConsumer(t.Context(), "EVENTS", "flow"))
		r.until("flow", r.event(2, nil), engine.Completed)
		r.until("flow", first, engine.Completed)
		if n := len(r.world.ledger()); n != 2 {
			t.Errorf("%d calls, not 2", n)
		}
	})
}

func TestStrangeMessages(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(three)
		h := r.start()
		a, err := r.js.Publish(t.Context(), "zflow.event.zoom.acct.meeting.ended", []byte("not JSON"))
		r.must(err)
		_, err = r.js.Publish(t.Context(), "zflow.wake.three.nobody", nil)
		r.must(err)
		_, err = r.js.Publish(t.Context(), "zflow.command.three.somebody", []byte("\xff\xff"))
		r.must(err)
		r.until("three", r.event(1, map[string]any{"id": 7}), engine.Completed)
		r.acked("three")
		r.drained()
		r.until("three", fmt.Sprint("seq-", a.Sequence), engine.Failed) // an event it is, if not one that suits
		if n := count("messages_unreadable", h); n != 1 {
			t.Errorf("%d messages were reported as unreadable, not 1", n)
		}
	})
}

// A command that this version does not know is left to a newer one, and not spun on.
func TestUnknownCommand(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 1m }, { id: a, uses: test.write } ] }`)
		h := r.start()
		id := r.event(1, nil)
		r.until("flow", id, engine.Waiting)
		r.command("flow", id, &v1.Command{Id: "c1", Kind: "dance"})
		time.Sleep(50 * time.Second)
		if n := count("runs_unreadable", h); n < 1 || n > 2 {
			t.Errorf("looked at %d times in 50 s, not every 30 s", n)
		}
		r.until("flow", id, engine.Completed)
	})
}

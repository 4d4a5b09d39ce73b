package worker

import (
	"testing"
	"time"

	"zflow/engine"
)

// An event that no workflow takes and nobody waits for is counted by its type; one
// of a paused workflow, one that its if refuses and one that a run waits for are not.
func TestEventsNobodyTakes(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { wait_for: { zoom: recording.completed, match: { payload.object.n: "1" }, timeout: 1h, on_timeout: continue } } ] }`)
		h := r.start()
		untaken := func(eventType string) uint64 { return h.Counts()[Counter{Name: "events_untaken", Type: eventType}] }
		r.other("user.created", 1)
		r.until("flow", r.event(1, nil), engine.Waiting)
		time.Sleep(time.Second) // it is written who waits
		r.other("recording.completed", 1)
		r.until("flow", r.event(1, nil), engine.Completed)
		r.other("user.created", 2)
		time.Sleep(time.Second)
		if untaken("user.created") != 2 || count("events_untaken", h) != 2 {
			t.Errorf("counted: %v", h.Counts())
		}
		r.deploy(`{ name: later, on: [ { zoom: user.created, if: "false" } ], steps: [ { set: 1 } ] }`)
		r.must(r.catalog.Pause(t.Context(), "later"))
		time.Sleep(6 * time.Second) // the answer may be five old
		r.other("user.created", 3)
		time.Sleep(time.Second)
		if n := untaken("user.created"); n != 2 {
			t.Errorf("%d counted, though a paused workflow takes them", n)
		}
		r.must(r.catalog.Remove(t.Context(), "later"))
		time.Sleep(6 * time.Second)
		r.other("user.created", 4)
		time.Sleep(time.Second)
		if n := untaken("user.created"); n != 3 {
			t.Errorf("%d counted after the workflow was removed", n)
		}
	})
}

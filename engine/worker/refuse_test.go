package worker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Of the events of one key, one starts a run that goes on, whichever worker has it;
// the others are runs that were refused. Past per, another does.
func TestOnce(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended, once: { key: "${{ event.payload.object.k }}", per: 10m } } ], steps: [ { id: a, uses: test.put } ] }`)
		for range 2 {
			r.start()
		}
		ran := func(from int) (completed int) {
			var ids []string
			for n := from; n < from+12; n++ {
				ids = append(ids, r.event(n, ofKey(fmt.Sprint(n%2))))
			}
			for _, id := range ids {
				run := r.when("flow", id, "ended", func(run *engine.Run) bool { return run.State.Ended() })
				if run.State == engine.Completed {
					completed++
					continue
				}
				if why := run.End.GetRunCanceled().GetWhy(); !strings.HasPrefix(why, "once: event ") {
					t.Errorf("%s: %q", run.State, why)
				}
				r.tells("flow", id, "run_started, run_canceled")
			}
			return completed
		}
		if n := ran(0); n != 2 || len(r.world.ledger()) != 2 {
			t.Errorf("%d runs of two keys went on, %d calls", n, len(r.world.ledger()))
		}
		if n := ran(100); n != 0 {
			t.Errorf("%d runs went on within the ten minutes", n)
		}
		time.Sleep(10 * time.Minute)
		if n := ran(200); n != 2 {
			t.Errorf("%d runs of two keys went on in the next ten minutes", n)
		}
		broken := r.until("flow", r.event(300, ofKeyless()), engine.Failed)
		if f := broken.End.GetRunFailed(); f.Reason != "trigger" || !strings.Contains(f.Error.Message, "the key of once") {
			t.Errorf("%v", f)
		}
		r.acked("flow")
		r.drained()
	})
}

func ofKeyless() map[string]any { return map[string]any{"k": nil} }

// The event that won wins again after a crash; and a run that was refused goes on
// if a person wants it.
func TestOnceAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended, once: { key: same, per: 1h } } ], steps: [ { id: a, uses: test.put } ] }`)
		for n := int64(1); n <= 3; n++ { // the answer to its first appends is lost
			h := r.start()
			h.line.lose.Store(n)
			r.until("flow", r.event(1, nil), engine.Completed)
			h.stop()
		}
		r.start()
		second := r.event(2, nil)
		r.until("flow", second, engine.Canceled)
		r.command("flow", second, &v1.Command{Id: "r1", Kind: "retry", By: "me"})
		for !r.run("flow", second).Knows("r1") {
			time.Sleep(200 * time.Millisecond)
		}
		r.until("flow", second, engine.Completed)
	})
}

// No more runs begin in a minute than may, over all workers; the others are listed.
func TestRunsPerMinute(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], limits: { runs_per_minute: 5 }, steps: [ { id: a, uses: test.put } ] }`)
		var hands []*hand
		for range 3 {
			hands = append(hands, r.start())
		}
		var ids []string
		for minute := range 3 {
			time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + time.Second)))
			for n := range 11 {
				ids = append(ids, r.event(100*minute+n, nil))
			}
		}
		began := map[int64]int{}
		for _, id := range ids {
			run := r.when("flow", id, "ended", func(run *engine.Run) bool { return run.State.Ended() })
			if run.State == engine.Completed {
				began[run.Started.Unix()/60]++
			} else if why := run.End.GetRunCanceled().GetWhy(); !strings.HasPrefix(why, "over quota") {
				t.Errorf("%s: %s", run.State, why)
			}
		}
		if len(began) != 3 {
			t.Errorf("runs began in %d minutes", len(began))
		}
		for minute, n := range began {
			if n != 5 {
				t.Errorf("%d runs began in minute %d, 5 may", n, minute)
			}
		}
		if n := count("runs_refused", hands...); n != 18 {
			t.Errorf("%d counted as refused", n)
		}
		r.acked("flow")
	})
}

// A trigger with connections takes the events of their accounts only.
func TestTriggerConnection(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: ours, on: [ { zoom: meeting.ended, connection: [ gone, school ] } ], steps: [ { id: a, uses: test.put } ] }`)
		r.deploy(`{ name: theirs, on: [ { zoom: meeting.ended, connection: office } ], steps: [ { id: a, uses: test.put } ] }`)
		h := r.start(func(c *Config) {
			accounts := map[string]string{"school": "acct", "office": "other"}
			c.Account = func(name string) (string, bool) { id, ok := accounts[name]; return id, ok }
		})
		id := r.event(1, nil)
		r.until("ours", id, engine.Completed)
		r.acked("theirs")
		if run := r.run("theirs", id); run.Facts != 0 {
			t.Error("an event of another account started a run")
		}
		if h.Counts()[Counter{"events_unmatched", "theirs", "meeting.ended"}] != 1 || count("connections_unknown", h) != 1 {
			t.Errorf("counted: %v", h.Counts())
		}
	})
}

// What this program is too old for is left, and its workflow pulled no more, so
// that a newer one can have the events in order; other workflows go on.
func TestKeyedWorkflowOfANewerZflow(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 1"))
		r.deploy(keyed("other", "limit: 1"))
		id := r.eventOf(1, ofKey("a")).ID
		var c history.Cursor
		r.must(r.history.Append(t.Context(), &c, history.Append{Workflow: "flow", Run: proto.RunID("flow", id), State: "waiting",
			Facts: []*v1.Fact{{Number: 1, At: 1}}})) // of a kind that only a newer one knows
		old := r.start()
		r.event(1, ofKey("a"))
		next := r.event(2, ofKey("b"))
		time.Sleep(2 * time.Minute)
		if n := count("workflows_left", old); n != 1 || r.run("flow", next).Facts != 0 {
			t.Errorf("left %d times; the next run has %d facts", n, r.run("flow", next).Facts)
		}
		r.until("other", next, engine.Completed)
		another := r.start() // it gets the event at once: nobody holds it back
		time.Sleep(5 * time.Second)
		if n := count("workflows_left", another); n != 1 {
			t.Errorf("another worker was given the event %d times", n)
		}
	})
}

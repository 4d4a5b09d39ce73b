package worker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zflow/engine"
)

// No worker for three days, and the broker starts again at their end: what came and
// what fell due meanwhile goes on at once, what is due later at its time.
func TestThreeDaysWithoutAWorker(t *testing.T) {
	if testing.Short() {
		t.Skip("three idle days of a server say nothing of races")
	}
	bubble(t, func(t *testing.T, r *rig) {
		nap := func(name, long string) string {
			return strings.NewReplacer("sleeper", name, "LONG", long).Replace(sleeper)
		}
		r.deploy(nap("day", "24h"))
		r.deploy(nap("more", fmt.Sprint(72*time.Hour+5*time.Minute)))
		r.deploy(strings.Replace(nap("fresh", "1s"), "meeting.ended", "user.created", 1))
		first := r.start()
		id := r.event(1, nil)
		begun := r.until("more", id, engine.Waiting).Started
		r.until("day", id, engine.Waiting)
		first.kill()
		r.leap(36 * time.Hour)
		r.other("user.created", 2)
		r.leap(36 * time.Hour)
		r.server.Restart(t)
		back := time.Now()
		r.start()
		r.until("day", id, engine.Completed)
		r.until("fresh", otherID("user.created", 2), engine.Completed)
		if took := time.Since(back); took > 15*time.Second {
			t.Errorf("what was due went on after %v", took)
		}
		r.until("more", id, engine.Completed)
		calls := r.world.ledger()
		if len(calls) != 3 {
			t.Fatalf("%d calls", len(calls))
		}
		due := begun.Add(72*time.Hour + 5*time.Minute)
		if late := calls[2].at.Sub(due); late < 0 || late > time.Second {
			t.Errorf("what was due later came %v late", late)
		}
		for _, name := range []string{"day", "more", "fresh"} {
			r.acked(name)
		}
		r.drained()
	})
}

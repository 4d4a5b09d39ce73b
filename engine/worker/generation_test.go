package worker

import (
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
)

// A run with very many facts continues as a new generation by itself, while it
// runs; its owner dies then, and who takes it over goes on from there.
func TestManyFacts(t *testing.T) {
	if testing.Short() {
		t.Skip("others race as much in fewer facts")
	}
	bubble(t, func(t *testing.T, r *rig) {
		const items = 540
		r.deploy(`{ name: flow, limits: { facts: 600 }, on: [ { zoom: meeting.ended } ], steps: [
			{ id: list, set: "${{ 1..540 }}" },
			{ id: each, for_each: "${{ steps.list.output }}", at_once: 20, uses: test.put },
			{ sleep: 1m }, { id: last, uses: test.write } ],
			output: { n: "${{ len(steps.each.output) }}", attempts: "${{ steps.last.attempts }}" } }`)
		r.world.lasting(20 * time.Millisecond)
		first := r.start()
		id := r.event(1, nil)
		for count("runs_continued", first) == 0 {
			time.Sleep(50 * time.Millisecond)
		}
		first.kill()
		second := r.start()
		run := r.until("flow", id, engine.Completed)
		v, err := expr.DecodeJSON(run.End.GetRunCompleted().Output.GetJson())
		r.must(err)
		if out, ok := v.(map[string]any); !ok || out["n"] != int64(items) || out["attempts"] != int64(1) {
			t.Errorf("output %v", v)
		}
		calls := map[string]int{}
		again := 0
		for _, c := range r.world.ledger() {
			if calls[c.key]++; calls[c.key] > 1 {
				again++
			}
		}
		if len(calls) != items+1 || again > 20 {
			t.Errorf("%d steps were called, %d again", len(calls), again)
		}
		if run.Facts < 2*items || count("runs_taken_over", second) != 1 {
			t.Errorf("%d facts", run.Facts)
		}
		r.acked("flow")
		r.drained()
	})
}

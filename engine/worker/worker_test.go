package worker

import (
	"testing"

	"zflow/engine"
)

const three = `
name: three
on: [ { zoom: meeting.ended } ]
steps:
  - { id: a, uses: test.write, with: { id: "${{ event.payload.object.id }}" } }
  - { id: b, uses: test.write, with: { n: "${{ steps.a.output.n }}" } }
  - { id: c, uses: test.write, with: { n: "${{ steps.b.output.n }}" } }
output: { last: "${{ steps.c.output.n }}" }
`

func TestThreeSteps(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(three)
		r.start()
		id := r.event(1, map[string]any{"id": 7})
		run := r.until("three", id, engine.Completed)
		if got := string(run.End.GetRunCompleted().Output.GetJson()); got != `{"last":3}` {
			t.Errorf("output %s", got)
		}
		if calls := r.world.ledger(); len(calls) != 3 || calls[0].input["id"] != int64(7) || calls[2].input["n"] != int64(2) {
			t.Errorf("calls: %v", calls)
		}
		h, err := r.load("three", id)
		if err != nil || len(h.Appends) != 4 {
			t.Errorf("%d appends, %v: a three-step run takes 4", len(h.Appends), err)
		}
	})
}

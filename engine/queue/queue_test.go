package queue

import (
	"testing"

	"github.com/nats-io/nats.go"

	"zflow/engine"
	"zflow/engine/history"
	v1 "zflow/proto/zflow/v1"
)

// What an append's headers say is read back, and who is at no gate says nothing.
func TestStanding(t *testing.T) {
	run := engine.NewRun("r")
	for _, c := range []struct {
		gate     *engine.Gate
		sequence uint64
		place    uint64
		queued   bool
	}{
		{nil, 7, 0, false},
		{&engine.Gate{GateQueued: &v1.GateQueued{}}, 7, 7, true},
		{&engine.Gate{GateQueued: &v1.GateQueued{}, Place: 5}, 7, 5, true},
		{&engine.Gate{GateQueued: &v1.GateQueued{}, Place: 5, Entered: true}, 7, 5, false},
		{&engine.Gate{GateQueued: &v1.GateQueued{}}, 0, 0, false}, // no history
	} {
		h := nats.Header{}
		run.Gate = c.gate
		Note(h, run)
		place, queued, err := standing(history.Head{Header: h, Sequence: c.sequence})
		if place != c.place || queued != c.queued || err != nil {
			t.Errorf("%+v: place %d, queued %v, %v", c, place, queued, err)
		}
	}
	if _, _, err := standing(history.Head{Run: "r", Sequence: 1, Header: nats.Header{headerGate: {"somewhere"}}}); err == nil {
		t.Error("a header that says nothing is read")
	}
}

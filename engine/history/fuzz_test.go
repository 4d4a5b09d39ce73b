package history

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// FuzzAdd reads two appends of any bytes: the reader refuses them or takes them,
// and what it takes, the engine replays or refuses; nobody panics.
func FuzzAdd(f *testing.F) {
	seed := func(a *v1.Facts) []byte {
		data, err := proto.Marshal(a)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	first := seed(&v1.Facts{Number: 1, State: "running", Facts: []*v1.Fact{
		{Number: 1, At: 1, Claim: &v1.Claim{Worker: "w", Epoch: 1}, Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{Workflow: "flow", Event: &v1.Event{}}}},
		{Number: 2, At: 2, Step: "a", Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: 1}}}}})
	f.Add(first, seed(&v1.Facts{Number: 2, State: "completed", Facts: []*v1.Fact{{Number: 3, Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{}}}}}))
	f.Add(seed(&v1.Facts{Number: 7, State: "waiting", Facts: []*v1.Fact{{Number: 9, Kind: &v1.Fact_RunContinued{RunContinued: &v1.RunContinued{Facts: []*v1.Fact{
		{Number: 1, Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{}}}, {Number: 2, Step: "n", Kind: &v1.Fact_TimerSet{TimerSet: &v1.TimerSet{Reason: "sleep"}}}}}}}}}), []byte{})
	f.Add([]byte{0xff}, []byte("no facts"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		h := &History{}
		for i, data := range [][]byte{one, two} {
			before := h.Cursor
			err := h.add("run", stored{sequence: uint64(i + 1), at: time.Unix(0, 0), data: data})
			var damaged *Damaged
			if err != nil && (!errors.As(err, &damaged) || h.Cursor != before || damaged.Sequence != uint64(i+1)) {
				t.Fatalf("%v", err)
			}
		}
		if len(h.Appends) > 0 && h.Appends[0].Facts[0] == nil {
			t.Fatal("an append without facts was taken")
		}
		run := engine.NewRun("run")
		if err := run.Replay(h.Appends); err == nil && len(h.Appends) > 0 && run.Start == nil {
			t.Fatal("a run without a start was taken")
		}
	})
}

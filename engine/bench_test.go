package engine_test

import (
	"testing"
	"time"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// BenchmarkThreeSteps is all that the core does for a run of three steps.
func BenchmarkThreeSteps(b *testing.B) {
	s := &story{t: &testing.T{}, flow: &engine.Workflow{Name: "flow"}}
	for _, name := range []string{"a", "b", "c"} {
		s.flow.Steps = append(s.flow.Steps, s.step([]string{name, "write"}))
	}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	event := &v1.Event{Id: "e1", Type: "meeting.ended", Body: &v1.Value{Json: []byte(`{"payload":{"object":{"id":"1","duration":5}}}`)}}
	output := &v1.Value{Json: []byte(`{"n":1}`)}
	b.ReportAllocs()
	for b.Loop() {
		run := engine.NewRun("run")
		if _, err := run.Begin(now, &v1.RunStarted{Workflow: "flow", Event: event}, claim(1), nil); err != nil {
			b.Fatal(err)
		}
		outcomes := map[engine.AttemptID]*engine.Outcome{}
		for !run.State.Ended() {
			d, err := run.Decide(s.flow, engine.Turn{Now: now, Outcomes: outcomes})
			if err != nil {
				b.Fatal(err)
			}
			for _, c := range d.Calls {
				outcomes[c.AttemptID] = &engine.Outcome{Output: output, Took: time.Second}
			}
		}
	}
}

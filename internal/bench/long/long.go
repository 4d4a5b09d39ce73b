// Package long plays a long workflow in memory, to measure what a decision takes.
package long

import (
	"fmt"
	"strings"
	"time"

	"zflow/engine"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Steps is how many the workflow has.
const Steps = 100

// Flow is a workflow of many steps, each of which names the one before.
func Flow() string {
	var src strings.Builder
	src.WriteString("name: long\non: [ { event: bench.long } ]\nsteps:\n  - { id: s0, uses: http.request, with: { url: http://127.0.0.1 } }\n")
	for i := 1; i < Steps; i++ {
		fmt.Fprintf(&src, "  - { id: s%d, uses: http.request, with: { url: \"http://127.0.0.1\", query: { n: \"${{ steps.s%d.output.status }}\", id: \"${{ event.id }}\" } } }\n", i, i-1)
	}
	return src.String()
}

// Decide plays one run whose calls are answered at once, and returns what a
// decision took on average.
func Decide(flow *engine.Workflow) (time.Duration, error) {
	now := time.Now()
	run := engine.NewRun("long")
	start := &v1.RunStarted{Workflow: flow.Name, Event: &v1.Event{Id: "e", Type: "bench.long", Body: &v1.Value{Json: []byte(`{"id":"7"}`)}}}
	if _, err := run.Begin(now, start, &v1.Claim{Worker: "bench", Epoch: 1, Stream: wire.Events, Sequence: 1}, nil); err != nil {
		return 0, err
	}
	turn, n := engine.Turn{Now: now}, 0
	begun := time.Now()
	for ; !run.State.Ended(); n++ {
		d, err := run.Decide(flow, turn)
		if err != nil {
			return 0, err
		}
		turn.Outcomes = map[engine.AttemptID]*engine.Outcome{}
		for _, call := range d.Calls {
			turn.Outcomes[call.AttemptID] = &engine.Outcome{Output: &v1.Value{Json: []byte(`{"status":200}`)}, Took: time.Millisecond}
		}
	}
	if n <= Steps/2 || string(run.State) != "completed" {
		return 0, fmt.Errorf("the run of %d steps is %s after %d decisions", Steps, run.State, n)
	}
	return time.Since(begun) / time.Duration(n), nil
}

package app

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"zflow/engine"
	"zflow/engine/trigger"
	"zflow/internal/operator"
	wire "zflow/proto"
)

// Workflows that the ends of runs start: some by others, one by all, and two by each other.
var endFlows = map[string]string{
	"work": `name: work
on: [ { event: work } ]
steps: [ { id: a, set: "${{ event.bad }}" }, { if: steps.a.output, stop: { status: failed, message: it broke } } ]
output: { n: 7 }
`,
	"failures": `name: failures
on: [ { run: { workflow: [work, nobody], status: failed } } ]
steps: [ { id: a, set: "${{ event.error.message }}" } ]
output: "${{ event.workflow + ' ' + event.status + ': ' + steps.a.output + ', ' + event.reason }}"
`,
	"results": `name: results
on: [ { run: work, if: event.status == 'completed' } ]
steps: [ { id: a, set: "${{ event.output.n }}" } ]
output: "${{ steps.a.output }}"
`,
	"everything": `name: everything
on: [ { run: { workflow: "*" } , if: "event.workflow in ['work', 'everything']" } ]
steps: [ { id: a, set: 1 } ]
output: "${{ event.workflow }}"
`,
	"audit": "name: audit\non: [ { run: everything } ]\nsteps: [ { id: a, set: 1 } ]\n",
	"ping":  "name: ping\non: [ { event: ping }, { run: pong } ]\nsteps: [ { id: a, set: 1 } ]\n",
	"pong":  "name: pong\non: [ { run: ping } ]\nsteps: [ { id: a, set: 1 } ]\n",
}

// Each end of a run that a trigger names starts one run, a workflow's own ends start none
// of it, and those that start each other come to an end.
func TestRunsThatRunsStart(t *testing.T) {
	c, out := devConfig(t)
	said := newOutput()
	c.Log = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(said), zap.WarnLevel))
	for name, text := range endFlows {
		if err := os.WriteFile(filepath.Join(c.Dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := startDev(t, c)
	for key, what := range map[string][2]string{"one": {"work", `{"bad":true}`}, "two": {"work", `{"bad":false}`}, "three": {"ping", `{}`}} {
		now := time.Now()
		e := &wire.Event{ID: wire.EventID(wire.SourceApp, what[0], key), Type: what[0], Source: wire.SourceApp, Origin: wire.FromTest,
			ContentType: "application/json", Time: now, ReceivedAt: now, Body: []byte(what[1])}
		if _, err := d.Client().Publisher.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	// Of work two, failures and results one, everything and audit two; of ping and pong the first and the chain.
	want := map[string]int{"work": 2, "failures": 1, "results": 1, "everything": 2, "audit": 2, "ping": 1 + trigger.MostInChain/2, "pong": trigger.MostInChain / 2}
	said.await(t, "started one another too often")
	outputs := endedAs(t, d, want)
	if t.Failed() {
		t.Fatal(out)
	}
	for name, texts := range map[string]string{"failures": `"work failed: it broke, stop"`, "results": `7`, "everything": `"work""work"`} {
		if got := strings.Join(outputs[name], ""); got != texts {
			t.Errorf("%s: %s, want %s", name, got, texts)
		}
	}
}

// endedAs waits for as many runs as are wanted, and returns the outputs by workflow.
func endedAs(t *testing.T, d *Dev, want map[string]int) map[string][]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	missing := 0
	for _, n := range want {
		missing += n
	}
	err := endedRuns(ctx, d.Client().JS, func(string, engine.State) (bool, error) {
		missing--
		return missing > 0, nil
	})
	if err != nil {
		t.Errorf("%d runs are missing: %v", missing, err)
	}
	runs, err := d.Client().Operator().Runs(ctx, operator.RunQuery{})
	if err != nil {
		t.Fatal(err)
	}
	outputs, seen := map[string][]string{}, map[string]int{}
	for _, r := range runs {
		seen[r.Workflow]++
		h, err := d.Client().History.Load(ctx, r.Workflow, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		last := h.Appends[len(h.Appends)-1].Facts
		outputs[r.Workflow] = append(outputs[r.Workflow], string(last[len(last)-1].GetRunCompleted().GetOutput().GetJson()))
	}
	if !maps.Equal(seen, want) {
		t.Errorf("runs: %v, want %v", seen, want)
	}
	return outputs
}

package worker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// unknownFlow has one step whose first call ends unknown.
func unknownFlow(step string) string {
	return `{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, ` + step + `, retry: { attempts: 3, delay: 1s } } ], output: "${{ steps.a.output }}" }`
}

func TestUnknownOutcomes(t *testing.T) {
	lost := actions.Unknown("the connection broke")
	for name, c := range map[string]struct {
		step    string
		answers []any
		found   bool
		history string
		output  string
	}{
		"a read is retried": {step: "uses: test.read", answers: []any{lost},
			history: "run_started\nstep_started a 1, step_failed a 1 unknown retry, step_started a 2, step_completed a, run_completed", output: `{"n":2}`},
		"an idempotent write is retried": {step: "uses: test.put", answers: []any{lost},
			history: "run_started, step_started a 1\nstep_failed a 1 unknown retry\nstep_started a 2\nstep_completed a, run_completed", output: `{"n":2}`},
		"a probe that finds it": {step: "uses: test.probed", answers: []any{lost}, found: true,
			history: "run_started, step_started a 1\nstep_failed a 1 unknown probe\nstep_completed a, run_completed", output: `{"probed":true}`},
		"a probe that does not": {step: "uses: test.probed", answers: []any{lost},
			history: "run_started, step_started a 1\nstep_failed a 1 unknown probe\nstep_failed a 1 absent retry, step_started a 2\nstep_completed a, run_completed", output: `{"n":3}`},
		"asked to retry": {step: "uses: test.write, on_unknown: retry", answers: []any{lost},
			history: "run_started, step_started a 1\nstep_failed a 1 unknown retry\nstep_started a 2\nstep_completed a, run_completed", output: `{"n":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.deploy(unknownFlow(c.step))
				r.start()
				r.world.found = c.found
				r.world.answers(c.answers...)
				id := r.event(1, nil)
				run := r.until("flow", id, engine.Completed)
				if got := strings.TrimSpace(r.facts("flow", id)); got != c.history && name != "a read is retried" {
					t.Errorf("the history is\n%s\nnot\n%s", got, c.history)
				}
				if got := string(run.End.GetRunCompleted().Output.GetJson()); got != c.output {
					t.Errorf("output %s, not %s", got, c.output)
				}
			})
		})
	}
}

func TestUnknownFails(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(unknownFlow("uses: test.write, on_unknown: fail"))
		r.start()
		r.world.answers(actions.Unknown("the connection broke"))
		if f := r.until("flow", r.event(1, nil), engine.Failed).End.GetRunFailed(); f.Error.Message != "the connection broke" {
			t.Errorf("failed with %v", f)
		}
	})
}

func TestAsking(t *testing.T) {
	for choice, want := range map[string]struct {
		state  engine.State
		output string
		calls  int
	}{
		"retry": {engine.Completed, `{"n":2}`, 2},
		"done":  {engine.Completed, `{"by":"hand"}`, 1},
		"fail":  {engine.Failed, ``, 1},
	} {
		t.Run(choice, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.deploy(unknownFlow("uses: test.write"))
				h := r.start()
				r.world.answers(actions.Unknown("the connection broke"))
				id := r.event(1, nil)
				r.until("flow", id, engine.Waiting)
				r.acked("flow")
				r.command("flow", id, &v1.Command{Id: "c1", Kind: "approve", By: "me", Step: "b", Choice: choice})
				r.command("flow", id, &v1.Command{Id: "c2", Kind: "approve", By: "me", Step: "a", Choice: choice, Data: []byte(`{"by":"hand"}`)})
				run := r.until("flow", id, want.state)
				if got := string(run.End.GetRunCompleted().GetOutput().GetJson()); got != want.output || len(r.world.ledger()) != want.calls {
					t.Errorf("output %s after %d calls", got, len(r.world.ledger()))
				}
				if n := count("commands_late", h); n != 1 {
					t.Errorf("%d approvals of what asks for nothing were counted, not 1", n)
				}
				r.drained()
			})
		})
	}
}

// A probe that fails is made again; one that cannot tell leaves it to a person.
func TestProbesThatFail(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(unknownFlow("uses: test.probed"))
		r.start()
		r.world.probing = actions.Retryable("busy")
		r.world.answers(actions.Unknown("the connection broke"))
		id := r.event(1, nil)
		r.when("flow", id, "probed twice", func(run *engine.Run) bool { return run.Step("a").Probes > 2 })
		r.world.mu.Lock()
		r.world.probing = actions.Final("no right to look")
		r.world.mu.Unlock()
		run := r.when("flow", id, "asking", func(run *engine.Run) bool { return run.Step("a").Status == engine.StepAsking })
		if run.State != engine.Waiting || len(r.world.ledger()) < 4 {
			t.Errorf("the run is %s after %d calls", run.State, len(r.world.ledger()))
		}
	})
}

func TestPanicOfAnAction(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(unknownFlow("uses: test.write"))
		r.start()
		r.world.answering(func(context.Context, int, actions.Call) (actions.Result, error) { panic("at the disco") })
		id := r.event(1, nil)
		run := r.when("flow", id, "asking", func(run *engine.Run) bool { return run.Step("a").Status == engine.StepAsking })
		if m := run.Step("a").Error.Message; !strings.Contains(m, "test.write broke") || strings.Contains(m, "disco") {
			t.Errorf("the error says %q", m)
		}
	})
}

// A plain error after the call's time says nothing about whether it happened.
func TestPlainErrors(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(unknownFlow("uses: test.write, timeout: 1s"))
		r.start()
		r.world.lasting(time.Minute)
		r.when("flow", r.event(1, nil), "asking", func(run *engine.Run) bool { return run.Step("a").Status == engine.StepAsking })
		r.world.answering(func(context.Context, int, actions.Call) (actions.Result, error) {
			return actions.Result{}, errors.New("no such meeting")
		})
		id := r.event(2, nil)
		r.until("flow", id, engine.Failed)
		r.tells("flow", id, "run_started, step_started a 1", "step_failed a 1 final fail, run_failed")
	})
}

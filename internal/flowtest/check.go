package flowtest

import (
	"fmt"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/engine/steppath"
	"zflow/internal/flowtest/house"
	"zflow/internal/flowtest/testfile"
)

// calls finds the expected calls among those made, in order, and returns them; all
// where the test expects none in particular.
func (c *comparison) calls(e *testfile.Expect) []*house.Made {
	made := c.seen.ownCalls()
	if e.Calls == nil {
		return made
	}
	if len(e.Calls) == 0 && len(made) > 0 {
		c.differs(e.Line, "calls", "none", list(made))
		return nil
	}
	var found []*house.Made
	rest := made
	for i, want := range e.Calls {
		n := 0
		for n < len(rest) && !fits(want, rest[n]) {
			n++
		}
		if n == len(rest) {
			c.missing(i, want, made)
			return found
		}
		found, rest = append(found, rest[n]), rest[n+1:]
	}
	return found
}

// missing says what is the matter with an expected call: it was not made, or with
// another input, or not in this order.
func (c *comparison) missing(i int, want testfile.Call, made []*house.Made) {
	what := fmt.Sprintf("calls[%d]", i)
	for _, m := range made {
		if fits(want, m) {
			c.differs(want.Line, what, want.Of+" after the expected call before it", "it earlier only: "+list(made))
			return
		}
	}
	for _, m := range made {
		if isCall(want.Of, m) {
			c.part(want.Line, what+": "+want.Of, want.With, any(m.With))
			return
		}
	}
	c.differs(want.Line, what, want.Of, list(made))
}

func fits(want testfile.Call, m *house.Made) bool {
	return isCall(want.Of, m) && (want.With == nil || has(want.With, any(m.With)))
}

func isCall(of string, m *house.Made) bool {
	return of == m.Action || of == m.Step || of == steppath.Static(m.Step) || of == house.ID(m.Step) || of == house.ID(steppath.Static(m.Step))
}

func list(made []*house.Made) string {
	if len(made) == 0 {
		return "no call"
	}
	var names []string
	for _, m := range made {
		names = append(names, m.Step+" ("+m.Action+")")
	}
	return strings.Join(names, ", ")
}

// ownCalls are those that were made, without the probes.
func (s *Seen) ownCalls() []*house.Made {
	made := []*house.Made{}
	for _, m := range s.Calls {
		if !m.Probe {
			made = append(made, m)
		}
	}
	return made
}

// checks evaluates the expressions of a test.
func (c *comparison) checks(e *testfile.Expect, calls []*house.Made) {
	if len(e.Check) == 0 {
		return
	}
	env := c.seen.env(calls)
	scope := expr.NewScope(map[string]expr.Type{"calls": {}, "steps": {}, "output": {}, "run": {}}, nil, nil)
	for _, check := range e.Check {
		p, err := expr.CompileCondition(check.Source, scope)
		if err != nil {
			c.wrong = append(c.wrong, Mismatch{What: fmt.Sprintf("check %s: %v", check.Source, err), Line: check.Line})
			continue
		}
		yes, err := p.Bool(env, expr.Clock{Now: c.seen.Started})
		switch {
		case err != nil:
			c.wrong = append(c.wrong, Mismatch{What: fmt.Sprintf("check %s: %v", check.Source, err), Line: check.Line})
		case !yes:
			c.differs(check.Line, "check "+check.Source, "true", "false, with calls "+text(env["calls"]))
		}
	}
}

// env is what a check sees.
func (s *Seen) env(made []*house.Made) expr.Env {
	calls := []any{}
	for _, m := range made {
		calls = append(calls, map[string]any{"step": m.Step, "action": m.Action, "with": any(m.With), "attempt": int64(m.Attempt), "at": stamp(m.At)})
	}
	steps, run := map[string]any{}, map[string]any{"status": s.Status()}
	if s.Run != nil {
		run["id"], run["started_at"], run["took"] = s.Run.ID(), stamp(s.Run.Started), s.Took().Seconds()
		run["error"] = s.failure().GetMessage()
		for path, step := range s.Run.Steps {
			if step.Status != "" {
				steps[path] = s.stepValue(path, step)
			}
		}
		for path := range s.Run.Steps {
			if name := house.ID(path); steps[name] == nil && steps[path] != nil {
				steps[name] = steps[path]
			}
		}
	}
	return expr.Env{"calls": calls, "steps": steps, "output": s.Output(), "run": run}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func (s *Seen) stepValue(path string, step *engine.StepState) map[string]any {
	var failed any
	if e := step.Error; e != nil {
		failed = map[string]any{"message": e.Message, "code": e.Code, "status": int64(e.Status)}
	}
	return map[string]any{"status": string(step.Status), "outcome": step.Outcome, "attempts": int64(step.Attempt), "output": s.stepOutput(path), "error": failed}
}

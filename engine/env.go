package engine

import (
	"fmt"
	"maps"

	"zflow/engine/expr"
	"zflow/engine/value"
	"zflow/engine/workflow"
	v1 "zflow/proto/zflow/v1"
)

// TriggerEnv returns what a trigger's `if` sees of an event.
func TriggerEnv(w *Workflow, e *v1.Event, body any) expr.Env {
	return expr.Env{"event": body, "trigger": workflow.TriggerValue(e), "vars": w.Vars}
}

// eval computes a template's value at a path. Its error is what the step says
// that fails by it.
func (d *decider) eval(t *expr.Template, f *frame, path string, secrets map[string]any) (any, error) {
	env, err := d.run.env(d.flow, f, path, t.Steps())
	if err != nil {
		return nil, err
	}
	env["secrets"] = secrets
	return t.Eval(env, d.clock(path))
}

// evaluate is eval, for a fact.
func (d *decider) evaluate(t *expr.Template, f *frame, path string) (*v1.Value, error) {
	v, err := d.eval(t, f, path, nil)
	if err != nil {
		return nil, err
	}
	raw, err := expr.EncodeJSON(v)
	if err != nil {
		return nil, err
	}
	return &v1.Value{Json: raw}, nil
}

// test computes a condition at a path, which sees more than others do.
func (d *decider) test(p *expr.Program, f *frame, path string, more expr.Env) (bool, error) {
	env, err := d.run.env(d.flow, f, path, p.Steps())
	if err != nil {
		return false, err
	}
	maps.Copy(env, more)
	return p.Bool(env, d.clock(path))
}

func (d *decider) clock(path string) expr.Clock {
	return expr.Clock{Now: d.turn.Now, Seed: d.run.id + "/" + path}
}

// env returns what an expression at a path in a frame sees that reads of these steps.
func (r *Run) env(w *Workflow, f *frame, path string, need expr.Steps) (expr.Env, error) {
	event, err := r.eventBody()
	if err != nil {
		return nil, err
	}
	if r.seen.run == nil {
		r.seen.trigger = workflow.TriggerValue(r.Start.Event)
		r.seen.run = map[string]any{"id": r.id, "workflow": w.Name, "version": r.Start.Version, "attempt": int64(1), "started_at": value.Time(r.Started), "url": value.Page(w.Runs, r.id)}
	}
	v := view{run: r, need: need, steps: map[string]any{}, reached: map[string]bool{}}
	env := expr.Env{
		"event": event, "trigger": r.seen.trigger, "steps": v.steps, "vars": w.Vars, "secrets": map[string]any(nil),
		"run": r.seen.run, "step": map[string]any{"key": r.id + "." + path}, "failure": value.Failure(r.Ending),
	}
	for ; f != nil; f = f.up {
		if f.as != "" {
			f.see(env)
		}
		if err := v.list(f.list[:f.at], f.prefix); err != nil {
			return nil, err
		}
	}
	return env, nil
}

// Scope returns what the code of a step at a path sees, by the names of expressions.
func (r *Run) Scope(w *Workflow, path string) (expr.Env, error) {
	f, _ := (&decider{run: r, flow: w}).find(path)
	if f == nil {
		return nil, fmt.Errorf("reading run %s: its workflow has no step %s", r.id, path)
	}
	env, err := r.env(w, f, path, expr.AllSteps())
	delete(env, "secrets")
	return env, err
}

// see adds the item, unless an inner loop has one of that name.
func (f *frame) see(env expr.Env) {
	if _, there := env[f.as]; !there {
		env[f.as] = f.item
	}
	if _, there := env["index"]; !there {
		env["index"] = int64(f.index)
	}
}

// view makes the value of steps: of those that are needed.
type view struct {
	run     *Run
	need    expr.Steps
	steps   map[string]any
	reached map[string]bool // ids; exclusive branches may have the same
}

// list adds steps that ran before, and those in them that can be seen from
// outside: not those in a loop.
func (v view) list(steps []*Step, prefix string) error {
	if v.need.None() {
		return nil
	}
	for _, def := range steps {
		if def.ID != "" && v.need.Has(def.ID) {
			if err := v.add(def, prefix+def.Token); err != nil {
				return err
			}
		}
		b, ok := def.Do.(*Block)
		if !ok || def.Loop != nil {
			continue
		}
		for _, branch := range b.Branches {
			if err := v.list(branch.Steps, branch.Prefix(prefix+def.Token)); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds a step, unless one of its id was reached that stands nearer.
func (v view) add(def *Step, path string) error {
	reached := v.run.reached(path)
	if _, there := v.steps[def.ID]; there && (v.reached[def.ID] || !reached) {
		return nil
	}
	value, err := v.run.stepValue(def, path)
	v.steps[def.ID], v.reached[def.ID] = value, reached
	return err
}

// eventBody returns the event's body, decoded once; text where it is no JSON.
func (r *Run) eventBody() (any, error) {
	if !r.seen.body.done {
		v, err := expr.DecodeJSON(r.Start.Event.Body.GetJson())
		if err != nil {
			v = string(r.Start.Event.Body.GetJson())
		}
		r.seen.body = decoded{v, true}
	}
	return r.seen.body.value, nil
}

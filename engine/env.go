package engine

import (
	"strconv"
	"time"

	"zflow/engine/expr"
	v1 "zflow/proto/zflow/v1"
)

// env returns what the run's expressions see, at a step or outside of one.
func (r *Run) env(w *Workflow, secrets map[string]any, path string) (expr.Env, error) {
	event, err := r.eventBody()
	if err != nil {
		return nil, err
	}
	steps := make(map[string]any, len(w.Steps))
	for _, step := range w.Steps {
		s := r.Steps[step.Path]
		if step.ID == "" || s == nil || s.Status == "" {
			continue
		}
		if steps[step.ID], err = s.value(); err != nil {
			return nil, err
		}
	}
	if r.seen.run == nil {
		r.seen.trigger = triggerValue(r.Start.Event)
		r.seen.run = map[string]any{"id": r.id, "workflow": w.Name, "version": r.Start.Version, "attempt": int64(1), "started_at": text(r.Started)}
	}
	return expr.Env{
		"event": event, "trigger": r.seen.trigger, "steps": steps, "vars": w.Vars, "secrets": secrets,
		"run": r.seen.run, "step": map[string]any{"key": r.id + "." + path},
	}, nil
}

// TriggerEnv returns what a trigger's `if` sees of an event.
func TriggerEnv(w *Workflow, e *v1.Event, body any) expr.Env {
	return expr.Env{"event": body, "trigger": triggerValue(e), "vars": w.Vars}
}

func triggerValue(e *v1.Event) map[string]any {
	return map[string]any{
		"id": e.Id, "type": e.Type, "source": e.Source, "account": e.Account, "origin": e.Origin,
		"time": text(time.Unix(0, e.Time)), "received_at": text(time.Unix(0, e.ReceivedAt)),
	}
}

func text(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

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

// value is what steps.<id> is.
func (s *StepState) value() (map[string]any, error) {
	if !s.output.done {
		var v any
		if raw := s.Output.GetJson(); len(raw) > 0 {
			var err error
			if v, err = expr.DecodeJSON(raw); err != nil {
				return nil, err
			}
		}
		s.output = decoded{v, true}
	}
	return map[string]any{
		"output": s.output.value, "status": string(s.Status), "outcome": nil, "attempts": int64(s.Attempt), "error": errorValue(s.Error, ""),
	}, nil
}

// errorValue is what `error` is; its code is a number where the API's is one,
// and the HTTP status where the API gave none.
func errorValue(e *v1.Error, class string) any {
	if e == nil {
		return nil
	}
	var code any = e.Code
	if e.Code == "" {
		code = int64(e.Status)
	} else if n, err := strconv.ParseInt(e.Code, 10, 64); err == nil {
		code = n
	}
	return map[string]any{"message": e.Message, "code": code, "status": int64(e.Status), "class": class}
}

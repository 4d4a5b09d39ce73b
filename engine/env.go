package engine

import (
	"strconv"
	"time"

	"zflow/engine/expr"
	v1 "zflow/proto/zflow/v1"
)

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

// failureValue is what `failure` is: nil where the run did not fail.
func (r *Run) failureValue() any {
	e := r.Ending
	if e == nil || State(e.State) != Failed {
		return nil
	}
	return map[string]any{"step": e.Step, "reason": e.Reason, "error": errorValue(e.Error, "")}
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

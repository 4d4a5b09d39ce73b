package flow_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"zflow/actions"
	"zflow/actions/flow"
)

// outside keeps what was published and answered.
type outside struct {
	events  []flow.Event
	answers map[string]flow.Answer
	err     error
}

func (o *outside) options() flow.Options {
	o.answers = map[string]flow.Answer{}
	return flow.Options{
		Emit: func(_ context.Context, e flow.Event) (string, error) {
			o.events = append(o.events, e)
			return "id-" + e.Key, o.err
		},
		Respond: func(_ context.Context, event string, a flow.Answer) error { o.answers[event] = a; return o.err },
	}
}

func do(t *testing.T, o flow.Options, name string, input map[string]any) (any, error) {
	t.Helper()
	for _, a := range flow.Actions(o) {
		if a.Spec.Name == name {
			r, err := a.Do(t.Context(), actions.Call{Input: input, Key: "run.step", Account: "acct", Event: "e1"})
			return r.Output, err
		}
	}
	t.Fatalf("no action %s", name)
	return nil, nil
}

func TestEmit(t *testing.T) {
	var o outside
	out, err := do(t, o.options(), "emit", map[string]any{"type": "class.held", "data": map[string]any{"n": int64(9007199254740993)}})
	if err != nil || fmt.Sprint(out) != "map[id:id-run.step]" {
		t.Errorf("output %v, %v", out, err)
	}
	if e := o.events[0]; e.Type != "class.held" || e.Key != "run.step" || e.Account != "acct" || string(e.Data) != `{"n":9007199254740993}` {
		t.Errorf("published %+v %s", e, e.Data)
	}
	if _, err := do(t, o.options(), "emit", map[string]any{"type": "class.held"}); err != nil || string(o.events[1].Data) != "{}" {
		t.Errorf("without data: %s, %v", o.events[1].Data, err)
	}
}

func TestRespond(t *testing.T) {
	var o outside
	out, err := do(t, o.options(), "respond", map[string]any{"status": int64(201), "headers": map[string]any{"x-a": "b"}, "body": "yes"})
	if a := o.answers["e1"]; err != nil || fmt.Sprint(out) != "map[status:201]" || a.Status != 201 || a.Headers["x-a"] != "b" || a.Body != "yes" {
		t.Errorf("output %v, %v; answered %+v", out, err, a)
	}
	if _, err := do(t, o.options(), "respond", map[string]any{}); err != nil || o.answers["e1"].Status != 200 {
		t.Errorf("without a status: %+v, %v", o.answers["e1"], err)
	}
}

// TestErrors: bad input is final, an outside that fails may be tried again.
func TestErrors(t *testing.T) {
	failing := outside{err: errors.New("gone")}
	for name, c := range map[string]struct {
		action string
		input  map[string]any
		o      flow.Options
		class  actions.Class
	}{
		"no type":          {"emit", map[string]any{}, (&outside{}).options(), actions.ClassFinal},
		"data no JSON":     {"emit", map[string]any{"type": "a", "data": make(chan int)}, (&outside{}).options(), actions.ClassFinal},
		"nobody publishes": {"emit", map[string]any{"type": "a"}, flow.Options{}, actions.ClassFinal},
		"publishing fails": {"emit", map[string]any{"type": "a"}, failing.options(), actions.ClassRetryable},
		"status too large": {"respond", map[string]any{"status": int64(1000)}, (&outside{}).options(), actions.ClassFinal},
		"status a text":    {"respond", map[string]any{"status": "200"}, (&outside{}).options(), actions.ClassFinal},
		"header a number":  {"respond", map[string]any{"headers": map[string]any{"a": int64(1)}}, (&outside{}).options(), actions.ClassFinal},
		"nobody answers":   {"respond", map[string]any{}, flow.Options{}, actions.ClassFinal},
		"answering fails":  {"respond", map[string]any{}, failing.options(), actions.ClassRetryable},
	} {
		_, err := do(t, c.o, c.action, c.input)
		var e *actions.Error
		if !errors.As(err, &e) || e.Class != c.class {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExamples: what the documentation shows is what happens.
func TestExamples(t *testing.T) {
	var o outside
	for _, a := range flow.Actions(o.options()) {
		for _, x := range a.Spec.Examples {
			if _, err := do(t, o.options(), a.Spec.Name, x.Input); err != nil {
				t.Errorf("%s, %s: %v", a.Spec.Name, x.Title, err)
			}
		}
	}
}

package trigger

import (
	"testing"

	"zflow/engine"
	wire "zflow/proto"
)

// TestInputs: what a caller hands over is what the workflow says that it takes, or its run
// fails as it begins, and says which input is wrong.
func TestInputs(t *testing.T) {
	inputs := map[string]string{"who": "text", "n": "integer?", "x": "number?", "on": "boolean?", "o": "object?", "l": "list?", "a": "any?"}
	def := &engine.Workflow{Name: "w", Triggers: []engine.Trigger{{Source: engine.SourceCall, Inputs: inputs}}}
	any := func(string, []string, string) (string, bool) { return "", true }
	for body, want := range map[string]string{
		`{"who":"ann"}`: "", `{"who":"","n":null}`: "", `{"who":"a","n":1,"x":1,"on":false,"o":{},"l":[],"a":[1],"more":1}`: "",
		`{"who":"a","n":2.0,"x":1.5}`: "", `{"who":"a","n":12345678901234567890}`: "the input n is text, not integer", // beyond 64 bits it is text
		`{}`:                  "the input who is missing: it is text",
		`[]`:                  "the input who is missing: it is text",
		`{"who":null}`:        "the input who is missing: it is text",
		`{"who":1}`:           "the input who is integer, not text",
		`{"who":"a","n":"1"}`: "the input n is text, not integer",
		`{"who":"a","n":1.5}`: "the input n is number, not integer",
		`{"who":"a","x":"1"}`: "the input x is text, not number",
		`{"who":"a","on":1}`:  "the input on is integer, not boolean",
		`{"who":"a","o":[]}`:  "the input o is list, not object",
		`{"who":"a","l":{}}`:  "the input l is object, not list",
		``:                    "", // it is too large to stand there
	} {
		e := &wire.Event{Source: engine.SourceCall, Type: "call", Body: []byte(body)}
		at, err := Match(def, e, Event(e), any)
		if want != "" {
			want = "calling w: " + want
		}
		if got := text(err); got != want || at != 0 {
			t.Errorf("%s: %d, %q, not %q", body, at, got, want)
		}
	}
	def.Triggers[0].Inputs = map[string]string{"a": "any"}
	for body, want := range map[string]string{`{"a":null}`: "", `{}`: "the input a is missing: it is any"} {
		e := &wire.Event{Source: engine.SourceCall, Type: "call", Body: []byte(body)}
		if _, err := Match(def, e, Event(e), any); text(err) != want && text(err) != "calling w: "+want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

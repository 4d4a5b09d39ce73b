package language

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"zflow/actions"
)

func registry(t *testing.T) *actions.Registry {
	t.Helper()
	reg, err := actions.NewRegistry(&actions.Action{Spec: actions.Spec{
		Name: "log", Input: actions.Schema{Type: "object", Required: []string{"message"}, Fields: map[string]actions.Schema{"message": {Type: "string", Doc: "What."}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// Each key of the language that this version has is in the schema, with a word
// on what it is.
func TestEveryKey(t *testing.T) {
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(registry(t)), &schema); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		table map[string]Key
		has   map[string]any
	}{
		"workflow": {Workflow, schema.Properties}, "step": {Step, schema.Defs["step"].Properties},
		"trigger": {Trigger, schema.Defs["trigger"].Properties}, "retry": {Retry, schema.Defs["retry"].Properties},
		"http": {HTTP, schema.Defs["http"].Properties}, "auth": {Auth, schema.Defs["auth"].Properties}, "hmac": {HMAC, schema.Defs["hmac"].Properties},
		"basic": {Basic, schema.Defs["basic"].Properties}, "cors": {CORS, schema.Defs["cors"].Properties}, "request key": {RequestKey, schema.Defs["request_key"].Properties},
		"email": {Email, schema.Defs["email"].Properties}, "run": {Ended, schema.Defs["ended"].Properties}, "once": {Once, schema.Defs["once"].Properties}, "poll": {Poll, schema.Defs["poll"].Properties}, "call": {Callable, schema.Defs["callable"].Properties},
		"concurrency": {Concurrency, schema.Defs["concurrency"].Properties}, "limits": {Limits, schema.Defs["limits"].Properties},
		"case": {Case, schema.Defs["case"].Properties}, "undo": {Undo, schema.Defs["undo"].Properties},
		"sleep": {Sleep, schema.Defs["sleep"].Properties}, "schedule": {Schedule, schema.Defs["schedule"].Properties},
		"wait_for": {Wait, schema.Defs["wait"].Properties}, "first_of": {Arrival, schema.Defs["arrival"].Properties},
		"approval": {Approval, schema.Defs["approval"].Properties}, "field": {Answer, schema.Defs["field"].Properties},
		"respond": {Respond, schema.Defs["respond"].Properties}, "stop": {Stop, schema.Defs["stop"].Properties},
		"code": {Script, schema.Defs["script"].Properties},
	} {
		if len(c.has) == 0 {
			t.Errorf("%s is not in the schema", what)
		}
		for name, k := range c.table {
			if _, ok := c.has[name]; !ok {
				t.Errorf("%s: key %s is not in the schema", what, name)
			}
			if k.Doc == "" {
				t.Errorf("%s: key %s has no doc", what, name)
			}
		}
	}
}

// Whatever a step can do, or can start a run, is a key.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		kinds []string
		table map[string]Key
	}{{Kinds, Step}, {TriggerKinds, Trigger}, {ArrivalKinds, Arrival}, {ArrivalKinds, Wait}} {
		for _, kind := range c.kinds {
			if _, ok := c.table[kind]; !ok {
				t.Errorf("%s is no key", kind)
			}
		}
		if &c.kinds[0] == &Kinds[0] && !slices.IsSorted(c.kinds) { // the others are by how common they are
			t.Errorf("%v are not in order", c.kinds)
		}
	}
}

func TestPatterns(t *testing.T) {
	for pattern, c := range map[string]struct{ takes, refuses []string }{
		NamePattern:     {[]string{"a", "flow-2"}, []string{"", "A", "a b", "a_b"}},
		IDPattern:       {[]string{"a", "a_1"}, []string{"", "1a", "A", "a-b", "_a"}},
		InputPattern:    {[]string{"a", "userId", "a_1"}, []string{"", "1a", "a b", "a-b"}},
		DurationPattern: {[]string{"5s", "1h30m", "1.5d", "2w", "0"}, []string{"", "5", "s", "5 s", "-5s"}},
		TypePattern:     {[]string{"a", "a.b", "a.*", "*"}, []string{"", "a.", ".a", "a b", "a*"}},
	} {
		for _, s := range c.takes {
			if !regexp.MustCompile(pattern).MatchString(s) {
				t.Errorf("%s refuses %q", pattern, s)
			}
		}
		for _, s := range c.refuses {
			if regexp.MustCompile(pattern).MatchString(s) {
				t.Errorf("%s takes %q", pattern, s)
			}
		}
	}
}

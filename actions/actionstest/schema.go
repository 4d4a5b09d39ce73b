package actionstest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zflow/actions"
)

// Check tells how a value differs from its schema.
func Check(s actions.Schema, v any) []string { return s.Check(v) }

// spec: an action is documented in full, and its examples fit its schema.
func (s Suite) spec(t *testing.T) { Spec(t, s.New(t, "http://127.0.0.1:1").Spec) }

// Spec checks the documentation of an action that is no call over HTTP, for which
// Suite is.
func Spec(t *testing.T, sp actions.Spec) {
	t.Helper()
	if !regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`).MatchString(sp.Name) {
		t.Errorf("name %q", sp.Name)
	}
	if sp.Summary == "" || !strings.HasSuffix(sp.Summary, ".") {
		t.Errorf("summary %q is no sentence", sp.Summary)
	}
	if !slices.Contains([]actions.Effect{actions.Read, actions.Idempotent, actions.Write}, sp.Effect) {
		t.Errorf("effect %q", sp.Effect)
	}
	if sp.Input.Type != "object" {
		t.Errorf("input is %q, want an object", sp.Input.Type)
	}
	for _, problem := range undocumented(sp.Input, "input") {
		t.Error(problem)
	}
	for _, problem := range undocumented(sp.Output, "output") {
		t.Error(problem)
	}
	if len(sp.Examples) == 0 {
		t.Error("no examples")
	}
	for _, x := range sp.Examples {
		for _, problem := range Check(sp.Input, x.Input) {
			t.Errorf("example %q: %s", x.Title, problem)
		}
	}
	for _, path := range sp.Secret {
		if !known(sp.Output, strings.Split(path, ".")) {
			t.Errorf("secret path %s is not in the output", path)
		}
	}
}

func undocumented(s actions.Schema, at string) (problems []string) {
	for _, name := range s.Required {
		if _, ok := s.Fields[name]; !ok {
			problems = append(problems, at+"."+name+" is required and not described")
		}
	}
	for name, field := range s.Fields {
		if field.Doc == "" {
			problems = append(problems, at+"."+name+" has no doc")
		}
		problems = append(problems, undocumented(field, at+"."+name)...)
	}
	if s.Items != nil {
		problems = append(problems, undocumented(*s.Items, at+"[]")...)
	}
	return problems
}

// known tells whether a schema has, or leaves open, this path.
func known(s actions.Schema, path []string) bool {
	for _, step := range path {
		name, list := strings.CutSuffix(step, "[]")
		field, ok := s.Fields[name]
		if !ok {
			return s.Open
		}
		if list && field.Items == nil {
			return false
		}
		if list {
			field = *field.Items
		}
		s = field
	}
	return true
}

// redact takes the credentials out that an action says are in its output.
func redact(paths []string, v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var copied any
	if json.Unmarshal(raw, &copied) != nil {
		return v
	}
	for _, path := range paths {
		remove(copied, strings.Split(path, "."))
	}
	return copied
}

func remove(v any, path []string) {
	object, ok := v.(map[string]any)
	if !ok {
		return
	}
	name, list := strings.CutSuffix(path[0], "[]")
	if len(path) == 1 {
		delete(object, name)
		return
	}
	if !list {
		remove(object[name], path[1:])
		return
	}
	items, _ := object[name].([]any)
	for _, item := range items {
		remove(item, path[1:])
	}
}

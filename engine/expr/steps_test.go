package expr_test

import (
	"testing"

	"zflow/engine/expr"
)

// What an expression may read of is found, and where it cannot be told, it is all.
func TestSteps(t *testing.T) {
	scope := expr.NewScope(map[string]expr.Type{"steps": {}, "event": {}}, nil, nil)
	for src, want := range map[string]string{
		"event.a":            "",
		"steps.a.output":     "a",
		"steps?.a?.output":   "a",
		"steps['a'].output":  "a",
		"steps.a.b.steps.c":  "a",
		"len(keys(steps))":   "abc",
		"steps[event.a]":     "abc",
		"let s = steps; s.a": "abc",
		"filter(event.b, steps.a.output == .x) == steps.b": "ab",
		"steps.a ?? steps": "abc",
	} {
		p, err := expr.Compile(src, scope)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := named(p.Steps()); got != want {
			t.Errorf("%s reads of %q, not of %q", src, got, want)
		}
	}
}

func TestStepsOfTemplate(t *testing.T) {
	scope := expr.NewScope(map[string]expr.Type{"steps": {}, "event": {}}, nil, nil)
	for want, tree := range map[string]any{
		"":    map[string]any{"x": "${{ event.a }}", "y": int64(1)},
		"ab":  map[string]any{"x": "${{ steps.a.output }}", "y": []any{"to ${{ steps.b.output }} from ${{ event.a }}"}},
		"abc": []any{"${{ steps.a.output }}", "${{ steps }}"},
	} {
		tmpl, err := expr.ParseTemplate(tree, scope)
		if err != nil {
			t.Fatal(err)
		}
		if got := named(tmpl.Steps()); got != want {
			t.Errorf("%v reads of %q, not of %q", tree, got, want)
		}
		if tmpl.Steps().None() != (want == "") {
			t.Errorf("%v: none", tree)
		}
	}
	if !expr.AllSteps().Has("z") {
		t.Error("all steps lack one")
	}
}

func named(s expr.Steps) string {
	all := ""
	for _, id := range []string{"a", "b", "c"} {
		if s.Has(id) {
			all += id
		}
	}
	return all
}

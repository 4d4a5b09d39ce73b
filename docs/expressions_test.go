package docs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/engine/expr"
)

// world is what the expressions of the page are about: its first three blocks.
type world struct {
	known definition.Known
	vars  any
	env   expr.Env
}

func newWorld(t *testing.T) *world {
	t.Helper()
	var b []block
	for _, x := range blocksOf(t, "expressions.md") {
		if strings.HasPrefix(x.kind, "json") || len(b) == 1 {
			b = append(b, x)
		}
	}
	event, people := decode(t, b[0].text), decode(t, b[2].text)
	w, said := b[1].parse(known(t))
	if said != "" {
		t.Fatal(said)
	}
	return &world{known: known(t), vars: w.Vars, env: expr.Env{
		"event": event, "vars": w.Vars,
		"steps":   map[string]any{"people": map[string]any{"output": people, "status": "completed", "attempts": int64(1)}},
		"trigger": map[string]any{"type": "meeting.ended", "account": "hBr_Learning-2026a"},
		"run":     map[string]any{"id": "7k2m"}, "step": map[string]any{"key": "7k2m.send"},
		"secrets": map[string]any{"token": "«sealed»"},
	}}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	v, err := expr.DecodeJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

var clock = expr.Clock{Now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), Seed: "7k2m"}

// eval returns the value of a text with ${{ }} in a step's input, or what a
// person is told about it; with warnings, the first of these is told too.
func (w *world) eval(t *testing.T, text string, warnings bool) (any, string) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"name": "x", "on": map[string]any{"zoom": "meeting.ended"}, "vars": w.vars,
		"steps": []any{
			map[string]any{"id": "people", "uses": "zoom.list_past_meeting_participants", "with": map[string]any{"meeting_id": "1"}},
			map[string]any{"uses": "log", "with": map[string]any{"message": text}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	flow, problems := definition.Parse("x", raw, w.known)
	for _, p := range problems {
		if !p.Warning || warnings {
			return nil, hinted(p.Message, p.Hint)
		}
	}
	v, err := flow.Steps[1].Do.(*engine.Uses).With.Eval(w.env, clock)
	var e *expr.Error
	if errors.As(err, &e) {
		return nil, hinted(e.Message, e.Hint)
	}
	return v.(map[string]any)["message"], ""
}

func hinted(message, hint string) string {
	if hint == "" {
		return message
	}
	return message + " (" + hint + ")"
}

// Each row of the tables gives what it says.
func TestExpressions(t *testing.T) {
	w := newWorld(t)
	page := read(t, "expressions.md")
	rows := append(rowsOf(page, "expression"), rowsOf(page, "text")...)
	if len(rows) < 80 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, r := range rows {
		src := unquote(r[0])
		if !expr.Contains(src) {
			src = "${{ " + src + " }}"
		}
		message, isError := strings.CutPrefix(r[1], "error: ")
		message, isWarning := strings.CutPrefix(message, "warning: ")
		got, told := w.eval(t, src, isWarning)
		switch {
		case (isError || isWarning) && told != message:
			t.Errorf("%s says\n%s\nand the page\n%s", r[0], told, message)
		case isError || isWarning:
		case told != "":
			t.Errorf("%s: %s", r[0], told)
		case r[1] != "differs" && !reflect.DeepEqual(got, decode(t, unquote(r[1]))):
			raw, _ := json.Marshal(got)
			t.Errorf("%s gives %s, and the page says %s", r[0], raw, r[1])
		}
	}
}

// unquote takes a cell out of its backticks.
func unquote(cell string) string {
	for _, fence := range []string{"`` ", "``", "`"} {
		if s, ok := strings.CutPrefix(cell, fence); ok {
			return strings.TrimSpace(strings.TrimRight(s, "`"))
		}
	}
	return cell
}

// The page shows each function at work, and each name in its table.
func TestEveryFunctionIsShown(t *testing.T) {
	page := read(t, "expressions.md")
	var shown strings.Builder
	for _, r := range rowsOf(page, "expression") {
		fmt.Fprintln(&shown, r[0])
	}
	for _, name := range expr.Functions() {
		if !strings.Contains(shown.String(), name+"(") {
			t.Errorf("no table shows %s()", name)
		}
	}
	names := map[string]bool{}
	for _, r := range rowsOf(page, "name") {
		names[unquote(r[0])] = true
	}
	for _, name := range []string{"event", "trigger", "vars", "steps", "run", "step", "secrets", "error"} {
		if !names[name] {
			t.Errorf("the table of names lacks %s", name)
		}
	}
}

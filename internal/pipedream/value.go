package pipedream

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"zflow/engine/definition/document"
	"zflow/internal/pipedream/formula"
)

// piece of a text: a text, or an expression.
type piece struct {
	text string
	js   bool
}

// pieces takes a text apart at its {{ }}.
func pieces(s string) ([]piece, error) {
	var all []piece
	for {
		before, rest, found := strings.Cut(s, "{{")
		if before != "" {
			all = append(all, piece{text: before})
		}
		if !found {
			return all, nil
		}
		n, err := formula.Length(rest, "}}")
		if err != nil {
			return nil, fmt.Errorf("{{%s: %w", short(rest), err)
		}
		all = append(all, piece{text: strings.TrimSpace(rest[:n]), js: true})
		s = rest[n+2:]
	}
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}

// hasExpression tells whether some text of a value has {{ }} in it.
func hasExpression(n *document.Node) bool {
	if n.Kind == document.Scalar {
		return strings.Contains(n.Value, "{{")
	}
	for _, i := range n.Items {
		if hasExpression(i) {
			return true
		}
	}
	for _, f := range n.Fields {
		if hasExpression(f.Value) {
			return true
		}
	}
	return false
}

// values translates the values of one step.
type values struct {
	*translation
	step  step
	extra []computed // what JavaScript computes in a step before
	names map[string]bool
}

// computed is an expression that stays JavaScript.
type computed struct{ name, js string }

// value translates a value of any form.
func (v *values) value(n *document.Node, where string) *yaml.Node {
	switch {
	case n.Kind == document.List:
		out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i, one := range n.Items {
			out.Content = append(out.Content, v.value(one, fmt.Sprintf("%s_%d", where, i+1)))
		}
		return out
	case n.Kind == document.Object:
		o := newObject()
		for _, f := range n.Fields {
			o.put(f.Key.Value, v.value(f.Value, where+"_"+f.Key.Value))
		}
		return o.node
	case !strings.Contains(n.Value, "{{"):
		return copied(n)
	}
	all, err := pieces(n.Value)
	if err != nil {
		v.broken(n, err)
		return textNode("")
	}
	var b strings.Builder
	for _, p := range all {
		if !p.js {
			b.WriteString(p.text)
			continue
		}
		b.WriteString("${{ " + v.expression(n, p.text, where) + " }}")
	}
	s := b.String()
	if len(all) == 1 {
		return plain(s)
	}
	return textNode(s)
}

// expression translates one; what cannot be translated is computed by JavaScript in a
// step before, and read from there.
func (v *values) expression(n *document.Node, js, where string) string {
	out, err := formula.Translate(js, v.resolve)
	if err == nil {
		return out
	}
	return v.compute(n, js, where, err)
}

func (v *values) compute(n *document.Node, js, where string, why error) string {
	var broken *brokenError
	if errors.As(why, &broken) || strings.Contains(js, "process.env") {
		v.broken(n, fmt.Errorf("{{ %s }}: %w", short(js), why))
		return "null"
	}
	if v.names == nil {
		v.names = map[string]bool{}
	}
	name := unique(ID(where), v.names)
	v.extra = append(v.extra, computed{name, js})
	v.note(n, true, fmt.Sprintf("{{ %s }} stays JavaScript: %v", short(js), why), "")
	return fmt.Sprintf("steps.%s.output.$return_value.%s", v.computedID(), name)
}

func (v *values) computedID() string { return v.step.id + "_values" }

// brokenError is of an expression that has no value here.
type brokenError struct{ what string }

func (e *brokenError) Error() string { return e.what }

// broken notes that a step cannot be translated, which makes it one that fails.
func (v *values) broken(n *document.Node, why error) {
	v.note(n, false, why.Error(), "the step "+v.step.id+" fails the run until you put in its place what it is to do")
	v.failed = true
}

// source is a value as an expression, for where an expression is to be.
func (v *values) source(n *document.Node, where string) string {
	if n == nil {
		return "null"
	}
	if n.Kind != document.Scalar {
		if hasExpression(n) {
			v.broken(n, errors.New("a list or an object with expressions in it is not translated here"))
			return "null"
		}
		raw, err := json.Marshal(anyOf(n))
		if err != nil {
			v.broken(n, err)
		}
		return "fromJSON(" + formula.Quote(string(raw)) + ")"
	}
	if !n.IsText() {
		return n.Value
	}
	all, err := pieces(n.Value)
	if err != nil {
		v.broken(n, err)
		return "null"
	}
	var parts []string
	for _, p := range all {
		switch {
		case !p.js:
			parts = append(parts, formula.Quote(p.text))
		case len(all) == 1:
			return v.expression(n, p.text, where)
		default:
			parts = append(parts, "string("+v.expression(n, p.text, where)+")")
		}
	}
	if len(parts) == 0 {
		return "''"
	}
	return strings.Join(parts, " + ")
}

// anyOf is a value without expressions as JSON has it.
func anyOf(n *document.Node) any {
	var v any
	if err := copied(n).Decode(&v); err != nil {
		return nil
	}
	return v
}

// resolve says what a name of Pipedream's is here.
func (t *translation) resolve(path []string) (string, int, error) {
	switch path[0] {
	case "process":
		if len(path) >= 3 && path[1] == "env" {
			return "secrets." + t.secret(path[2]), 3, nil
		}
	case "steps":
		if len(path) > 1 && path[1] == "trigger" {
			return t.trigger(path)
		}
		if len(path) > 1 {
			return t.result(path)
		}
	}
	return "", 0, &brokenError{fmt.Sprintf("nobody knows what %s is", path[0])}
}

// result is what a step before returned or exported.
func (t *translation) result(path []string) (string, int, error) {
	s, ok := t.done[path[1]]
	if !ok {
		return "", 0, &brokenError{fmt.Sprintf("there is no step %s before", path[1])}
	}
	if len(path) < 3 {
		return "", 0, errors.New("a step as a whole is not translated")
	}
	base := "steps." + s.id + ".output"
	switch {
	case s.shim:
		return base + name(path[2]), 3, nil
	case path[2] == "$return_value":
		return base, 3, nil
	}
	return "", 0, &brokenError{fmt.Sprintf("the step %s exports no %s here", s.id, path[2])}
}

func name(s string) string {
	for i, c := range s {
		if c != '_' && c != '$' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return "[" + formula.Quote(s) + "]"
		}
	}
	return "." + s
}

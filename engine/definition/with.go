package definition

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zflow/actions"
	"zflow/engine/expr"
)

// with reads a step's input and checks it against the action's schema.
func (b *builder) with(step *node, a *actions.Action) *expr.Template {
	n := step.get("with")
	if n == nil {
		n = &node{kind: object, line: step.line, column: step.column}
	}
	if n.kind != object {
		b.p.fail(n, b.p.emptyHint(n, "write its fields, one a line"), "with is an object, this is %s", n.what())
		return nil
	}
	if a == nil {
		return b.template(b.p.value(n), inWith)
	}
	v := value{b.p.fit(n, a.Spec.Input, "with"), n}
	return b.template(v, inWith, expr.URLFields(urlFields(a.Spec.Input)...))
}

func urlFields(s actions.Schema) []string {
	var out []string
	for name, f := range s.Fields {
		if f.Format == "url" {
			out = append(out, name)
		}
	}
	return out
}

// fit returns a node as JSON of a schema's type, and reports where it does not
// fit. What is an expression is not known before it runs.
func (p *parser) fit(n *node, s actions.Schema, what string) any {
	if isExpression(n) || s.Type == "" {
		return p.json(n)
	}
	switch {
	case n.isNull():
		p.fail(n, p.emptyHint(n, "leave it out if there is none"), "%s is empty", what)
		return nil
	case s.Type == "object" && n.kind == object:
		return p.fitObject(n, s, what)
	case s.Type == "array" && n.kind == list:
		return p.fitList(n, s, what)
	case s.Type == "string" && n.kind == scalar:
		return p.fitText(n, s, what)
	case (s.Type == "integer" || s.Type == "number") && n.kind == scalar && n.tag != "!!bool":
		return p.fitNumber(n, s, what)
	case s.Type == "boolean" && n.kind == scalar && n.tag == "!!bool":
		return p.scalar(n)
	}
	p.fail(n, typeHint(n, s.Type), "%s is %s, this is %s", what, typeName(s.Type), n.what())
	return nil
}

func typeName(t string) string {
	switch t {
	case "object":
		return "an object"
	case "array":
		return "a list"
	case "string":
		return "a text"
	case "integer":
		return "a whole number"
	case "boolean":
		return "true or false"
	}
	return "a " + t
}

func typeHint(n *node, want string) string {
	switch {
	case n.kind == object && len(n.fields) == 1 && strings.HasPrefix(n.fields[0].key.value, "{"),
		n.kind == object && strings.Contains(firstKey(n), "{"):
		return `put quotes around "${{ … }}"`
	case want == "boolean" && n.kind == scalar && slices.Contains([]string{"yes", "on"}, strings.ToLower(n.value)):
		return "write true"
	case want == "boolean" && n.kind == scalar && slices.Contains([]string{"no", "off"}, strings.ToLower(n.value)):
		return "write false"
	case want == "array":
		return "begin each element with a -, or write [a, b]"
	}
	return ""
}

func firstKey(n *node) string {
	if len(n.fields) == 0 {
		return ""
	}
	return n.fields[0].key.value
}

func (p *parser) fitObject(n *node, s actions.Schema, what string) any {
	out := make(map[string]any, len(n.fields))
	for _, f := range n.fields {
		name := f.key.value
		field, ok := s.Fields[name]
		if !ok && !s.Open && len(s.Fields) > 0 {
			p.fail(f.key, suggestion(name, slices.Sorted(maps.Keys(s.Fields))), "%s has no field %s", what, name)
			continue
		}
		if !ok && !s.Open && what == "with" {
			p.fail(f.key, "", "the action takes no input")
			continue
		}
		out[name] = p.fit(f.value, field, name)
	}
	for _, name := range s.Required {
		if n.get(name) == nil {
			p.fail(n, "", "%s needs the field %s", what, name)
		}
	}
	return out
}

func (p *parser) fitList(n *node, s actions.Schema, what string) any {
	out := make([]any, len(n.items))
	item := actions.Schema{}
	if s.Items != nil {
		item = *s.Items
	}
	for i, c := range n.items {
		out[i] = p.fit(c, item, "an element of "+what)
	}
	p.size(n, s, what, float64(len(out)), "elements")
	return out
}

// fitText takes a scalar as it is written, so that 0123 stays 0123.
func (p *parser) fitText(n *node, s actions.Schema, what string) any {
	if expr.Contains(n.value) {
		return n.value
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, n.value) {
		hint := suggestion(n.value, s.Enum)
		if hint == "" {
			hint = "one of " + strings.Join(s.Enum, ", ")
		}
		p.fail(n, hint, "%s cannot be %q", what, n.value)
	}
	p.size(n, s, what, float64(utf8.RuneCountInString(n.value)), "characters")
	switch s.Format {
	case "date-time":
		if _, err := time.Parse(time.RFC3339, n.value); err != nil {
			if _, err = time.Parse("2006-01-02T15:04:05", n.value); err != nil {
				p.fail(n, "such as 2026-03-02T10:00:00Z", "%s is no time: %q", what, n.value)
			}
		}
	case "duration":
		p.duration(n, what, false)
	case "url":
		if !strings.HasPrefix(n.value, "https://") && !strings.HasPrefix(n.value, "http://") {
			p.fail(n, "begin it with https://", "%s is no URL: %q", what, n.value)
		}
	}
	return n.value
}

func (p *parser) fitNumber(n *node, s actions.Schema, what string) any {
	if n.tag != "!!int" && (n.tag != "!!float" || s.Type == "integer") {
		hint := ""
		if _, err := strconv.ParseFloat(n.value, 64); err == nil && n.isText() {
			hint = "leave out the quotes"
		} else if expr.Contains(n.value) {
			hint = "the ${{ }} must be all of it to be a number"
		}
		p.fail(n, hint, "%s is %s, this is %s", what, typeName(s.Type), n.what())
		return nil
	}
	v := p.numeral(n)
	if f, ok := float(v); ok {
		p.size(n, s, what, f, "")
	}
	return v
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (p *parser) size(n *node, s actions.Schema, what string, is float64, unit string) {
	if unit != "" {
		unit = " " + unit
	}
	switch {
	case s.Min != nil && is < *s.Min:
		p.fail(n, "", "%s has at least %s%s", what, plainNumber(*s.Min), unit)
	case s.Max != nil && is > *s.Max:
		p.fail(n, "", "%s has at most %s%s", what, plainNumber(*s.Max), unit)
	}
}

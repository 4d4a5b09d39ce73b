package form

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"zflow/actions"
	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// Fit returns a node as JSON of a schema's type, and reports where it does not
// fit. What is an expression is not known before it runs.
func (r *Reader) Fit(n *document.Node, s actions.Schema, what string) any {
	if IsExpression(n) || s.Type == "" {
		return r.JSON(n)
	}
	switch {
	case n.IsNull():
		r.Fail(n, r.EmptyHint(n, "leave it out if there is none"), "%s is empty", what)
		return nil
	case s.Type == "object" && n.Kind == document.Object:
		return r.fitObject(n, s, what)
	case s.Type == "array" && n.Kind == document.List:
		return r.fitList(n, s, what)
	case s.Type == "string" && n.Kind == document.Scalar:
		return r.fitText(n, s, what)
	case (s.Type == "integer" || s.Type == "number") && n.Kind == document.Scalar && n.Tag != "!!bool":
		return r.fitNumber(n, s, what)
	case s.Type == "boolean" && n.Kind == document.Scalar && n.Tag == "!!bool":
		return r.scalar(n)
	}
	r.Fail(n, TypeHint(n, s.Type), "%s is %s, this is %s", what, typeName(s.Type), n.What())
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

// TypeHint is what to write where a value is of another type than the one that is wanted.
func TypeHint(n *document.Node, want string) string {
	switch {
	case n.Kind == document.Object && len(n.Fields) == 1 && strings.HasPrefix(n.Fields[0].Key.Value, "{"),
		n.Kind == document.Object && strings.Contains(firstKey(n), "{"):
		return `put quotes around "${{ … }}"`
	case want == "boolean" && n.Kind == document.Scalar && slices.Contains([]string{"yes", "on"}, strings.ToLower(n.Value)):
		return "write true"
	case want == "boolean" && n.Kind == document.Scalar && slices.Contains([]string{"no", "off"}, strings.ToLower(n.Value)):
		return "write false"
	case want == "array":
		return "begin each element with a -, or write [a, b]"
	}
	return ""
}

func firstKey(n *document.Node) string {
	if len(n.Fields) == 0 {
		return ""
	}
	return n.Fields[0].Key.Value
}

func (r *Reader) fitObject(n *document.Node, s actions.Schema, what string) any {
	out := make(map[string]any, len(n.Fields))
	for _, f := range n.Fields {
		name := f.Key.Value
		field, ok := s.Fields[name]
		if !ok && !s.Open && len(s.Fields) > 0 {
			r.Fail(f.Key, Suggestion(name, slices.Sorted(maps.Keys(s.Fields))), "%s has no field %s", what, name)
			continue
		}
		if !ok && !s.Open && what == "with" {
			r.Fail(f.Key, "", "the action takes no input")
			continue
		}
		out[name] = r.Fit(f.Value, field, name)
	}
	for _, name := range s.Required {
		if n.Get(name) == nil {
			r.Fail(n, "", "%s needs the field %s", what, name)
		}
	}
	return out
}

func (r *Reader) fitList(n *document.Node, s actions.Schema, what string) any {
	out := make([]any, len(n.Items))
	item := actions.Schema{}
	if s.Items != nil {
		item = *s.Items
	}
	for i, c := range n.Items {
		out[i] = r.Fit(c, item, "an element of "+what)
	}
	r.size(n, s, what, float64(len(out)), "elements")
	return out
}

// fitText takes a scalar as it is written, so that 0123 stays 0123.
func (r *Reader) fitText(n *document.Node, s actions.Schema, what string) any {
	if expr.Contains(n.Value) {
		return n.Value
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, n.Value) {
		hint := Suggestion(n.Value, s.Enum)
		if hint == "" {
			hint = "one of " + strings.Join(s.Enum, ", ")
		}
		r.Fail(n, hint, "%s cannot be %q", what, n.Value)
	}
	r.size(n, s, what, float64(utf8.RuneCountInString(n.Value)), "characters")
	switch s.Format {
	case "date-time":
		if _, err := time.Parse(time.RFC3339, n.Value); err != nil {
			if _, err = time.Parse("2006-01-02T15:04:05", n.Value); err != nil {
				r.Fail(n, "such as 2026-03-02T10:00:00Z", "%s is no time: %q", what, n.Value)
			}
		}
	case "duration":
		r.Duration(n, what, false)
	case "url":
		if !strings.HasPrefix(n.Value, "https://") && !strings.HasPrefix(n.Value, "http://") {
			r.Fail(n, "begin it with https://", "%s is no URL: %q", what, n.Value)
		}
	}
	return n.Value
}

func (r *Reader) fitNumber(n *document.Node, s actions.Schema, what string) any {
	if n.Tag != "!!int" && (n.Tag != "!!float" || s.Type == "integer") {
		hint := ""
		if _, err := strconv.ParseFloat(n.Value, 64); err == nil && n.IsText() {
			hint = "leave out the quotes"
		} else if expr.Contains(n.Value) {
			hint = "the ${{ }} must be all of it to be a number"
		}
		r.Fail(n, hint, "%s is %s, this is %s", what, typeName(s.Type), n.What())
		return nil
	}
	v := r.numeral(n)
	if f, ok := float(v); ok {
		r.size(n, s, what, f, "")
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

func (r *Reader) size(n *document.Node, s actions.Schema, what string, is float64, unit string) {
	if unit != "" {
		unit = " " + unit
	}
	switch {
	case s.Min != nil && is < *s.Min:
		r.Fail(n, "", "%s has at least %s%s", what, plainNumber(*s.Min), unit)
	case s.Max != nil && is > *s.Max:
		r.Fail(n, "", "%s has at most %s%s", what, plainNumber(*s.Max), unit)
	}
}

package testfile

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// value reads a node as JSON.
func (r *reader) value(n *node) any {
	switch n.Kind {
	case document.List:
		out := make([]any, len(n.Items))
		for i, c := range n.Items {
			out[i] = r.value(c)
		}
		return out
	case document.Object:
		out := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			out[f.Key.Value] = r.value(f.Value)
		}
		return out
	}
	switch n.Tag {
	case "!!null":
		if n.Value == "" {
			r.Fail(n, r.EmptyHint(n, `write null, or "" for an empty text`), "the value is empty")
		}
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		return r.number(n)
	}
	return n.Value
}

// exact is how a number is written that nobody can have meant as text.
var exact = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

func (r *reader) number(n *node) any {
	if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil && exact.MatchString(n.Value) {
		return i
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || !exact.MatchString(n.Value) || math.Abs(f) >= 1<<53 {
		r.Fail(n, `put quotes around it if text is meant: "`+n.Value+`"`, "YAML takes %s for a number and would change it", n.Value)
	}
	return f
}

func (r *reader) json(n *node) json.RawMessage {
	if n == nil {
		return nil
	}
	raw, err := expr.EncodeJSON(r.value(n))
	if err != nil {
		r.Fail(n, "", "the value is no JSON: %v", err)
	}
	return raw
}

// whole reads a whole number from 0 on.
func (r *reader) whole(n *node, what string) int {
	i, err := strconv.Atoi(n.Value)
	if n.Kind != document.Scalar || err != nil || i < 0 {
		r.Fail(n, "", "%s is a whole number", what)
	}
	return i
}

package form

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// JSON returns a node as it is, where nothing is known of its type; numbers that would
// change are refused.
func (r *Reader) JSON(n *document.Node) any {
	switch n.Kind {
	case document.List:
		out := make([]any, len(n.Items))
		for i, c := range n.Items {
			out[i] = r.JSON(c)
		}
		return out
	case document.Object:
		out := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			r.keyTrap(f.Key)
			out[f.Key.Value] = r.JSON(f.Value)
		}
		return out
	}
	return r.scalar(n)
}

// keyTrap refuses a key that YAML has cut out of an unquoted ${{ }}.
func (r *Reader) keyTrap(n *document.Node) {
	if strings.HasPrefix(n.Value, "{") {
		r.Fail(n, `inside { } and [ ] put quotes around "${{ … }}"`, "a key cannot begin with {")
	}
}

func (r *Reader) scalar(n *document.Node) any {
	switch n.Tag {
	case "!!null":
		if n.Value == "" {
			r.Fail(n, r.EmptyHint(n, `write null, or "" for an empty text`), "the value is empty")
		}
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		return r.numeral(n)
	}
	return n.Value
}

// exact is how a number is written that nobody can have meant as text.
var exact = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.([0-9]*[1-9]|0))?$`)

// numeral returns a number; one that would not come out as it is written is
// refused, since it may be a telephone number, a version, an id.
func (r *Reader) numeral(n *document.Node) any {
	hint := `put quotes around it if text is meant: "` + n.Value + `"`
	if !exact.MatchString(n.Value) {
		r.Fail(n, hint, "YAML takes %s for a number and would change it", n.Value)
		return n.Value
	}
	if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || strings.IndexByte(n.Value, '.') < 0 || math.Abs(f) >= 1<<53 {
		r.Fail(n, hint, "%s has too many digits for a number", n.Value)
		return n.Value
	}
	return f
}

// IsExpression tells whether all of a text is one expression, whose type is
// not known.
func IsExpression(n *document.Node) bool {
	if n.Kind != document.Scalar {
		return false
	}
	_, whole := expr.Whole(n.Value)
	return whole
}

package definition

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// value is a JSON value and the node that it comes from.
type value struct {
	json any
	node *node
}

// value returns a node as JSON where nothing is known about its type.
func (p *parser) value(n *node) value { return value{p.json(n), n} }

func (p *parser) json(n *node) any {
	switch n.Kind {
	case document.List:
		out := make([]any, len(n.Items))
		for i, c := range n.Items {
			out[i] = p.json(c)
		}
		return out
	case document.Object:
		out := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			p.keyTrap(f.Key)
			out[f.Key.Value] = p.json(f.Value)
		}
		return out
	}
	return p.scalar(n)
}

// keyTrap refuses a key that YAML has cut out of an unquoted ${{ }}.
func (p *parser) keyTrap(n *node) {
	if strings.HasPrefix(n.Value, "{") {
		p.Fail(n, `inside { } and [ ] put quotes around "${{ … }}"`, "a key cannot begin with {")
	}
}

func (p *parser) scalar(n *node) any {
	switch n.Tag {
	case "!!null":
		if n.Value == "" {
			p.Fail(n, p.EmptyHint(n, `write null, or "" for an empty text`), "the value is empty")
		}
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		return p.numeral(n)
	}
	return n.Value
}

// exact is how a number is written that nobody can have meant as text.
var exact = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.([0-9]*[1-9]|0))?$`)

// numeral returns a number; one that would not come out as it is written is
// refused, since it may be a telephone number, a version, an id.
func (p *parser) numeral(n *node) any {
	hint := `put quotes around it if text is meant: "` + n.Value + `"`
	if !exact.MatchString(n.Value) {
		p.Fail(n, hint, "YAML takes %s for a number and would change it", n.Value)
		return n.Value
	}
	if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || strings.IndexByte(n.Value, '.') < 0 || math.Abs(f) >= 1<<53 {
		p.Fail(n, hint, "%s has too many digits for a number", n.Value)
		return n.Value
	}
	return f
}

// isExpression tells whether all of a text is one expression, whose type is
// not known.
func isExpression(n *node) bool {
	if n.Kind != document.Scalar {
		return false
	}
	_, whole := expr.Whole(n.Value)
	return whole
}

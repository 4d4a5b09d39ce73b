package definition

import (
	"math"
	"regexp"
	"strconv"
	"strings"

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
	switch n.kind {
	case list:
		out := make([]any, len(n.items))
		for i, c := range n.items {
			out[i] = p.json(c)
		}
		return out
	case object:
		out := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			p.keyTrap(f.key)
			out[f.key.value] = p.json(f.value)
		}
		return out
	}
	return p.scalar(n)
}

// keyTrap refuses a key that YAML has cut out of an unquoted ${{ }}.
func (p *parser) keyTrap(n *node) {
	if strings.HasPrefix(n.value, "{") {
		p.fail(n, `inside { } and [ ] put quotes around "${{ … }}"`, "a key cannot begin with {")
	}
}

func (p *parser) scalar(n *node) any {
	switch n.tag {
	case "!!null":
		if n.value == "" {
			p.fail(n, p.emptyHint(n, `write null, or "" for an empty text`), "the value is empty")
		}
		return nil
	case "!!bool":
		return strings.EqualFold(n.value, "true")
	case "!!int", "!!float":
		return p.numeral(n)
	}
	return n.value
}

// exact is how a number is written that nobody can have meant as text.
var exact = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.([0-9]*[1-9]|0))?$`)

// numeral returns a number; one that would not come out as it is written is
// refused, since it may be a telephone number, a version, an id.
func (p *parser) numeral(n *node) any {
	hint := `put quotes around it if text is meant: "` + n.value + `"`
	if !exact.MatchString(n.value) {
		p.fail(n, hint, "YAML takes %s for a number and would change it", n.value)
		return n.value
	}
	if i, err := strconv.ParseInt(n.value, 10, 64); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(n.value, 64)
	if err != nil || strings.IndexByte(n.value, '.') < 0 || math.Abs(f) >= 1<<53 {
		p.fail(n, hint, "%s has too many digits for a number", n.value)
		return n.value
	}
	return f
}

// isExpression tells whether all of a text is one expression, whose type is
// not known.
func isExpression(n *node) bool {
	if n.kind != scalar {
		return false
	}
	_, whole := expr.Whole(n.value)
	return whole
}

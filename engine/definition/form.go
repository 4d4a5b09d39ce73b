package definition

import (
	"slices"
	"strconv"
	"strings"

	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// oneOf returns a text that is one of a few, or "" after a report.
func (p *parser) oneOf(n *node, what string, among []string) string {
	s := p.text(n, what)
	if s == "" || slices.Contains(among, s) {
		return s
	}
	p.Fail(n, suggestion(s, among), "%s cannot be %s", what, s)
	return ""
}

// flag returns true or false; what is not there is otherwise.
func (p *parser) flag(n *node, what string, otherwise bool) bool {
	switch {
	case n == nil:
		return otherwise
	case n.Kind != document.Scalar || n.Tag != "!!bool":
		p.Fail(n, p.EmptyHint(n, typeHint(n, "boolean")), "%s is true or false, this is %s", what, n.What())
		return otherwise
	}
	return strings.EqualFold(n.Value, "true")
}

// count returns a whole number from 1.
func (p *parser) count(n *node, what string, most int) int {
	return int(p.number(n, what, true, 1, float64(most)))
}

func (p *parser) number(n *node, what string, whole bool, least, most float64) float64 {
	f, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case n.Kind != document.Scalar || err != nil || n.Tag != "!!int" && (whole || n.Tag != "!!float"):
		hint := ""
		if n.IsText() && err == nil {
			hint = "leave out the quotes"
		}
		kind := "a number"
		if whole {
			kind = "a whole number"
		}
		p.Fail(n, hint, "%s is %s, this is %s", what, kind, n.What())
	case !(f >= least && f <= most):
		p.Fail(n, "", "%s is from %s to %s", what, plainNumber(least), plainNumber(most))
	}
	return f
}

func plainNumber(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', -1, 64), ".0")
}

// textTemplate compiles a text, taken as it is written; nil if it is not there.
func (b *builder) textTemplate(n *node, what string, at place) *expr.Template {
	s := b.p.text(n, what)
	if s == "" {
		return nil
	}
	return b.template(value{s, n}, at)
}

// anyTemplate compiles any value; nil if it is not there.
func (b *builder) anyTemplate(n *node, at place) *expr.Template {
	if n == nil {
		return nil
	}
	return b.template(b.p.value(n), at)
}

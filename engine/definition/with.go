package definition

import (
	"zflow/actions"
	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// with reads a step's input and checks it against the action's schema.
func (b *builder) with(step *node, a *actions.Action, at place) *expr.Template {
	n := step.Get("with")
	if n == nil {
		n = &node{Kind: document.Object, Line: step.Line, Column: step.Column}
	}
	if n.Kind != document.Object {
		b.p.Fail(n, b.p.EmptyHint(n, "write its fields, one a line"), "with is an object, this is %s", n.What())
		return nil
	}
	if a == nil {
		return b.template(b.p.value(n), at)
	}
	v := value{b.p.Fit(n, a.Spec.Input, "with"), n}
	return b.template(v, at, expr.URLFields(urlFields(a.Spec.Input)...))
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

// value is a JSON value and the node that it comes from.
type value struct {
	json any
	node *node
}

// value returns a node as JSON where nothing is known about its type.
func (p *parser) value(n *node) value { return value{p.JSON(n), n} }

// textTemplate compiles a text, taken as it is written; nil if it is not there.
func (b *builder) textTemplate(n *node, what string, at place) *expr.Template {
	s := b.p.Text(n, what)
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

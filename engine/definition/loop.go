package definition

import (
	"slices"

	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/expr"
)

// looped compiles a step with for_each. Its if and its list come before the loop
// and do not see the element; all the rest does.
func (b *builder) looped(s *engine.Step, n *node, kind string) result {
	l := &engine.Loop{As: b.element(n.Get("as")), AtOnce: 1}
	if v := n.Get("at_once"); v != nil {
		l.AtOnce = b.p.Count(v, "at_once", maxAtOnce)
		if l.AtOnce > 1 && n.Get("until") != nil {
			b.p.Fail(n.KeyOf("at_once"), "leave out one of them", "a loop with until goes one iteration at a time")
		}
	}
	b.as = l.As
	b.fresh()
	s.If = b.condition(n.Get("if"), inLoop)
	var item expr.Type
	l.Over, item = b.over(n.Get("for_each"))
	s.Loop = l
	b.loops = append(b.loops, loop{l.As, item})
	b.fresh()
	r := b.body(s, n, kind)
	b.loops = b.loops[:len(b.loops)-1]
	b.fresh()
	return result{output: expr.List(r.output)}
}

// over compiles the list of a loop, and returns what is known of its elements.
func (b *builder) over(n *node) (*expr.Template, expr.Type) {
	switch {
	case n.Kind == document.List || form.IsExpression(n):
		t := b.anyTemplate(n, inLoop)
		return t, typeOfTemplate(t).Element()
	case n.Kind == document.Object:
		b.p.Fail(n, "use keys(), values() or toPairs() of it", "for_each goes over a list, this is an object")
	case n.IsText() && !expr.Contains(n.Value):
		b.p.Fail(n, "write ${{ "+n.Value+" }} if it is an expression", "for_each goes over a list, this is text")
	default:
		b.p.Fail(n, b.p.EmptyHint(n, ""), "for_each goes over a list, this is %s", n.What())
	}
	return nil, expr.Type{}
}

// roots are the names that an expression has already.
var roots = []string{
	"event", "trigger", "steps", "step", "vars", "secrets", "run", "index", "arrived", "failure", "error", "null",
}

// element returns the name of a loop's element.
func (b *builder) element(n *node) string {
	if n == nil {
		return "item"
	}
	s := b.p.Text(n, "as")
	taken := slices.ContainsFunc(b.loops, func(l loop) bool { return l.as == s && s != "item" })
	switch {
	case s == "":
		return "item"
	case !validID.MatchString(s):
		b.p.Fail(n, "a-z, 0-9 and _, beginning with a letter", "%q is no name for an element", s)
		return "item"
	case slices.Contains(roots, s) || slices.Contains(expr.Functions(), s) || isWord(s):
		b.p.Fail(n, "take another name", "as cannot be %s, which means something else in an expression", s)
	case taken:
		b.p.Fail(n, "take another name", "the element of a loop around this one is called %s already", s)
	}
	return s
}

// isWord tells whether a name is a word of the expression language.
func isWord(s string) bool {
	_, err := expr.Compile(s, expr.NewScope(map[string]expr.Type{s: {}}, nil, nil))
	return err != nil
}

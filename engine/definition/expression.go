package definition

import (
	"errors"
	"strings"

	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// condition compiles a bare expression; nil, after a report, if it has errors.
func (b *builder) condition(n *node, at place) *expr.Program {
	if n == nil {
		return nil
	}
	p := b.p
	if n.Kind == document.Scalar && n.Tag == "!!bool" {
		n.Tag = "!!str" // true and false are expressions
	}
	if !n.IsText() {
		p.Fail(n, p.EmptyHint(n, "put quotes around the expression"), "a condition is an expression in text, this is %s", n.What())
		return nil
	}
	src := bare(n.Value)
	if src == n.Value && expr.Contains(src) {
		p.Fail(n, "leave out ${{ and }}: a condition is an expression as a whole", "a condition cannot have text around ${{ }}")
		return nil
	}
	program, err := expr.CompileCondition(src, b.scopeAt(at))
	offset := strings.Index(n.Value, src)
	if e := (*expr.Error)(nil); errors.As(err, &e) {
		p.FailInText(n, placed(n, offset, e), e.Syntax)
		return nil
	}
	for _, w := range program.Warnings() {
		p.WarnInText(n, placed(n, offset, w))
	}
	if p.Comment(n) != "" {
		p.Warn(n, "put quotes around the condition if the # belongs to it", "what follows the # is a comment, not part of the condition")
	}
	return program
}

// placed returns what is wrong with an expression that begins at this byte of
// the node's text, with its place in that text.
func placed(n *node, offset int, e *expr.Error) Problem {
	before := n.Value[:max(offset, 0)]
	in := problemOf(e)
	if in.Line <= 1 {
		in.Column += len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	}
	in.Line += strings.Count(before, "\n")
	return in
}

func problemOf(e *expr.Error) Problem {
	return Problem{Line: e.Line, Column: e.Column, Message: e.Message, Hint: e.Hint}
}

// typeOfTemplate is what is known of its value; of none, nothing.
func typeOfTemplate(t *expr.Template) expr.Type {
	if t == nil {
		return expr.Type{}
	}
	return t.Type()
}

// template compiles a tree of values; nil, after a report, if it has errors.
// at gives the node of each text by its path.
func (b *builder) template(v value, at place, options ...expr.TemplateOption) *expr.Template {
	t, err := expr.ParseTemplate(v.json, b.scopeAt(at), options...)
	if err == nil {
		for _, w := range t.Warnings() {
			b.p.WarnInText(v.node.Find(w.Path), problemOf(w))
		}
		return t
	}
	var errs expr.Errors
	if !errors.As(err, &errs) {
		b.p.Fail(v.node, "", "%v", err)
		return nil
	}
	for _, e := range errs {
		b.p.FailInText(v.node.Find(e.Path), problemOf(e), e.Syntax)
	}
	return nil
}

// bare returns a condition without the ${{ }} that may stand around it.
func bare(s string) string {
	if src, ok := expr.Whole(strings.TrimSpace(s)); ok {
		return src
	}
	return s
}

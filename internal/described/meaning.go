package described

import (
	"errors"
	"strings"

	"zflow/actions"
	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

var refused = map[string]string{
	"secrets": "a description has no secrets: they are given by the step", "event": "a description does not see the event", "steps": "a description does not see the workflow's steps",
	"vars": "a description does not see the workflow's vars", "run": "a description does not see the run",
}

func scope(roots map[string]expr.Type) *expr.Scope { return expr.NewScope(roots, refused, nil) }

// condition compiles a bare expression.
func (r *reader) condition(n *node, roots map[string]expr.Type) *expr.Program {
	if n == nil {
		return nil
	}
	if !n.IsText() {
		r.Fail(n, "put quotes around it", "a condition is an expression in text, this is %s", n.What())
		return nil
	}
	src := n.Value
	if inner, ok := expr.Whole(src); ok {
		src = inner
	}
	p, err := expr.CompileCondition(src, scope(roots))
	var e *expr.Error
	if errors.As(err, &e) {
		r.FailInText(n, problem(e), e.Syntax)
		return nil
	}
	return p
}

func problem(e *expr.Error) document.Problem {
	return document.Problem{Line: e.Line, Column: e.Column, Message: e.Message, Hint: e.Hint}
}

// template compiles a tree.
func (r *reader) template(n *node, tree any, roots map[string]expr.Type, options ...expr.TemplateOption) *expr.Template {
	t, err := expr.ParseTemplate(tree, scope(roots), options...)
	var all expr.Errors
	switch {
	case errors.As(err, &all):
		for _, e := range all {
			r.FailInText(n.Find(e.Path), problem(e), e.Syntax)
		}
	case err != nil:
		r.Fail(n, "", "%v", err)
	}
	return t
}

// meanings reads what makes an answer a success or an error.
func (r *reader) meanings(root *node) {
	roots := r.here()
	delete(roots, "token")
	roots["answer"], roots["call"] = expr.Type{}, expr.Scalar(expr.Text)
	r.d.success = r.condition(root.Get("success"), roots)
	n := root.Get("errors")
	if n == nil {
		return
	}
	if n.Kind != document.List {
		r.Fail(n, "write - { if: …, class: … }", "errors is a list, this is %s", n.What())
		return
	}
	for _, item := range n.Items {
		if !r.Fields(item, "an error", ruleKeys) {
			continue
		}
		one := &rule{when: r.condition(item.Get("if"), roots)}
		one.class = actions.Class(r.OneOf(item.Get("class"), "class", []string{"final", "retryable", "unknown"}))
		for name, t := range map[string]**expr.Template{"message": &one.message, "code": &one.code, "retry_after": &one.retryAfter, "retry_at": &one.retryAt} {
			if at := item.Get(name); at != nil {
				*t = r.template(at, r.JSON(at), roots)
			}
		}
		r.d.rules = append(r.d.rules, one)
	}
}

// outputs reads what a step gets.
func (r *reader) outputs(n *node) {
	s := &r.d.spec.Output
	*s = actions.Schema{Type: "object", Fields: map[string]actions.Schema{}}
	if n == nil {
		return
	}
	if n.Kind != document.Object {
		r.Fail(n, "write name: { type: …, doc: …, value: … }", "output is an object, this is %s", n.What())
		return
	}
	roots, tree := r.here(), map[string]any{}
	delete(roots, "token")
	at := &node{Kind: document.Object, Line: n.Line, Column: n.Column}
	for _, f := range n.Fields {
		name := f.Key.Value
		field, must := r.field(f.Value, name)
		s.Fields[name] = field
		if must {
			s.Required = append(s.Required, name)
		}
		value := f.Value.Get("value")
		if value == nil {
			r.Fail(f.Value, "write value: ${{ calls.….json.… }}", "%s has no value", name)
			continue
		}
		if r.Flag(f.Value.Get("secret"), "secret", false) {
			r.d.spec.Secret = append(r.d.spec.Secret, name)
		}
		tree[name] = r.JSON(value)
		at.Fields = append(at.Fields, document.Pair{Key: f.Key, Value: value})
	}
	r.d.required = s.Required
	r.d.output = r.template(at, tree, roots)
}

// about reads what is only for people.
func (r *reader) about(root *node) {
	s := &r.d.spec
	for _, item := range itemsOf(root.Get("known")) {
		if r.Fields(item, "a known error", knownKeys) {
			s.Errors = append(s.Errors, actions.Known{If: r.Text(item.Get("if"), "if"), Doc: r.Text(item.Get("doc"), "doc"), Again: r.Flag(item.Get("again"), "again", false)})
		}
	}
	for _, item := range itemsOf(root.Get("examples")) {
		if !r.Fields(item, "an example", exampleKeys) {
			continue
		}
		with, _ := r.Fit(item.Get("with"), s.Input, "with").(map[string]any)
		s.Examples = append(s.Examples, actions.Example{Title: r.Text(item.Get("title"), "title"), Input: with})
	}
	if !strings.HasSuffix(s.Summary, ".") && s.Summary != "" {
		r.Fail(root.Get("summary"), "", "summary is a sentence: end it with a full stop")
	}
}

func itemsOf(n *node) []*node {
	if n == nil {
		return nil
	}
	return n.Items
}

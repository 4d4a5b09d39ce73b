package definition

import (
	"regexp"

	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// builder makes a workflow of a file.
type builder struct {
	p        *parser
	w        *engine.Workflow
	tree     *tree
	defaults engine.Retry
	account  string // the workflow's connection

	requested bool // it has a trigger http

	event   expr.Type
	vars    expr.Type
	arrived expr.Type            // in the if of a wait: the event; in the items of a poll: the output
	seen    map[string]expr.Type // the steps that can be named now
	here    *spot                // the step that is compiled; nil: none
	loops   []loop               // around it
	as      string               // the name of the element of a loop that is about to begin
	paths   map[string]bool
	scopes  map[place]*expr.Scope
}

var (
	validID    = regexp.MustCompile(language.IDPattern)
	validType  = regexp.MustCompile(language.TypePattern)
	validInput = regexp.MustCompile(language.InputPattern)
)

func (p *parser) workflow(root *node) *engine.Workflow {
	p.Keys(root, "a workflow", language.Workflow)
	p.Require(root, "a workflow", language.Workflow)
	b := &builder{p: p, w: &engine.Workflow{Runs: p.known.Runs}, seen: map[string]expr.Type{}, paths: map[string]bool{}}
	b.fresh()
	b.w.Name = p.Name(root.Get("name"), "a workflow")
	b.w.Description = p.Text(root.Get("description"), "description")
	b.w.Timeout = p.Duration(root.Get("timeout"), "timeout", true)
	b.account = p.connection(root.Get("connection"))
	b.variables(root.Get("vars"))
	p.describe(root.Get("actions"))
	b.triggers(root.Get("on"))
	b.w.Concurrency = b.concurrency(root.Get("concurrency"))
	b.w.Limits = p.limits(root.Get("limits"))
	tree, ok := p.survey(root)
	if b.tree = tree; !ok {
		return b.w
	}
	b.defaults = b.retry(root.Get("retry"), engine.DefaultRetry, inDefault)
	b.sections(root)
	return b.w
}

// sections compiles the steps, and what comes after them.
func (b *builder) sections(root *node) {
	for i, to := range []*[]*engine.Step{&b.w.Steps, &b.w.OnFailure, &b.w.Finally} {
		n := root.Get(sections[i])
		if n == nil {
			continue
		}
		b.fresh() // failure is known in some only
		prefix := ""
		if i > 0 {
			prefix = sections[i] + "."
		}
		var left made
		*to, left = b.list(n, sections[i], prefix)
		if i == 0 {
			added(b.seen, left.seen) // finally does not see on_failure, which seldom runs
			b.output(root.Get("output"))
		}
	}
}

// output compiles what the run returns: it sees the steps, but those of
// on_failure and finally.
func (b *builder) output(n *node) {
	if n == nil {
		return
	}
	b.here = &spot{branch: "steps", order: maxSteps}
	b.fresh()
	b.w.Output = b.template(b.p.value(n), inOutput)
	b.here = nil
}

func (b *builder) variables(n *node) {
	b.vars = expr.Object(map[string]expr.Type{}, false)
	if n == nil {
		return
	}
	if n.Kind != document.Object {
		b.p.Fail(n, "", "vars is an object, this is %s", n.What())
		return
	}
	for _, f := range n.Fields {
		b.p.static(f.Value)
	}
	v, _ := b.p.value(n).json.(map[string]any)
	b.w.Vars = v
	b.vars = expr.TypeOf(v)
}

// static reports the expressions in what must have none.
func (p *parser) static(n *node) {
	if n.Kind == document.Scalar && expr.Contains(n.Value) {
		p.Fail(n, "write the expression where it is used", "vars are fixed values, without ${{ }}")
	}
	for _, c := range n.Items {
		p.static(c)
	}
	for _, f := range n.Fields {
		p.static(f.Value)
	}
}

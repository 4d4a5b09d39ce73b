package definition

import (
	"regexp"
	"strings"
	"time"

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
	validName  = regexp.MustCompile(language.NamePattern)
	validID    = regexp.MustCompile(language.IDPattern)
	validType  = regexp.MustCompile(language.TypePattern)
	validInput = regexp.MustCompile(language.InputPattern)
)

func (p *parser) workflow(root *node) *engine.Workflow {
	p.keys(root, "a workflow", language.Workflow)
	p.require(root, "a workflow", language.Workflow)
	b := &builder{p: p, w: &engine.Workflow{Runs: p.known.Runs}, seen: map[string]expr.Type{}, paths: map[string]bool{}}
	b.fresh()
	b.w.Name = p.name(root.Get("name"), "a workflow")
	b.w.Description = p.text(root.Get("description"), "description")
	b.w.Timeout = p.duration(root.Get("timeout"), "timeout", true)
	b.account = p.connection(root.Get("connection"))
	b.variables(root.Get("vars"))
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

func (p *parser) name(n *node, what string) string {
	if n == nil {
		return ""
	}
	s := p.text(n, "name")
	if s != "" && !validName.MatchString(s) {
		p.Fail(n, "up to 64 of a-z, 0-9 and -", "%q is no name for %s", s, what)
	}
	return s
}

// text returns a scalar as it is written, whatever YAML takes it for.
func (p *parser) text(n *node, what string) string {
	switch {
	case n == nil:
		return ""
	case n.Kind != document.Scalar:
		p.Fail(n, "", "%s is a text, this is %s", what, n.What())
		return ""
	case n.IsNull() || n.Value == "":
		p.Fail(n, p.EmptyHint(n, ""), "%s is empty", what)
		return ""
	}
	return n.Value
}

// duration returns a duration; it must be more than 0 if positive is set.
func (p *parser) duration(n *node, what string, positive bool) time.Duration {
	s := p.text(n, what)
	if s == "" {
		return 0
	}
	d, err := expr.ParseDuration(s)
	switch {
	case expr.Contains(s):
		p.Fail(n, "write it as 30s, 5m, 2h or 1d", "%s cannot be an expression", what)
	case err != nil:
		p.Fail(n, durationHint(s), "%s is no duration: %q", what, s)
	case d < 0:
		p.Fail(n, "", "%s cannot be negative", what)
	case d == 0 && positive:
		p.Fail(n, "leave it out if there is none", "%s cannot be 0", what)
	}
	return d
}

func durationHint(s string) string {
	if strings.Trim(s, "0123456789.") == "" {
		return "it needs a unit: " + s + "s, " + s + "m, " + s + "h or " + s + "d"
	}
	return "write a number and a unit, such as 30s, 5m, 2h, 1d or 1w"
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

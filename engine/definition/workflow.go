package definition

import (
	"regexp"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
)

// builder makes a workflow of a file.
type builder struct {
	p      *parser
	w      *engine.Workflow
	vars   expr.Type
	done   map[string]expr.Type // the steps before the present one
	later  []string             // the ids of the others
	scopes map[place]*expr.Scope
}

const (
	namePattern     = `^[a-z0-9-]{1,64}$`
	idPattern       = `^[a-z][a-z0-9_]*$`
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+$|^0$`
	typePattern     = `^([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*))*$`
)

var (
	validName = regexp.MustCompile(namePattern)
	validID   = regexp.MustCompile(idPattern)
	validType = regexp.MustCompile(typePattern)
)

func (p *parser) workflow(root *node) *engine.Workflow {
	p.keys(root, "a workflow", workflowKeys)
	p.require(root, "a workflow", workflowKeys)
	b := &builder{p: p, w: &engine.Workflow{}, scopes: map[place]*expr.Scope{}}
	b.w.Name = p.name(root.get("name"))
	b.w.Description = p.text(root.get("description"), "description")
	b.w.Timeout = p.duration(root.get("timeout"), "timeout", true)
	b.variables(root.get("vars"))
	b.triggers(root.get("on"))
	defaults := b.retry(root.get("retry"), engine.DefaultRetry, inDefault)
	b.steps(root.get("steps"), defaults)
	if out := root.get("output"); out != nil {
		b.fresh()
		b.w.Output = b.template(p.value(out), inOutput)
	}
	return b.w
}

// fresh forgets the scopes, because other steps are done now.
func (b *builder) fresh() { b.scopes = map[place]*expr.Scope{} }

func (p *parser) name(n *node) string {
	if n == nil {
		return ""
	}
	s := p.text(n, "name")
	if s != "" && !validName.MatchString(s) {
		p.fail(n, "up to 64 of a-z, 0-9 and -", "%q is no name for a workflow", s)
	}
	return s
}

// text returns a scalar as it is written, whatever YAML takes it for.
func (p *parser) text(n *node, what string) string {
	switch {
	case n == nil:
		return ""
	case n.kind != scalar:
		p.fail(n, "", "%s is a text, this is %s", what, n.what())
		return ""
	case n.isNull() || n.value == "":
		p.fail(n, p.emptyHint(n, ""), "%s is empty", what)
		return ""
	}
	return n.value
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
		p.fail(n, "write it as 30s, 5m, 2h or 1d", "%s cannot be an expression", what)
	case err != nil:
		p.fail(n, durationHint(s), "%s is no duration: %q", what, s)
	case d < 0:
		p.fail(n, "", "%s cannot be negative", what)
	case d == 0 && positive:
		p.fail(n, "leave it out if there is none", "%s cannot be 0", what)
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
	if n.kind != object {
		b.p.fail(n, "", "vars is an object, this is %s", n.what())
		return
	}
	for _, f := range n.fields {
		b.p.static(f.value)
	}
	v, _ := b.p.value(n).json.(map[string]any)
	b.w.Vars = v
	b.vars = typeOfValue(v)
}

// static reports the expressions in what must have none.
func (p *parser) static(n *node) {
	if n.kind == scalar && expr.Contains(n.value) {
		p.fail(n, "write the expression where it is used", "vars are fixed values, without ${{ }}")
	}
	for _, c := range n.items {
		p.static(c)
	}
	for _, f := range n.fields {
		p.static(f.value)
	}
}

func (b *builder) triggers(n *node) {
	switch {
	case n == nil:
	case n.kind == list && len(n.items) > 0:
		for _, t := range n.items {
			b.trigger(t)
		}
	case n.kind == object:
		b.trigger(n)
	default:
		b.p.fail(n, "write on: { zoom: meeting.ended }", "on is a trigger or a list of them, this is %s", n.what())
	}
}

func (b *builder) trigger(n *node) {
	if n.kind != object {
		b.p.fail(n, "write { zoom: meeting.ended }", "a trigger is an object, this is %s", n.what())
		return
	}
	b.p.keys(n, "a trigger", triggerKeys)
	if n.get("zoom") == nil && !hasLater(n, triggerKeys) {
		b.p.require(n, "a trigger", triggerKeys)
	}
	t := engine.Trigger{Source: "zoom", If: b.condition(n.get("if"), inTrigger)}
	if types := n.get("zoom"); types != nil {
		t.Types = b.p.eventTypes(types)
	}
	b.w.Triggers = append(b.w.Triggers, t)
}

func (p *parser) eventTypes(n *node) []string {
	items := []*node{n}
	if n.kind == list {
		items = n.items
		if len(items) == 0 {
			p.fail(n, "", "the list of event types is empty")
		}
	}
	var out []string
	for _, i := range items {
		s := p.text(i, "an event type")
		switch {
		case s == "":
		case !validType.MatchString(s):
			p.fail(i, "such as meeting.ended or recording.*", "%q is no event type", s)
		default:
			p.knownType(i, s)
			out = append(out, s)
		}
	}
	return out
}

func (p *parser) knownType(n *node, s string) {
	if p.known.EventType == nil || strings.Contains(s, "*") {
		return
	}
	known, meant := p.known.EventType(s)
	if known {
		return
	}
	hint := "it is taken as it is"
	if meant != "" {
		hint = "did you mean " + meant + "?"
	}
	p.warn(n, hint, "zflow knows no Zoom event %s", s)
}

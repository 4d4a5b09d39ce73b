package definition

import (
	"maps"
	"slices"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// uses compiles the call of an action, of a step or an undo, and returns what is
// known of its output.
func (b *builder) uses(n *node) (*engine.Uses, expr.Type) {
	p, u := b.p, &engine.Uses{}
	u.Action = p.Text(n.Get("uses"), "uses")
	if n.Get("for_each") == nil {
		u.Timeout = p.Duration(n.Get("timeout"), "timeout", true)
	}
	if slices.Contains(language.Kinds, u.Action) {
		p.Fail(n.Get("uses"), "", "%s is a step of its own: write %s: instead of uses:", u.Action, u.Action)
		return u, expr.Type{}
	}
	a := p.action(n.Get("uses"), u.Action)
	if own := b.p.own[u.Action]; own != nil {
		u.Own = own
	}
	b.connect(u, n, a)
	u.With = b.with(n, a, inWith)
	b.again(u, n, a)
	if a == nil {
		return u, expr.Type{}
	}
	return u, typeOf(a.Spec.Output)
}

// connect sets the connection of a call, by default that of the workflow.
func (b *builder) connect(u *engine.Uses, n *node, a *actions.Action) {
	u.Connection = b.p.connection(n.Get("connection"))
	if a != nil {
		b.p.suits(n.Get("connection"), u.Connection, a)
	}
	switch {
	case a != nil && a.Spec.Connects == "":
		if n.Get("connection") != nil {
			b.p.Fail(n.KeyOf("connection"), "", "%s uses no connection", u.Action)
		}
	case u.Connection == "" && (a == nil || a.Spec.Connects == "zoom"): // the workflow's is one to Zoom
		u.Connection = b.account
	}
}

// again sets what decides whether a call is made again.
func (b *builder) again(u *engine.Uses, n *node, a *actions.Action) {
	u.Retry = b.retry(n.Get("retry"), b.defaults, inRetry)
	u.OnUnknown = b.p.policy(n.Get("on_unknown"), a)
	u.Reads = func(in map[string]any) bool { return a != nil && a.Effect(in) == actions.Read }
	u.Repeatable = func(in map[string]any) bool { return a != nil && a.Effect(in) != actions.Write }
	u.Probes = a != nil && a.Probe != nil
}

// undo compiles what undoes a step.
func (b *builder) undo(n *node) *engine.Uses {
	if n == nil || !b.p.Fields(n, "undo", language.Undo) {
		return nil
	}
	u, _ := b.uses(n)
	return u
}

// own compiles a step that is a call of one of our own actions.
func (b *builder) own(name string, n *node, input value) (*engine.Uses, expr.Type) {
	var a *actions.Action
	if b.p.known.Actions != nil {
		a = b.p.known.Actions.Get(name)
	}
	u := &engine.Uses{Action: name, With: b.template(input, inInput)}
	b.again(u, n, a)
	if a == nil {
		// An event has its own key, and a request one answer.
		u.Repeatable = func(map[string]any) bool { return true }
		return u, expr.Type{}
	}
	return u, typeOf(a.Spec.Output)
}

// emit compiles the publishing of an event.
func (b *builder) emit(n *node) (*engine.Uses, expr.Type) {
	at := n.Get("emit")
	name, data := b.p.Text(at, "emit"), b.input(n)
	if name != "" && (!validType.MatchString(name) || name == "*" || containsStar(name)) {
		b.p.Fail(at, "such as order.paid", "%q is no event type", name)
	} else if name != "" {
		b.p.notZoom(at, name)
	}
	tree := &node{Kind: document.Object, Line: at.Line, Column: at.Column, Fields: []document.Pair{{Key: &node{Value: "data"}, Value: data.node}}}
	return b.own("emit", n, value{map[string]any{"type": name, "data": data.json}, tree})
}

// respond compiles the answer to a request.
func (b *builder) respond(n *node) (*engine.Uses, expr.Type) {
	at := n.Get("respond")
	if !b.p.Fields(at, "respond", language.Respond) {
		return &engine.Uses{Action: "respond"}, expr.Type{}
	}
	if status := at.Get("status"); status != nil && !form.IsExpression(status) {
		b.p.Number(status, "status", true, 100, 599)
	}
	if h := at.Get("headers"); h != nil && h.Kind != document.Object && !form.IsExpression(h) {
		b.p.Fail(h, b.p.EmptyHint(h, ""), "headers is an object, this is %s", h.What())
	}
	if b.requested && !slices.ContainsFunc(b.w.Triggers, func(t engine.Trigger) bool { return t.HTTP != nil && t.HTTP.Wait }) {
		b.p.Warn(n.KeyOf("respond"), "add respond: when_done to the trigger http", "nobody gets this answer: who calls was told at once that the request is stored")
	}
	return b.own("respond", n, b.p.value(at))
}

// input reads the with of what is no action: any object.
func (b *builder) input(step *node) value {
	n := step.Get("with")
	switch {
	case n == nil:
		return value{map[string]any{}, step}
	case n.Kind != document.Object && !form.IsExpression(n):
		b.p.Fail(n, b.p.EmptyHint(n, "write its fields, one a line"), "with is an object, this is %s", n.What())
		return value{map[string]any{}, n}
	}
	return b.p.value(n)
}

func (p *parser) action(n *node, name string) *actions.Action {
	if name == "" || p.known.Actions == nil {
		return nil
	}
	a, names := p.known.Actions.Get(name), p.known.Actions.Names()
	if own := p.own[name]; own != nil {
		return own
	}
	if a == nil {
		p.Fail(n, form.Suggestion(name, append(slices.Sorted(maps.Keys(p.own)), names...)), "there is no action %s", name)
	}
	return a
}

// describe reads the actions that the file describes.
func (p *parser) describe(n *node) {
	if n == nil || p.known.Describe == nil {
		return
	}
	if n.Kind != document.Object {
		p.Fail(n, "write the name of each before its description", "actions is an object, this is %s", n.What())
		return
	}
	p.own = map[string]*actions.Action{}
	for _, f := range n.Fields {
		a := p.known.Describe(p.File, f.Value)
		switch name := f.Key.Value; {
		case a == nil || a.Spec.Name == "":
		case a.Spec.Name != name:
			p.Fail(f.Key, "give both one name", "the description of %s is named %s", name, a.Spec.Name)
		case p.known.Actions != nil && p.known.Actions.Get(name) != nil:
			p.Fail(f.Key, "give yours another name", "zflow has an action %s itself", name)
		default:
			p.own[name] = a
		}
	}
}

func (p *parser) connection(n *node) string {
	s := p.Text(n, "connection")
	switch {
	case expr.Contains(s):
		p.Fail(n, "", "connection is a fixed name, without ${{ }}")
	case s != "" && p.known.Connection != nil:
		if _, known := p.known.Connection(s); !known {
			p.Warn(n, "make it with zflow connect before this runs", "there is no connection %s yet", s)
		}
	}
	return s
}

// kindHTTP is the kind of connections to other services than Zoom.
const kindHTTP = "http"

// suits tells whether a connection is one that an action can use. It may be made anew,
// of another kind, after the workflow was deployed: so this is none of its errors.
func (p *parser) suits(n *node, name string, a *actions.Action) {
	if n == nil || name == "" || a.Spec.Connects == "" || p.known.Connection == nil {
		return
	}
	kind, _ := p.known.Connection(name)
	switch {
	case kind == kindHTTP && a.Spec.Connects != kindHTTP:
		p.Warn(n, "name a connection to Zoom", "%s calls Zoom, and the connection %s is of kind http: the step will fail", a.Spec.Name, name)
	case kind != "" && kind != kindHTTP && a.Spec.Connects == kindHTTP:
		p.Warn(n, "name a connection of kind http, which zflow connect http makes", "%s does not call Zoom, and the connection %s is one to Zoom: the step will fail", a.Spec.Name, name)
	}
}

func (p *parser) policy(n *node, a *actions.Action) engine.Policy {
	s := p.Text(n, "on_unknown")
	switch {
	case s == "":
	case !slices.Contains(language.Policies, s):
		p.Fail(n, form.Suggestion(s, language.Policies), "on_unknown cannot be %s", s)
	case s == string(engine.PolicyProbe) && a != nil && a.Probe == nil:
		p.Fail(n, "use retry, ask or fail", "%s cannot find out whether it happened", a.Spec.Name)
	}
	return engine.Policy(s)
}

const (
	maxAttempts = 10_000
)

// retry reads a retry over what holds where it says nothing.
func (b *builder) retry(n *node, defaults engine.Retry, at place) engine.Retry {
	if n == nil {
		return defaults
	}
	p, r := b.p, defaults
	if n.Kind != document.Object {
		p.Fail(n, "write { attempts: 5, delay: 2s }", "retry is an object, this is %s", n.What())
		return r
	}
	p.Keys(n, "retry", language.Retry)
	if v := n.Get("attempts"); v != nil {
		r.Attempts = int(p.Number(v, "attempts", true, 1, maxAttempts))
	}
	if v := n.Get("backoff"); v != nil {
		r.Backoff = p.Number(v, "backoff", false, 1, language.MaxBackoff)
	}
	if v := n.Get("delay"); v != nil {
		r.Delay = p.Duration(v, "delay", false)
	}
	if v := n.Get("max_delay"); v != nil {
		r.MaxDelay = p.Duration(v, "max_delay", false)
		if r.MaxDelay < r.Delay && n.Get("delay") != nil {
			p.Fail(v, "", "max_delay is less than delay")
		}
	}
	r.MaxDelay = max(r.MaxDelay, r.Delay)
	if v := n.Get("if"); v != nil {
		r.If = b.condition(v, at)
	}
	return r
}

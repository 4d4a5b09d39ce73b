package definition

import (
	"slices"
	"strings"

	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/definition/request"
	"zflow/engine/expr"
	wire "zflow/proto"
)

func (b *builder) triggers(n *node) {
	var types []expr.Type
	switch {
	case n == nil:
	case n.Kind == document.List && len(n.Items) > 0:
		for _, t := range n.Items {
			types = append(types, b.trigger(t))
		}
	case n.Kind == document.Object:
		types = append(types, b.trigger(n))
	default:
		b.p.Fail(n, "write on: { zoom: meeting.ended }", "on is a trigger or a list of them, this is %s", n.What())
	}
	b.event = expr.Union(types...)
	b.fresh()
}

// trigger compiles one, and returns what is known of its events.
func (b *builder) trigger(n *node) expr.Type {
	if n.Kind != document.Object {
		b.p.Fail(n, "write { zoom: meeting.ended }", "a trigger is an object, this is %s", n.What())
		return expr.Type{}
	}
	b.p.Keys(n, "a trigger", language.Trigger)
	t := engine.Trigger{Connections: b.p.connections(n.Get("connection"))}
	b.event = b.triggerKind(&t, n)
	b.fresh()
	t.If = b.condition(n.Get("if"), inTrigger)
	t.Once = b.once(n.Get("once"))
	b.w.Triggers = append(b.w.Triggers, t)
	return b.event
}

func (b *builder) triggerKind(t *engine.Trigger, n *node) expr.Type {
	has := form.Present(n, language.TriggerKinds)
	switch {
	case len(has) == 0 && form.Excused(n, language.TriggerKinds, language.Trigger):
		return expr.Type{}
	case len(has) == 0:
		b.p.Fail(n, "", "a trigger needs the key %s", form.AnyOf(language.TriggerKinds))
		return expr.Type{}
	case len(has) > 1:
		b.p.Fail(n.KeyOf(has[1]), "make it two triggers", "a trigger has either %s or %s", has[0], has[1])
	}
	b.p.foreign(n, has[0])
	switch has[0] {
	case "call":
		return b.called(t, n)
	case "http":
		return b.request(t, n.Get("http"))
	case "email":
		return b.email(t, n.Get("email"))
	case "poll":
		return b.poll(t, n.Get("poll"))
	case "run":
		return b.ended(t, n.Get("run"))
	case "schedule":
		return b.schedule(t, n)
	}
	var body expr.Type
	t.Source, t.Types, body = b.p.happening(n)
	return body
}

// request reads which requests start runs. Nothing is known of their bodies.
func (b *builder) request(t *engine.Trigger, n *node) expr.Type {
	b.requested = true
	b.fresh()
	t.Source, t.Types = wire.SourceHTTP, []string{b.w.Name}
	r := request.Reader{Reader: &b.p.Reader, Workflow: b.w.Name, Template: func(n *node, text string) *expr.Template {
		return b.template(value{text, n}, inAuth)
	}}
	t.HTTP = r.HTTP(n)
	for _, other := range b.w.Triggers {
		if other.HTTP != nil && other.HTTP.Meets(t.HTTP) != "" {
			b.p.Fail(n, "give them other methods, or another path", "two triggers http take the same requests")
		}
	}
	return expr.Type{}
}

// foreign reports the keys of a trigger that belong to another kind.
func (p *parser) foreign(n *node, kind string) {
	for key, of := range language.KeysOf {
		if of.Kind == kind || n.Get(key) == nil {
			continue
		}
		hint := of.Hint
		if kind == engine.SourcePoll && key == "connection" {
			hint = "put it into poll"
		}
		p.Fail(n.KeyOf(key), hint, "only %s", of.Rule)
	}
}

// called reads that other workflows start runs, and what these take.
func (b *builder) called(t *engine.Trigger, n *node) expr.Type {
	if slices.ContainsFunc(b.w.Triggers, func(t engine.Trigger) bool { return t.Source == engine.SourceCall }) {
		b.p.Fail(n.KeyOf("call"), "put all inputs into one, with a ? after those that may be left out", "a workflow has one trigger call")
	}
	t.Source = engine.SourceCall
	return b.inputs(t, n.Get("call"))
}

// happening reads which events are meant by zoom or event, and returns what is
// known of their body.
func (p *parser) happening(n *node) (source string, types []string, body expr.Type) {
	if at := n.Get("zoom"); at != nil {
		types = p.eventTypes(at, p.knownType)
		return "zoom", types, p.bodyOf(types)
	}
	return "app", p.eventTypes(n.Get("event"), p.notZoom), expr.Type{}
}

// bodyOf is what is known of the body of an event of one of these types.
func (p *parser) bodyOf(types []string) expr.Type {
	var bodies []expr.Type
	for _, name := range types {
		if p.known.Event == nil {
			return expr.Type{}
		}
		t, ok := p.known.Event(name)
		if !ok {
			return expr.Type{}
		}
		bodies = append(bodies, t)
	}
	return expr.Union(bodies...)
}

func (p *parser) eventTypes(n *node, check func(*node, string)) []string {
	items := []*node{n}
	if n.Kind == document.List {
		items = n.Items
		if len(items) == 0 {
			p.Fail(n, "", "the list of event types is empty")
		}
	}
	var out []string
	for _, i := range items {
		s := p.Text(i, "an event type")
		switch {
		case s == "":
		case !validType.MatchString(s):
			p.Fail(i, "such as meeting.ended or recording.*", "%q is no event type", s)
		default:
			check(i, s)
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
	p.Warn(n, hint, "zflow knows no Zoom event %s", s)
}

// notZoom warns about an event of Zoom where one of zflow is meant.
func (p *parser) notZoom(n *node, s string) {
	if p.known.EventType == nil {
		return
	}
	if zoom, _ := p.known.EventType(s); zoom {
		p.Warn(n, "write zoom: "+s, "%s is an event of Zoom, which event does not get", s)
	}
}

func (p *parser) connections(n *node) []string {
	if n == nil {
		return nil
	}
	items := []*node{n}
	if n.Kind == document.List {
		items = n.Items
		if len(items) == 0 {
			p.Fail(n, "leave it out for any", "the list of connections is empty")
		}
	}
	var out []string
	for _, i := range items {
		if s := p.connection(i); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// inputs reads what a workflow that is called takes, which is its event.
func (b *builder) inputs(t *engine.Trigger, n *node) expr.Type {
	t.Inputs = map[string]string{}
	fields := map[string]expr.Type{}
	if !b.p.Fields(n, "call", language.Callable) {
		return expr.Type{}
	}
	in := n.Get("inputs")
	if in == nil {
		return expr.Object(fields, false)
	}
	if in.Kind != document.Object {
		b.p.Fail(in, "write { name: text }", "inputs is an object, this is %s", in.What())
		return expr.Type{}
	}
	for _, f := range in.Fields {
		name := f.Key.Value
		fields[name] = expr.Type{}
		if !validInput.MatchString(name) {
			b.p.Fail(f.Key, "letters, digits and _, beginning with a letter", "%q is no name for an input", name)
		}
		t.Inputs[name] = b.p.inputType(f.Value)
	}
	return expr.Object(fields, false)
}

func (p *parser) inputType(n *node) string {
	s := p.Text(n, "the type of an input")
	name, optional := strings.CutSuffix(s, "?")
	if name == "string" {
		name = "text"
	}
	if s != "" && !slices.Contains(language.InputTypes, name) {
		p.Fail(n, form.Suggestion(name, language.InputTypes), "%q is no type", s)
	}
	if optional {
		name += "?"
	}
	return name
}

func (b *builder) once(n *node) *engine.Once {
	if n == nil || !b.p.Fields(n, "once", language.Once) {
		return nil
	}
	return &engine.Once{
		Key: b.textTemplate(n.Get("key"), "the key of once", inTrigger),
		Per: b.p.Duration(n.Get("per"), "per", true),
	}
}

const maxAtOnce = 1000 // runs of a key, iterations of a loop

func (b *builder) concurrency(n *node) *engine.Concurrency {
	if n == nil || !b.p.Fields(n, "concurrency", language.Concurrency) {
		return nil
	}
	c := &engine.Concurrency{Limit: 1, Busy: engine.BusyQueue}
	c.Key = b.textTemplate(n.Get("key"), "the key of concurrency", inGate)
	c.Name = b.p.Name(n.Get("name"), "a gate")
	if v := n.Get("limit"); v != nil {
		c.Limit = b.p.Count(v, "limit", maxAtOnce)
	}
	if v := n.Get("when_busy"); v != nil {
		c.Busy = engine.Busy(b.p.OneOf(v, "when_busy", language.Busy))
	}
	return c
}

func (p *parser) limits(n *node) engine.Limits {
	if n == nil || !p.Fields(n, "limits", language.Limits) {
		return engine.Limits{}
	}
	var l engine.Limits
	if v := n.Get("runs_per_minute"); v != nil {
		l.RunsPerMinute = p.Count(v, "runs_per_minute", maxQuota)
	}
	if v := n.Get("fan_out"); v != nil {
		l.FanOut = p.Count(v, "fan_out", maxQuota)
	}
	if v := n.Get("facts"); v != nil {
		l.Facts = int(p.Number(v, "facts", true, leastFacts, engine.MostFacts))
	}
	return l
}

const (
	maxQuota   = 100_000
	leastFacts = 100 // a generation of fewer would be made of its first append
)

package definition

import (
	"slices"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// keptFor is how long events are kept where nothing else is configured.
const keptFor = 28 * 24 * time.Hour

// wait compiles wait_for: one arrival, or the first of several.
func (b *builder) wait(n *node) (*engine.Wait, result) {
	w, r := &engine.Wait{}, result{outcome: true}
	if !b.p.Fields(n, "wait_for", language.Wait) {
		return w, r
	}
	if w.LookBack = b.p.Duration(n.Get("look_back"), "look_back", true); w.LookBack > keptFor {
		b.p.Warn(n.Get("look_back"), "an older event is found only where the stream EVENTS is set to keep more", "events are kept for 28 days")
	}
	w.Timeout = b.p.Duration(n.Get("timeout"), "timeout", true)
	w.OnTimeout = b.p.onTimeout(n)
	first := n.Get("first_of")
	if first == nil {
		a, body := b.arrival(n, "wait_for", language.Wait)
		w.Of, r.output = []*engine.Arrival{a}, body
		return w, r
	}
	for _, name := range form.Present(n, []string{"zoom", "event", "signal", "match", "if"}) {
		b.p.Fail(n.KeyOf(name), "put it into the alternatives", "wait_for with first_of cannot have %s", name)
	}
	w.Of, r.output = b.firstOf(first)
	return w, r
}

func (b *builder) firstOf(n *node) ([]*engine.Arrival, expr.Type) {
	if n.Kind != document.Object || len(n.Fields) == 0 {
		b.p.Fail(n, b.p.EmptyHint(n, "write first_of: { one: { … }, other: { … } }"), "first_of is an object of alternatives, this is %s", emptyObject(n))
		return nil, expr.Type{}
	}
	var out []*engine.Arrival
	var bodies []expr.Type
	for _, f := range n.Fields {
		b.alternative(f.Key)
		if !b.p.Fields(f.Value, "an alternative", language.Arrival) {
			continue
		}
		a, body := b.arrival(f.Value, "an alternative", language.Arrival)
		a.Name = f.Key.Value
		out, bodies = append(out, a), append(bodies, body)
	}
	return out, expr.Union(bodies...)
}

// alternative checks a name, which becomes the outcome of the wait.
func (b *builder) alternative(n *node) {
	switch {
	case !validID.MatchString(n.Value):
		b.p.Fail(n, "a-z, 0-9 and _, beginning with a letter", "%q is no name for an alternative", n.Value)
	case n.Value == outcomeTimeout:
		b.p.Fail(n, "take another name", "an alternative cannot be called timeout: that is the outcome where none comes")
	}
}

const outcomeTimeout = "timeout"

// arrival compiles one thing that is waited for.
func (b *builder) arrival(n *node, what string, table map[string]language.Key) (*engine.Arrival, expr.Type) {
	a, p := &engine.Arrival{}, b.p
	has := form.Present(n, language.ArrivalKinds)
	switch {
	case len(has) == 0 && !form.Excused(n, language.ArrivalKinds, table):
		p.Fail(n, "", "%s needs the key %s", what, form.AnyOf(form.Among(table, "zoom", "event", "signal", "first_of")))
	case len(has) > 1:
		p.Fail(n.KeyOf(has[1]), "use first_of for the first of several", "%s has either %s or %s", what, has[0], has[1])
	}
	var body expr.Type
	switch {
	case len(has) == 0:
	case has[0] == "signal":
		a.Signal = p.signal(n.Get("signal"))
	default:
		a.Source, a.Types, body = p.happening(n)
		if n.Get("match") == nil && !form.Misspelt(n, "match", table) {
			p.Fail(n.KeyOf(has[0]), "such as match: { payload.object.uuid: \"${{ event.payload.object.uuid }}\" }", "%s needs the key match: which event of the many is meant", what)
		}
	}
	a.Match = b.matches(n.Get("match"), body)
	b.arrived = body
	delete(b.scopes, inArrival)
	a.If = b.condition(n.Get("if"), inArrival)
	return a, body
}

func (p *parser) signal(n *node) string {
	s := p.Text(n, "signal")
	if s != "" && !validID.MatchString(s) {
		p.Fail(n, "a-z, 0-9 and _, beginning with a letter", "%q is no name for a signal", s)
	}
	return s
}

// matches compiles the fields that an event must have.
func (b *builder) matches(n *node, body expr.Type) []engine.Match {
	if n == nil {
		return nil
	}
	if n.Kind != document.Object || len(n.Fields) == 0 {
		b.p.Fail(n, b.p.EmptyHint(n, "write match: { payload.object.id: \"…\" }"), "match is an object of fields and values, this is %s", emptyObject(n))
		return nil
	}
	var out []engine.Match
	for _, f := range n.Fields {
		b.p.fieldPath(f.Key, body)
		m := engine.Match{Path: f.Key.Value}
		switch v := f.Value; {
		case v.Kind != document.Scalar || v.IsNull():
			b.p.Fail(v, b.p.EmptyHint(v, "give each field that matters its own line"), "a value of match is a text, this is %s", v.What())
		default:
			m.Value = b.template(value{v.Value, v}, inStep)
		}
		out = append(out, m)
	}
	return out
}

// fieldPath checks that an event may have a field.
func (p *parser) fieldPath(n *node, body expr.Type) {
	names := strings.Split(n.Value, ".")
	if slices.Contains(names, "") || strings.ContainsAny(n.Value, " ${}[]") {
		p.Fail(n, "such as payload.object.uuid", "%q is no path to a field", n.Value)
		return
	}
	for i, name := range names {
		next, ok := body.Field(name)
		known, path := body.FieldNames(), strings.Join(names[:i+1], ".")
		switch {
		case !ok, expr.Suggest(name, known) != "" && !slices.Contains(known, name):
			p.Fail(n, form.Suggestion(name, known), "the event has no field %s", path)
			return
		case len(known) > 0 && !slices.Contains(known, name):
			p.Warn(n, form.Suggestion(name, known), "the event has no known field %s", path)
		}
		body = next
	}
}

func (p *parser) onTimeout(n *node) engine.OnTimeout {
	v := n.Get("on_timeout")
	if v == nil {
		return engine.TimeoutFail
	}
	if n.Get("timeout") == nil {
		p.Fail(n.KeyOf("on_timeout"), "", "on_timeout needs a timeout")
	}
	return engine.OnTimeout(p.OneOf(v, "on_timeout", language.OnTimeouts))
}

// approval compiles a question to a person.
func (b *builder) approval(n *node) (*engine.Ask, result) {
	a, r := &engine.Ask{}, result{outcome: true}
	if !b.p.Fields(n, "approval", language.Approval) {
		return a, r
	}
	a.To = b.people(n.Get("to"))
	a.Message = b.textTemplate(n.Get("message"), "message", inStep)
	a.Choices = b.p.choices(n.Get("choices"))
	a.Fields = b.p.answers(n.Get("fields"))
	a.Timeout = b.p.Duration(n.Get("timeout"), "timeout", true)
	a.OnTimeout = b.p.onTimeout(n)
	if v := n.Get("remind"); v != nil {
		a.Remind = b.p.Duration(v, "remind", true)
		if a.Timeout > 0 && a.Remind >= a.Timeout {
			b.p.Fail(v, "", "remind is not shorter than timeout: nobody would be reminded")
		}
	}
	output := map[string]expr.Type{}
	for name := range a.Fields {
		output[name] = expr.Type{}
	}
	r.output = expr.Object(output, false)
	return a, r
}

func (b *builder) people(n *node) *expr.Template {
	switch {
	case n == nil:
		return nil
	case n.Kind == document.List && len(n.Items) > 0:
		return b.anyTemplate(n, inStep)
	case n.Kind != document.Scalar:
		b.p.Fail(n, "", "to is a text or a list of texts, this is %s", emptyOr(n))
		return nil
	}
	return b.textTemplate(n, "to", inStep)
}

func (p *parser) choices(n *node) []string {
	if n == nil {
		return []string{"approved", "rejected"}
	}
	if n.Kind != document.List || len(n.Items) == 0 {
		p.Fail(n, "write choices: [yes, no]", "choices is a list of at least one text, this is %s", emptyOr(n))
		return nil
	}
	var out []string
	for _, i := range n.Items {
		s := p.Text(i, "a choice")
		switch {
		case s == "":
		case expr.Contains(s):
			p.Fail(i, "", "choices are fixed texts, without ${{ }}")
		case s == outcomeTimeout:
			p.Fail(i, "take another word", "a choice cannot be timeout: that is the outcome where nobody answers")
		case slices.Contains(out, s):
			p.Fail(i, "", "the choice %s is there twice", s)
		default:
			out = append(out, s)
		}
	}
	return out
}

// answers reads the typed fields of an approval.
func (p *parser) answers(n *node) map[string]engine.Field {
	if n == nil {
		return nil
	}
	if n.Kind != document.Object {
		p.Fail(n, p.EmptyHint(n, "write fields: { reason: text }"), "fields is an object, this is %s", n.What())
		return nil
	}
	out := map[string]engine.Field{}
	for _, f := range n.Fields {
		if !validID.MatchString(f.Key.Value) {
			p.Fail(f.Key, "a-z, 0-9 and _, beginning with a letter", "%q is no name for a field", f.Key.Value)
		}
		out[f.Key.Value] = p.answer(f.Value)
	}
	return out
}

func (p *parser) answer(n *node) engine.Field {
	if n.Kind != document.Object {
		return engine.Field{Type: p.OneOf(n, "the type of a field", language.AnswerTypes)}
	}
	p.Fields(n, "a field", language.Answer)
	return engine.Field{
		Type:     p.OneOf(n.Get("type"), "type", language.AnswerTypes),
		Required: p.Flag(n.Get("required"), "required", false),
		Label:    p.Text(n.Get("label"), "label"),
	}
}

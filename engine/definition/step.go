package definition

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/expr"
)

func (b *builder) steps(n *node, defaults engine.Retry) {
	b.done = map[string]expr.Type{}
	if n == nil {
		return
	}
	if n.kind != list || len(n.items) == 0 {
		b.p.fail(n, "begin each with a -", "steps is a list of at least one step, this is %s", emptyOr(n))
		return
	}
	ids := b.ids(n.items)
	for i, s := range n.items {
		b.fresh()
		b.later = ids[i:]
		if s.kind != object {
			b.p.fail(s, "write { uses: … } or { sleep: … }", "a step is an object, this is %s", s.what())
			continue
		}
		b.step(s, i+1, defaults)
	}
	b.later = nil
}

func emptyOr(n *node) string {
	if n.kind == list {
		return "empty"
	}
	return n.what()
}

// ids returns the id of each step, or "", and reports those that are no good.
func (b *builder) ids(items []*node) []string {
	out := make([]string, len(items))
	first := map[string]int{}
	for i, s := range items {
		n := s.get("id")
		if n == nil {
			continue
		}
		id := b.p.text(n, "id")
		switch {
		case id == "":
		case !validID.MatchString(id):
			b.p.fail(n, "a-z, 0-9 and _, beginning with a letter", "%q is no id for a step", id)
		case first[id] > 0:
			b.p.fail(n, "", "the id %s is there twice: first in line %d", id, first[id])
		default:
			out[i], first[id] = id, n.line
		}
	}
	return out
}

func (b *builder) step(n *node, number int, defaults engine.Retry) {
	p := b.p
	p.keys(n, "a step", stepKeys)
	id := b.later[0]
	s := &engine.Step{ID: id, Token: id, Name: p.text(n.get("name"), "name")}
	output := expr.Type{}
	uses, sleep := n.get("uses"), n.get("sleep")
	s.If = b.condition(n.get("if"), inCondition)
	switch {
	case uses != nil && sleep != nil:
		p.fail(n.keyOf("sleep"), "make it two steps", "a step has either uses or sleep")
	case uses != nil:
		output = b.action(s, n, defaults)
	case sleep != nil:
		b.sleep(s, n)
	case !hasLater(n, stepKeys):
		if !misspelt(n, "uses", stepKeys) && !misspelt(n, "sleep", stepKeys) {
			p.fail(n, "", "a step needs uses or sleep")
		}
		b.action(s, n, defaults)
	}
	if s.Token == "" {
		s.Token = fmt.Sprintf("%s#%d", kindOfStep(s), number)
	}
	s.Path = s.Token
	if id != "" {
		b.done[id] = resultType(output)
	}
	b.w.Steps = append(b.w.Steps, s)
}

func kindOfStep(s *engine.Step) string {
	if u, ok := s.Do.(*engine.Uses); ok && u.Action != "" {
		return u.Action
	}
	return "sleep"
}

// sleep reads a sleeping step; what belongs to a call has no place in it.
func (b *builder) sleep(s *engine.Step, n *node) {
	for _, name := range []string{"with", "connection", "retry", "timeout", "on_unknown"} {
		if n.get(name) != nil {
			b.p.fail(n.keyOf(name), "", "a step that sleeps has no %s", name)
		}
	}
	d := n.get("sleep")
	if d.kind == scalar && expr.Contains(d.value) {
		s.Do = &engine.Sleep{For: b.template(value{d.value, d}, inSleep)}
		return
	}
	if d.kind == object {
		b.p.fail(d, "write a duration, such as 30m, or ${{ }}", "sleep until is not in this version of zflow yet")
		return
	}
	b.p.duration(d, "sleep", false)
	s.Do = &engine.Sleep{For: b.template(value{d.value, d}, inSleep)}
}

// action reads a step that uses one, and returns the type of its output.
func (b *builder) action(step *engine.Step, n *node, defaults engine.Retry) expr.Type {
	p, s := b.p, &engine.Uses{}
	step.Do = s
	s.Action = p.text(n.get("uses"), "uses")
	s.Timeout = p.duration(n.get("timeout"), "timeout", true)
	s.Retry = b.retry(n.get("retry"), defaults, inRetry)
	s.Connection = p.connection(n.get("connection"))
	a := p.action(n.get("uses"), s.Action)
	if a != nil && a.Spec.Connects == "" && n.get("connection") != nil {
		p.fail(n.keyOf("connection"), "", "%s uses no connection", s.Action)
	}
	s.OnUnknown = p.policy(n.get("on_unknown"), a)
	if a == nil {
		s.With = b.with(n, nil)
		return expr.Type{}
	}
	s.With = b.with(n, a)
	s.Reads = func(in map[string]any) bool { return a.Effect(in) == actions.Read }
	s.Repeatable = func(in map[string]any) bool { return a.Effect(in) != actions.Write }
	s.Probes = a.Probe != nil
	return typeOf(a.Spec.Output)
}

func (p *parser) action(n *node, name string) *actions.Action {
	if name == "" || p.known.Actions == nil {
		return nil
	}
	a := p.known.Actions.Get(name)
	if a == nil {
		p.fail(n, suggestion(name, p.known.Actions.Names()), "there is no action %s", name)
	}
	return a
}

func (p *parser) connection(n *node) string {
	s := p.text(n, "connection")
	switch {
	case expr.Contains(s):
		p.fail(n, "", "connection is a fixed name, without ${{ }}")
	case s != "" && p.known.Connection != nil && !p.known.Connection(s):
		p.warn(n, "make it with zflow connect before this runs", "there is no connection %s yet", s)
	}
	return s
}

var policies = []string{
	string(engine.PolicyRetry), string(engine.PolicyProbe), string(engine.PolicyAsk), string(engine.PolicyFail),
}

func (p *parser) policy(n *node, a *actions.Action) engine.Policy {
	s := p.text(n, "on_unknown")
	switch {
	case s == "":
	case !slices.Contains(policies, s):
		p.fail(n, suggestion(s, policies), "on_unknown cannot be %s", s)
	case s == string(engine.PolicyProbe) && a != nil && a.Probe == nil:
		p.fail(n, "use retry, ask or fail", "%s cannot find out whether it happened", a.Spec.Name)
	}
	return engine.Policy(s)
}

const (
	maxAttempts = 10_000
	maxBackoff  = 100
)

// retry reads a retry over what holds where it says nothing.
func (b *builder) retry(n *node, defaults engine.Retry, at place) engine.Retry {
	if n == nil {
		return defaults
	}
	p, r := b.p, defaults
	if n.kind != object {
		p.fail(n, "write { attempts: 5, delay: 2s }", "retry is an object, this is %s", n.what())
		return r
	}
	p.keys(n, "retry", retryKeys)
	if v := n.get("attempts"); v != nil {
		r.Attempts = int(p.number(v, "attempts", true, 1, maxAttempts))
	}
	if v := n.get("backoff"); v != nil {
		r.Backoff = p.number(v, "backoff", false, 1, maxBackoff)
	}
	if v := n.get("delay"); v != nil {
		r.Delay = p.duration(v, "delay", false)
	}
	if v := n.get("max_delay"); v != nil {
		r.MaxDelay = p.duration(v, "max_delay", false)
		if r.MaxDelay < r.Delay && n.get("delay") != nil {
			p.fail(v, "", "max_delay is less than delay")
		}
	}
	r.MaxDelay = max(r.MaxDelay, r.Delay)
	if v := n.get("if"); v != nil {
		r.If = b.condition(v, at)
	}
	return r
}

func (p *parser) number(n *node, what string, whole bool, least, most float64) float64 {
	f, err := strconv.ParseFloat(n.value, 64)
	switch {
	case n.kind != scalar || err != nil || n.tag != "!!int" && (whole || n.tag != "!!float"):
		hint := ""
		if n.isText() && err == nil {
			hint = "leave out the quotes"
		}
		kind := "a number"
		if whole {
			kind = "a whole number"
		}
		p.fail(n, hint, "%s is %s, this is %s", what, kind, n.what())
	case !(f >= least && f <= most):
		p.fail(n, "", "%s is from %s to %s", what, plainNumber(least), plainNumber(most))
	}
	return f
}

func plainNumber(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', -1, 64), ".0")
}

package definition

import (
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// call compiles the start of another workflow.
func (b *builder) call(n *node) *engine.Call {
	return &engine.Call{
		Workflow: b.p.Name(n.Get("call"), "a workflow"),
		With:     b.template(b.input(n), inInput),
		Wait:     b.p.Flag(n.Get("wait"), "wait", true),
	}
}

// sleep compiles a duration, a time or a schedule.
func (b *builder) sleep(n *node) *engine.Sleep {
	switch {
	case n.Kind == document.Object:
		if !b.p.Fields(n, "sleep", language.Sleep) || n.Get("until") == nil {
			return &engine.Sleep{}
		}
		return b.sleepUntil(n.Get("until"))
	case n.Kind != document.Scalar || !expr.Contains(n.Value):
		b.p.Duration(n, "sleep", false)
	}
	return &engine.Sleep{For: b.template(value{n.Value, n}, inStep)}
}

func (b *builder) sleepUntil(n *node) *engine.Sleep {
	s := &engine.Sleep{}
	if n.Kind != document.Object {
		s.Until = b.textTemplate(n, "until", inStep)
		if s.Until != nil && !expr.Contains(n.Value) && !isTime(n.Value) {
			b.p.Fail(n, "such as 2026-03-02T10:00:00Z", "until is no time: %q", n.Value)
		}
		return s
	}
	if !b.p.Fields(n, "until", language.Schedule) || n.Get("schedule") == nil {
		return s
	}
	schedule, zone := b.p.Cron(n.Get("schedule")), b.p.Zone(n.Get("timezone"))
	s.Schedule, s.Timezone = n.Get("schedule").Value, zone.String()
	s.Next = func(after time.Time) time.Time { return schedule.Next(after, zone) }
	return s
}

// isTime tells whether a text is what date() takes.
func isTime(s string) bool {
	p, err := expr.Compile("date(t)", expr.NewScope(map[string]expr.Type{"t": {}}, nil, nil))
	if err != nil {
		return false
	}
	_, err = p.Eval(expr.Env{"t": s}, expr.Clock{})
	return err == nil
}

// stop compiles the end of the run: a status, or { status, message }.
func (b *builder) stop(n *node) *engine.Stop {
	if n.Kind != document.Object {
		return &engine.Stop{Status: engine.State(b.p.OneOf(n, "stop", language.Ends))}
	}
	if !b.p.Fields(n, "stop", language.Stop) {
		return &engine.Stop{}
	}
	return &engine.Stop{
		Status:  engine.State(b.p.OneOf(n.Get("status"), "status", language.Ends)),
		Message: b.textTemplate(n.Get("message"), "message", inStep),
	}
}

func containsStar(eventType string) bool { return strings.Contains(eventType, "*") }

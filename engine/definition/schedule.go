package definition

import (
	"zflow/engine"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
	"zflow/engine/workflow"
)

// schedule compiles when a workflow runs by itself, and returns what is known of the
// events that come of it.
func (b *builder) schedule(t *engine.Trigger, n *node) expr.Type {
	t.Source, t.Types = workflow.SourceSchedule, []string{b.w.Name}
	t.Ticks = b.p.Ticks(n.Get("schedule"), n.Get("timezone"))
	if at := n.Get("catch_up"); at != nil && t.Ticks != nil {
		t.Ticks.CatchUp = workflow.CatchUp(b.p.OneOf(at, "catch_up", language.CatchUps))
	}
	text, number := expr.Scalar(expr.Text), expr.Scalar(expr.Number)
	return expr.Object(map[string]expr.Type{
		"time": text, "timestamp": number, "local": text, "timezone": text, "date": text, "weekday": text, "schedule": text, "previous": {}, "missed": number,
	}, false)
}

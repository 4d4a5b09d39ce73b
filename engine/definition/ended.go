package definition

import (
	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
	"zflow/engine/workflow"
)

// ended reads which runs start one when they end, and returns what is known of the
// events that come of it.
func (b *builder) ended(t *engine.Trigger, n *node) expr.Type {
	t.Source = workflow.SourceRun
	flows, ends := []string{}, language.Ends
	switch {
	case n.Kind != document.Object:
		flows = b.others(n)
	case b.p.Fields(n, "run", language.Ended):
		flows = b.others(n.Get("workflow"))
		if at := n.Get("status"); at != nil {
			ends = b.p.each(at, "the list of states is empty", func(n *node) string { return b.p.OneOf(n, "status", language.Ends) })
		}
	}
	for _, flow := range flows {
		for _, end := range ends {
			t.Types = append(t.Types, workflow.RunType(flow, engine.State(end)))
		}
	}
	return runEnded
}

// others reads the names of other workflows.
func (b *builder) others(n *node) []string {
	if n == nil {
		return nil // reported
	}
	return b.p.each(n, "the list of workflows is empty", func(n *node) string {
		if n.Value == workflow.AnyFlow {
			return n.Value
		}
		name := b.p.Name(n, "a workflow")
		if name == b.w.Name && name != "" {
			b.p.Fail(n, "a step call in it starts others; finally is done at its end", "a workflow is not started by its own runs")
		}
		return name
	})
}

// each reads one or a list, without what was wrong.
func (p *parser) each(n *node, empty string, read func(*node) string) (all []string) {
	items := []*node{n}
	if n.Kind == document.List {
		if items = n.Items; len(items) == 0 {
			p.Fail(n, "", "%s", empty)
		}
	}
	for _, i := range items {
		if s := read(i); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// runEnded is what is known of a run that ended.
var runEnded = func() expr.Type {
	text := expr.Scalar(expr.Text)
	return expr.Object(map[string]expr.Type{
		"workflow": text, "run": text, "version": text, "status": text, "event_id": text, "started_at": text, "ended_at": text, "output": {},
		"error": {}, "reason": text, "step": text,
	}, false)
}()

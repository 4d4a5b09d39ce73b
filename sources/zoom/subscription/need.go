package subscription

import (
	"cmp"
	"slices"
	"strings"

	"zflow/engine/workflow"
	"zflow/internal/zoomcatalog"
)

// Need is an event type that workflows are started by or wait for.
type Need struct {
	Type  string   `json:"type"`
	For   []string `json:"for"`   // workflows
	Named bool     `json:"named"` // as it is; else only a pattern stands for it
}

// Needs returns what workflows need, sorted by type. A trigger that names
// connections counts if concerned is true of one of them. Elsewhere are types that no
// event subscription brings.
func Needs(flows []*workflow.Workflow, concerned func(connection string) bool) (needs []Need, elsewhere []string) {
	byType := needing{}
	for _, w := range flows {
		for _, t := range w.Triggers {
			if len(t.Connections) == 0 || slices.ContainsFunc(t.Connections, concerned) {
				byType.add(w.Name, t.Source, t.Types)
			}
		}
		for step := range w.All() {
			if wait, ok := step.Do.(*workflow.Wait); ok {
				byType.waits(w.Name, wait)
			}
		}
	}
	for _, n := range byType {
		if !subscribable(n.Type) {
			elsewhere = append(elsewhere, n.Type)
			continue
		}
		slices.Sort(n.For)
		n.For = slices.Compact(n.For)
		needs = append(needs, *n)
	}
	slices.Sort(elsewhere)
	slices.SortFunc(needs, func(a, b Need) int { return cmp.Compare(a.Type, b.Type) })
	return needs, elsewhere
}

type needing map[string]*Need

func (all needing) waits(flow string, w *workflow.Wait) {
	for _, a := range w.Of {
		all.add(flow, a.Source, a.Types)
	}
}

func (all needing) add(flow, source string, patterns []string) {
	if source != "zoom" {
		return
	}
	for _, pattern := range patterns {
		if !strings.Contains(pattern, "*") {
			all.one(flow, pattern, true)
			continue
		}
		for _, e := range zoomcatalog.Events() {
			if zoomcatalog.Match(pattern, e.Name) && subscribable(e.Name) {
				all.one(flow, e.Name, false)
			}
		}
	}
}

func (all needing) one(flow, kind string, named bool) {
	n := all[kind]
	if n == nil {
		n = &Need{Type: kind}
		all[kind] = n
	}
	n.For, n.Named = append(n.For, flow), n.Named || named
}

// subscribable tells whether a type comes by an event subscription: those of chat
// bots and app_deauthorized, which have no dot, go to addresses of their own in the
// portal.
func subscribable(kind string) bool {
	return strings.Contains(kind, ".") && !strings.HasPrefix(kind, "endpoint.")
}

package catalog

import (
	"zflow/engine"
	"zflow/proto"
)

// Filters returns the subjects of EVENTS on which the triggers' events arrive,
// sorted, no two of them overlapping, as a consumer must have them. Where two
// triggers' patterns overlap and neither covers the other, the filter covers
// both, and so lets through more than they want.
func Filters(triggers []engine.Trigger) []string {
	var all []string
	for _, t := range triggers {
		for _, pattern := range t.Types {
			all = append(all, proto.EventFilter(t.Source, pattern))
		}
	}
	return proto.Disjoint(all)
}

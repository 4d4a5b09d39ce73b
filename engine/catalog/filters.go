package catalog

import (
	"slices"
	"strings"

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
			all = add(all, proto.EventFilter(t.Source, pattern))
		}
	}
	slices.Sort(all)
	return all
}

// add puts a filter into a disjoint set, merged with whatever it overlaps.
func add(set []string, filter string) []string {
	for {
		i := slices.IndexFunc(set, func(s string) bool { return overlap(s, filter) })
		if i < 0 {
			return append(set, filter)
		}
		filter = join(set[i], filter)
		set = slices.Delete(set, i, i+1)
	}
}

// overlap tells whether some subject matches both filters.
func overlap(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, y := as[i], bs[i]
		switch {
		case x == ">" || y == ">":
			return true
		case x != y && x != "*" && y != "*":
			return false
		}
	}
	return len(as) == len(bs)
}

// join returns the narrowest filter that covers two that overlap.
func join(a, b string) string {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	var joined []string
	for i := range min(len(as), len(bs)) {
		x, y := as[i], bs[i]
		switch {
		case x == ">" || y == ">":
			return strings.Join(append(joined, ">"), ".")
		case x == y:
			joined = append(joined, x)
		default:
			joined = append(joined, "*")
		}
	}
	return strings.Join(joined, ".")
}

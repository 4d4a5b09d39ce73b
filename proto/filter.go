package proto

import (
	"slices"
	"strings"
)

// Disjoint returns filters, sorted, no two of them overlapping, that let through
// all that these do, as a consumer must have them. Where two overlap and neither
// covers the other, the one that covers both lets through more.
func Disjoint(filters []string) []string {
	var all []string
	for _, f := range filters {
		all = addFilter(all, f)
	}
	slices.Sort(all)
	return all
}

// addFilter puts a filter into a disjoint set, merged with whatever it overlaps.
func addFilter(set []string, filter string) []string {
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

package form

import (
	"maps"
	"slices"
	"strings"

	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// Fields checks that a node is an object with keys of a table, all that are
// required included.
func (r *Reader) Fields(n *document.Node, what string, table map[string]language.Key) bool {
	if n.Kind != document.Object {
		r.Fail(n, r.EmptyHint(n, Suggestion("", Usable(table))), "%s is an object, this is %s", what, n.What())
		return false
	}
	r.Keys(n, what, table)
	r.Require(n, what, table)
	return true
}

// Keys checks the keys of an object against a table.
func (r *Reader) Keys(n *document.Node, what string, table map[string]language.Key) {
	for _, f := range n.Fields {
		name := f.Key.Value
		if strings.HasPrefix(name, "x-") {
			continue
		}
		if _, ok := table[name]; !ok {
			r.Fail(f.Key, Suggestion(name, Usable(table)), "%s has no key %s", what, name)
		}
	}
}

// Require reports the keys that an object lacks.
func (r *Reader) Require(n *document.Node, what string, table map[string]language.Key) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if table[name].Required && n.Get(name) == nil && !Misspelt(n, name, table) {
			r.Fail(n, "", "%s needs the key %s", what, name)
		}
	}
}

// Misspelt tells whether a key that was reported is most likely this one.
func Misspelt(n *document.Node, name string, table map[string]language.Key) bool {
	return slices.ContainsFunc(n.Fields, func(f document.Pair) bool {
		_, known := table[f.Key.Value]
		return !known && expr.Suggest(f.Key.Value, []string{name}) != ""
	})
}

// Present returns those of the names that are keys of an object, in its order.
func Present(n *document.Node, names []string) []string {
	var out []string
	for _, f := range n.Fields {
		if slices.Contains(names, f.Key.Value) {
			out = append(out, f.Key.Value)
		}
	}
	return out
}

// Excused tells whether it was reported already why an object has none of the
// names: one was misspelt.
func Excused(n *document.Node, names []string, table map[string]language.Key) bool {
	return slices.ContainsFunc(names, func(name string) bool { return Misspelt(n, name, table) })
}

// Among returns those of the names that a table has.
func Among(table map[string]language.Key, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { _, ok := table[name]; return !ok })
}

// Usable returns the keys of a table.
func Usable(table map[string]language.Key) []string { return slices.Sorted(maps.Keys(table)) }

// Suggestion is a hint with the name that was most likely meant, or with all
// names if they are few.
func Suggestion(name string, among []string) string {
	if c := expr.Suggest(name, among); name != "" && c != "" {
		return "did you mean " + c + "?"
	}
	if len(among) > 0 && len(among) <= 12 {
		return "there is " + strings.Join(among, ", ")
	}
	return ""
}

// AnyOf joins names to "a, b or c".
func AnyOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

package definition

import (
	"maps"
	"slices"
	"strings"

	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// fields checks that a node is an object with keys of a table, all that are
// required included.
func (p *parser) fields(n *node, what string, table map[string]language.Key) bool {
	if n.Kind != document.Object {
		p.Fail(n, p.EmptyHint(n, suggestion("", usable(table))), "%s is an object, this is %s", what, n.What())
		return false
	}
	p.keys(n, what, table)
	p.require(n, what, table)
	return true
}

// keys checks the keys of an object against a table.
func (p *parser) keys(n *node, what string, table map[string]language.Key) {
	for _, f := range n.Fields {
		name := f.Key.Value
		if strings.HasPrefix(name, "x-") {
			continue
		}
		k, ok := table[name]
		switch {
		case !ok:
			p.Fail(f.Key, suggestion(name, usable(table)), "%s has no key %s", what, name)
		case k.Form == language.Later:
			p.Fail(f.Key, "", "%s is not in this version of zflow yet", name)
		}
	}
}

// require reports the keys that an object lacks.
func (p *parser) require(n *node, what string, table map[string]language.Key) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if table[name].Required && n.Get(name) == nil && !misspelt(n, name, table) {
			p.Fail(n, "", "%s needs the key %s", what, name)
		}
	}
}

// misspelt tells whether a key that was reported is most likely this one.
func misspelt(n *node, name string, table map[string]language.Key) bool {
	return slices.ContainsFunc(n.Fields, func(f document.Pair) bool {
		_, known := table[f.Key.Value]
		return !known && expr.Suggest(f.Key.Value, []string{name}) != ""
	})
}

// present returns those of the names that are keys of an object, in its order.
func present(n *node, names []string) []string {
	var out []string
	for _, f := range n.Fields {
		if slices.Contains(names, f.Key.Value) {
			out = append(out, f.Key.Value)
		}
	}
	return out
}

// excused tells whether it was reported already why an object has none of the
// names: a key of a later version, or one that was misspelt.
func excused(n *node, names []string, table map[string]language.Key) bool {
	for _, f := range n.Fields {
		if table[f.Key.Value].Form == language.Later {
			return true
		}
	}
	return slices.ContainsFunc(names, func(name string) bool { return misspelt(n, name, table) })
}

// among returns those of the names that a table has.
func among(table map[string]language.Key, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { _, ok := table[name]; return !ok })
}

func usable(table map[string]language.Key) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if table[name].Form != language.Later {
			names = append(names, name)
		}
	}
	return names
}

// suggestion is a hint with the name that was most likely meant, or with all
// names if they are few.
func suggestion(name string, among []string) string {
	if c := expr.Suggest(name, among); name != "" && c != "" {
		return "did you mean " + c + "?"
	}
	if len(among) > 0 && len(among) <= 12 {
		return "there is " + strings.Join(among, ", ")
	}
	return ""
}

// anyOf joins names to "a, b or c".
func anyOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

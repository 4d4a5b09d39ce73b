package expr

import (
	"slices"

	"github.com/expr-lang/expr/types"
)

// Type says what is known about a value before there is one. The zero Type is
// any value. Only structure is checked at load: what a field holds is not,
// since it may be null.
type Type struct {
	fields map[string]Type
	open   bool
	items  *Type
}

// Object is a value with these fields, and others too if open.
func Object(fields map[string]Type, open bool) Type { return Type{fields: fields, open: open} }

// List is a list of such values.
func List(of Type) Type { return Type{items: &of} }

// Field returns the type of a field and whether there may be one.
func (t Type) Field(name string) (Type, bool) {
	f, ok := t.fields[name]
	return f, ok || t.open || t.fields == nil && t.items == nil
}

// FieldNames returns the known fields, sorted.
func (t Type) FieldNames() []string {
	names := make([]string, 0, len(t.fields))
	for n := range t.fields {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (t Type) native() types.Type {
	switch {
	case t.items != nil:
		return types.Array(t.items.native())
	case t.fields != nil:
		m := make(types.Map, len(t.fields)+1)
		for name, f := range t.fields {
			m[name] = f.native()
		}
		if t.open {
			m[types.Extra] = types.Any
		}
		return m
	}
	return types.Any
}

// Scope is what an expression may name at its place in a workflow.
type Scope struct {
	roots   map[string]Type
	refused map[string]string
	later   map[string]bool
}

// NewScope returns a scope of these root names. refused gives, for names that
// exist elsewhere in a workflow, the reason why they cannot stand here; later
// are the steps that have not run yet at this place.
func NewScope(roots map[string]Type, refused map[string]string, later []string) *Scope {
	s := &Scope{roots: roots, refused: refused, later: map[string]bool{}}
	for _, id := range later {
		s.later[id] = true
	}
	return s
}

// has tells whether a root name has a value here.
func (s *Scope) has(name string) bool {
	_, ok := s.roots[name]
	return ok || name == "null"
}

// native returns the part of the scope that an expression names, for the
// library: a workflow may have hundreds of steps, and an expression few of them.
func (s *Scope) native(p plan) types.Map {
	env := types.Map{meterName: types.Any}
	for name, t := range s.roots {
		if !p.names[name] {
			continue
		}
		env[name] = t.only(p.members).native()
	}
	return env
}

// only returns the type with those of its fields that are in names.
func (t Type) only(names map[string]bool) Type {
	if t.fields == nil {
		return t
	}
	few := make(map[string]Type, len(names))
	for name := range names {
		if f, ok := t.fields[name]; ok {
			few[name] = f
		}
	}
	t.fields = few
	return t
}

// Suggest returns the name that was most likely meant, or "".
func Suggest(name string, among []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, c := range among {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance counts the edits, a swap of neighbours being one, between two names.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

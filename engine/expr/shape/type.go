// Package shape says what is known about values before there are any.
package shape

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/types"
)

// Type says what is known about a value before there is one. The zero Type is
// any value. What a value holds is known less surely than its structure, since it
// may be null: a kind only ever leads to a warning.
type Type struct {
	fields map[string]Type
	open   bool
	guided bool
	items  *Type
	kind   Kind
}

// Kind is what a value is that has no parts, as messages name it.
type Kind string

// The kinds; "" is any.
const (
	Text   Kind = "text"
	Number Kind = "a number"
	Bool   Kind = "true or false"
)

// Object is a value with these fields, and others too if open.
func Object(fields map[string]Type, open bool) Type { return Type{fields: fields, open: open} }

// Guided is a value whose fields are known, though others may come: a name that
// is close to a known one is an error, any other unknown name a warning.
func Guided(fields map[string]Type) Type { return Type{fields: fields, guided: true} }

// List is a list of such values.
func List(of Type) Type { return Type{items: &of} }

// Scalar is a value without parts.
func Scalar(k Kind) Type { return Type{kind: k} }

// Of is what is known of a value that is there.
func Of(v any) Type {
	switch v := v.(type) {
	case map[string]any:
		fields := make(map[string]Type, len(v))
		for name, f := range v {
			fields[name] = Of(f)
		}
		return Object(fields, false)
	case []any:
		elements := make([]Type, len(v))
		for i, e := range v {
			elements[i] = Of(e)
		}
		return List(Union(elements...))
	case string:
		return Scalar(Text)
	case bool:
		return Scalar(Bool)
	case int, int64, float64:
		return Scalar(Number)
	}
	return Type{}
}

// Union is a value that is of one of these types: a field that one of them has
// may be there.
func Union(of ...Type) Type {
	if len(of) == 0 {
		return Type{}
	}
	objects, lists, alike := true, true, true
	for _, t := range of {
		objects = objects && t.fields != nil
		lists = lists && t.items != nil
		alike = alike && t.fields == nil && t.items == nil && t.kind == of[0].kind
	}
	switch {
	case len(of) == 1 || alike:
		return of[0]
	case objects:
		return unionOfObjects(of)
	case lists:
		elements := make([]Type, len(of))
		for i, t := range of {
			elements[i] = *t.items
		}
		return List(Union(elements...))
	}
	return Type{}
}

func unionOfObjects(of []Type) Type {
	var u Type
	all := map[string][]Type{}
	for _, t := range of {
		u.open, u.guided = u.open || t.open, u.guided || t.guided
		for name, f := range t.fields {
			all[name] = append(all[name], f)
		}
	}
	u.fields = make(map[string]Type, len(all))
	for name, types := range all {
		u.fields[name] = Union(types...)
	}
	return u
}

// Field returns the type of a field and whether there may be one.
func (t Type) Field(name string) (Type, bool) {
	f, ok := t.fields[name]
	return f, ok || t.open || t.guided || t.fields == nil && t.items == nil
}

// FieldNames returns the known fields, sorted.
func (t Type) FieldNames() []string { return slices.Sorted(maps.Keys(t.fields)) }

// Element returns the type of the elements of a list; of anything else it is
// any value.
func (t Type) Element() Type {
	if t.items == nil {
		return Type{}
	}
	return *t.items
}

// Known returns the type of a field that is known.
func (t Type) Known(name string) (Type, bool) {
	f, ok := t.fields[name]
	return f, ok
}

// Kind returns what a value without parts is.
func (t Type) Kind() Kind { return t.kind }

// IsList tells whether the value is a list.
func (t Type) IsList() bool { return t.items != nil }

// IsObject tells whether the value has fields that are known.
func (t Type) IsObject() bool { return t.fields != nil }

// Guides tells whether an unknown field may be there after all.
func (t Type) Guides() bool { return t.guided }

// PathTo returns where below t a field of this name is, or "".
func (t Type) PathTo(name string) string {
	for _, at := range t.FieldNames() {
		if _, ok := t.fields[at].fields[name]; ok {
			return at + "." + name
		}
	}
	for _, at := range t.FieldNames() {
		if path := t.fields[at].PathTo(name); path != "" {
			return at + "." + path
		}
	}
	return ""
}

// Native is the type for the library, which refuses whatever it does not name;
// what only guides is checked by the inference.
func (t Type) Native() types.Type {
	switch {
	case t.items != nil:
		return types.Array(t.items.Native())
	case t.fields != nil && !t.guided:
		m := make(types.Map, len(t.fields)+1)
		for name, f := range t.fields {
			m[name] = f.Native()
		}
		if t.open {
			m[types.Extra] = types.Any
		}
		return m
	}
	return types.Any
}

// Only returns the type with those of its fields that are in names.
func (t Type) Only(names map[string]bool) Type {
	if t.fields == nil || t.guided {
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

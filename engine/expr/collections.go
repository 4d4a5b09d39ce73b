package expr

import (
	"maps"
	"reflect"
	"slices"

	"zflow/engine/expr/jsonvalue"
	"zflow/engine/expr/toolbox"
)

// needList returns the elements of a list, charging a step for each.
func needList(m *meter, v any) ([]any, error) {
	l, ok := v.([]any)
	if !ok {
		r := reflect.ValueOf(v)
		if k := r.Kind(); k != reflect.Slice && k != reflect.Array {
			return nil, toolbox.WrongKind("a list", v)
		}
		l = make([]any, r.Len())
		for i := range l {
			l[i] = r.Index(i).Interface()
		}
	}
	return l, m.Step(len(l))
}

// needObject returns the fields of an object, whatever its keys are.
func needObject(m *meter, v any) (map[string]any, error) {
	if o, ok := v.(map[string]any); ok {
		return o, m.Step(len(o))
	}
	if reflect.ValueOf(v).Kind() != reflect.Map {
		return nil, toolbox.WrongKind("an object", v)
	}
	o, steps, err := jsonvalue.Object(v)
	if err != nil {
		return nil, err
	}
	return o, m.Step(steps)
}

func keys(m *meter, args []any) (any, error) {
	o, err := needObject(m, args[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(o))
	for _, k := range slices.Sorted(maps.Keys(o)) {
		out = append(out, k)
	}
	return out, nil
}

func values(m *meter, args []any) (any, error) {
	o, err := needObject(m, args[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(o))
	for _, k := range slices.Sorted(maps.Keys(o)) {
		out = append(out, o[k])
	}
	return out, nil
}

func toPairs(m *meter, args []any) (any, error) {
	o, err := needObject(m, args[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(o))
	for _, k := range slices.Sorted(maps.Keys(o)) {
		out = append(out, []any{k, o[k]})
	}
	return out, nil
}

// merge returns one object with the fields of all; later ones win, null is none.
func merge(m *meter, args []any) (any, error) {
	out := map[string]any{}
	for _, a := range args {
		if a == nil {
			continue
		}
		o, err := needObject(m, a)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, o)
	}
	return out, nil
}

// extreme returns the value that is before all others. Lists among the
// arguments stand for their elements; null is passed over.
func extreme(m *meter, name string, args []any, before func(a, b any) bool) (any, error) {
	var best any
	for _, a := range args {
		l := []any{a}
		if compound(a) {
			var err error
			if l, err = needList(m, a); err != nil {
				return nil, err
			}
		}
		for _, v := range l {
			if err := comparable2(name, best, v); err != nil {
				return nil, err
			}
			if best == nil || v != nil && before(v, best) {
				best = v
			}
		}
	}
	return best, nil
}

func comparable2(name string, a, b any) error {
	if compound(b) {
		return &Error{Message: name + "() compares numbers, texts or times, this is " + kindOf(b)}
	}
	if a != nil && b != nil && kindOf(a) != kindOf(b) {
		return &Error{Message: name + "() cannot compare " + kindOf(a) + " with " + kindOf(b)}
	}
	return nil
}

func concat(m *meter, args []any) (any, error) {
	out := []any{}
	for _, a := range args {
		l, err := needList(m, a)
		if err != nil {
			return nil, err
		}
		if len(out)+len(l) > jsonvalue.MaxValues {
			return nil, jsonvalue.ErrTooMany
		}
		out = append(out, l...)
	}
	return out, nil
}

func flatten(m *meter, args []any) (any, error) {
	depth := 1
	if len(args) == 2 {
		var err error
		if depth, err = toolbox.Int(args[1]); err != nil {
			return nil, err
		}
	}
	l, err := needList(m, args[0])
	if err != nil {
		return nil, err
	}
	return flattenInto(m, make([]any, 0, len(l)), l, depth)
}

func flattenInto(m *meter, out, l []any, depth int) ([]any, error) {
	for _, v := range l {
		inner, ok := v.([]any)
		if !ok || depth <= 0 {
			out = append(out, v)
			continue
		}
		if err := m.Step(len(inner)); err != nil {
			return nil, err
		}
		var err error
		if out, err = flattenInto(m, out, inner, depth-1); err != nil {
			return nil, err
		}
		if len(out) > jsonvalue.MaxValues {
			return nil, jsonvalue.ErrTooMany
		}
	}
	return out, nil
}

// uniq keeps the first of equal elements.
func uniq(m *meter, args []any) (any, error) {
	l, err := needList(m, args[0])
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(l))
	out := make([]any, 0, len(l))
	for _, v := range l {
		key, err := canonicalText(nil, v)
		if err != nil {
			return nil, err
		}
		if err := m.Step(len(key) / 64); err != nil {
			return nil, err
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, v)
		}
	}
	return out, nil
}

package expr

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"zflow/engine/expr/jsonvalue"
	"zflow/engine/expr/toolbox"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm/runtime"
)

// function1 is one of our functions; its arguments were counted.
type function1 = func(m *meter, args []any) (any, error)

// signature is how a function may be called; most < 0 is any number.
type signature struct {
	least, most int
	f           function1
}

// signatures are the functions that differ from the library's or are not in it.
var signatures = func() map[string]signature {
	all := ownSignatures
	for name, s := range toolbox.Functions() {
		all[name] = signature{s.Least, s.Most, func(m *meter, args []any) (any, error) { return s.Call(m, args) }}
	}
	return all
}()

// ownSignatures are those of this package.
var ownSignatures = map[string]signature{
	"now":      {0, 1, now},
	"random":   {0, 0, func(m *meter, _ []any) (any, error) { return m.random(), nil }},
	"uuid":     {0, 0, func(m *meter, _ []any) (any, error) { return m.uuid(), nil }},
	"keys":     {1, 1, keys},
	"values":   {1, 1, values},
	"toPairs":  {1, 1, toPairs},
	"merge":    {1, -1, merge},
	"min":      {1, -1, func(m *meter, args []any) (any, error) { return extreme(m, "min", args, runtime.Less) }},
	"max":      {1, -1, func(m *meter, args []any) (any, error) { return extreme(m, "max", args, runtime.More) }},
	"flatten":  {1, 2, flatten},
	"uniq":     {1, 1, uniq},
	"string":   {1, 1, toString},
	"int":      {1, 1, toInt},
	"float":    {1, 1, toFloat},
	"join":     {1, 2, join},
	"replace":  {3, 4, replace},
	"repeat":   {2, 2, repeat},
	"concat":   {1, -1, concat},
	"toJSON":   {1, 1, toJSON},
	"fromJSON": {1, 1, f1(fromJSON)},
}

// ownFunctions are the library's options for these, made once.
var ownFunctions = sync.OnceValue(func() map[string]expr.Option {
	out := make(map[string]expr.Option, len(signatures))
	for name, sig := range signatures {
		out[name] = function(name, sig.least, sig.most, sig.f)
	}
	return out
})

// Functions returns the names of all functions, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functionNames())) }

// function makes the library's option of one of our functions. Each takes the
// meter, or nil, as its first argument, which the patcher adds.
func function(name string, least, most int, f function1) expr.Option {
	call := func(params ...any) (any, error) {
		m, _ := params[0].(*meter)
		v, err := f(m, params[1:])
		return v, told(err)
	}
	value := reflect.TypeFor[any]()
	var types []any
	for n := least; n <= most; n++ {
		types = append(types, funcType(slices.Repeat([]reflect.Type{value}, n+1), false))
	}
	if most < 0 {
		in := append(slices.Repeat([]reflect.Type{value}, least+1), reflect.TypeFor[[]any]())
		types = append(types, funcType(in, true))
	}
	return expr.Function(name, call, types...)
}

func funcType(in []reflect.Type, variadic bool) any {
	out := []reflect.Type{reflect.TypeFor[any]()}
	return reflect.New(reflect.FuncOf(in, out, variadic)).Interface()
}

// f1 and f2 adapt functions of one and two arguments.
func f1(f func(*meter, string) (any, error)) function1 {
	return func(m *meter, args []any) (any, error) {
		s, err := toolbox.Text(args[0])
		if err != nil {
			return nil, err
		}
		return f(m, s)
	}
}

func f2(f func(*meter, any, any) (any, error)) function1 {
	return func(m *meter, args []any) (any, error) { return f(m, args[0], args[1]) }
}

func fromJSON(m *meter, s string) (any, error) {
	if err := m.Step(len(s)); err != nil {
		return nil, err
	}
	return DecodeJSON([]byte(s))
}

func toJSON(m *meter, args []any) (any, error) { return canonicalText(m, args[0]) }

// canonicalText is a value as compact JSON.
func canonicalText(m *meter, v any) (string, error) {
	b, steps, err := jsonvalue.EncodeWithin(v, jsonvalue.MaxText)
	if err != nil {
		return "", err
	}
	if err := m.Step(steps); err != nil {
		return "", err
	}
	return string(b), m.Grow(len(b))
}

func toString(m *meter, args []any) (any, error) {
	if args[0] == nil {
		return nil, toolbox.WrongKind("text", nil)
	}
	s, err := jsonvalue.Text(args[0])
	if err != nil {
		return nil, err
	}
	return s, m.Grow(len(s))
}

func join(m *meter, args []any) (any, error) {
	l, err := needList(m, args[0])
	if err != nil {
		return nil, err
	}
	glue := ""
	if len(args) == 2 {
		if glue, err = toolbox.Text(args[1]); err != nil {
			return nil, err
		}
	}
	parts, size := make([]string, len(l)), len(glue)*len(l)
	for i, v := range l {
		if v == nil {
			return nil, toolbox.WrongKind("text", nil)
		}
		if parts[i], err = jsonvalue.Text(v); err != nil {
			return nil, err
		}
		if size += len(parts[i]); size > jsonvalue.MaxText {
			return nil, jsonvalue.ErrTooLong
		}
	}
	return strings.Join(parts, glue), m.Grow(size)
}

func replace(m *meter, args []any) (any, error) {
	var s [3]string
	for i := range s {
		var err error
		if s[i], err = toolbox.Text(args[i]); err != nil {
			return nil, err
		}
	}
	n := strings.Count(s[0], s[1])
	if len(args) == 4 {
		limit, err := toolbox.Int(args[3])
		if err != nil {
			return nil, err
		}
		if limit >= 0 {
			n = min(n, limit)
		}
	}
	if err := m.Grow(len(s[0]) + n*max(len(s[2])-len(s[1]), 0)); err != nil {
		return nil, err
	}
	return strings.Replace(s[0], s[1], s[2], n), nil
}

func repeat(m *meter, args []any) (any, error) {
	s, err := toolbox.Text(args[0])
	if err != nil {
		return nil, err
	}
	n, err := toolbox.Int(args[1])
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, &Error{Message: "a text cannot be repeated " + itoa(n) + " times"}
	}
	if len(s) > 0 && n > jsonvalue.MaxText/len(s) {
		return nil, jsonvalue.ErrTooLong
	}
	return strings.Repeat(s, n), m.Grow(n * len(s))
}

// contains and matches are the operators where they are metered; null has and
// matches nothing.
func contains(m *meter, a, b any) (any, error) {
	if a == nil || b == nil {
		return false, nil
	}
	s, part, err := twoTexts(a, b)
	if err != nil {
		return nil, err
	}
	return strings.Contains(s, part), m.Step(len(s) / 64)
}

func matches(m *meter, a, b any) (any, error) {
	if a == nil || b == nil {
		return false, nil
	}
	s, pattern, err := twoTexts(a, b)
	if err != nil {
		return nil, err
	}
	if err := m.Step(len(s) / 4); err != nil {
		return nil, err
	}
	re, err := m.pattern(pattern)
	if err != nil {
		return nil, err
	}
	return re.MatchString(s), nil
}

func twoTexts(a, b any) (x, y string, err error) {
	if x, err = toolbox.Text(a); err == nil {
		y, err = toolbox.Text(b)
	}
	return x, y, err
}

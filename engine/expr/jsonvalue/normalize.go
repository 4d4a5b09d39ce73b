package jsonvalue

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// MaxValues bounds how many parts a value may have. It is counted along each
// way to a value, so that lists which share parts cannot explode when written.
const MaxValues = 1_000_000

// ErrTooMany says that a value has more than MaxValues parts.
var ErrTooMany = fmt.Errorf("the value is too large: more than %d parts", MaxValues)

var errNotFinite = errors.New("the number is infinite or not a number (a division by zero?)")

// Normalize returns a value of JSON types only: integers become int64, times
// RFC 3339 text, durations text, maps have text keys. A value that is so
// already is returned as it is.
func Normalize(v any) (any, error) {
	n := normalizer{values: MaxValues}
	out, _, err := n.value(v, 0)
	return out, err
}

// Object returns a map of any kind of key as an object, and how many values
// that took.
func Object(m any) (o map[string]any, values int, err error) {
	v := reflect.ValueOf(m)
	if v.Kind() != reflect.Map {
		return nil, 0, errors.New("it is no object")
	}
	n := normalizer{values: MaxValues}
	out, err := n.mapping(v, 0)
	return out, MaxValues - n.values, err
}

type normalizer struct{ values int }

// value also tells whether the result differs from v.
func (n *normalizer) value(v any, depth int) (any, bool, error) {
	if n.values--; n.values < 0 || depth > maxDepth {
		return nil, false, ErrTooMany
	}
	switch v := v.(type) {
	case nil, bool, int64:
		return v, false, nil
	case string:
		if utf8.ValidString(v) {
			return v, false, nil
		}
		return string([]rune(v)), true, nil
	case float64:
		return n.float(v)
	case int:
		return int64(v), true, nil
	case []any:
		return n.list(v, depth)
	case map[string]any:
		return n.object(v, depth)
	case time.Time:
		return formatTime(v), true, nil
	case time.Duration:
		return v.String(), true, nil
	}
	out, err := n.other(reflect.ValueOf(v), depth)
	return out, true, err
}

func (n *normalizer) float(f float64) (any, bool, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, false, errNotFinite
	}
	v := canonical(f)
	_, whole := v.(int64)
	return v, whole, nil
}

func (n *normalizer) list(l []any, depth int) (any, bool, error) {
	if l == nil {
		return []any{}, true, nil
	}
	out, changed := l, false
	for i, v := range l {
		w, differs, err := n.value(v, depth+1)
		if err != nil {
			return nil, false, err
		}
		if differs {
			if !changed {
				out, changed = slices.Clone(l), true
			}
			out[i] = w
		}
	}
	return out, changed, nil
}

func (n *normalizer) object(m map[string]any, depth int) (any, bool, error) {
	if m == nil {
		return map[string]any{}, true, nil
	}
	var changes map[string]any
	for k, v := range m {
		w, differs, err := n.value(v, depth+1)
		if err != nil {
			return nil, false, err
		}
		if differs || !utf8.ValidString(k) {
			if changes == nil {
				changes = map[string]any{}
			}
			changes[k] = w
		}
	}
	if changes == nil {
		return m, false, nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		if w, ok := changes[k]; ok {
			v = w
		}
		out[string([]rune(k))] = v
	}
	return out, true, nil
}

// other handles what the expression language makes besides JSON types.
func (n *normalizer) other(v reflect.Value, depth int) (any, error) {
	switch v.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Uint() > math.MaxInt64 {
			return strconv.FormatUint(v.Uint(), 10), nil
		}
		return int64(v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		f, _, err := n.float(v.Float())
		return f, err
	case reflect.String:
		return string([]rune(v.String())), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Slice, reflect.Array:
		return n.sequence(v, depth)
	case reflect.Map:
		return n.mapping(v, depth)
	}
	if s, ok := v.Interface().(fmt.Stringer); ok && v.Kind() == reflect.Pointer && !v.IsNil() {
		return s.String(), nil // a time zone
	}
	return nil, fmt.Errorf("a %s is no value that a workflow can keep", v.Kind())
}

func (n *normalizer) sequence(v reflect.Value, depth int) (any, error) {
	if b, ok := v.Interface().([]byte); ok {
		return string([]rune(string(b))), nil
	}
	out := make([]any, v.Len())
	for i := range out {
		w, _, err := n.value(v.Index(i).Interface(), depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = w
	}
	return out, nil
}

func (n *normalizer) mapping(v reflect.Value, depth int) (map[string]any, error) {
	out := make(map[string]any, v.Len())
	for it := v.MapRange(); it.Next(); {
		k, err := keyText(it.Key().Interface())
		if err != nil {
			return nil, err
		}
		if _, twice := out[k]; twice {
			return nil, fmt.Errorf("two keys are both %.40q as text", k)
		}
		w, _, err := n.value(it.Value().Interface(), depth+1)
		if err != nil {
			return nil, err
		}
		out[k] = w
	}
	return out, nil
}

// keyText returns a map key as text; groupBy makes keys of any type.
func keyText(k any) (string, error) {
	if k == nil {
		return "", errors.New("null cannot be a key: add ?? ''")
	}
	return Text(k)
}

func formatTime(t time.Time) string { return t.Format(time.RFC3339Nano) }

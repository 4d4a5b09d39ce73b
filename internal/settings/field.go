package settings

import (
	"fmt"
	"reflect"
	"strconv"
)

// fieldOf returns the field that a key names, or the zero Value.
func fieldOf(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// isPath tells whether a field holds a path, which in a file begins in the
// file's own folder.
func isPath(section reflect.Value, key string) bool {
	for i := range section.NumField() {
		if tag := section.Type().Field(i).Tag; tag.Get("yaml") == key {
			return tag.Get("config") == "path"
		}
	}
	return false
}

func keysOf(v reflect.Value) (keys []string) {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "" {
			continue // the value itself, where that is written as one text
		}
		keys = append(keys, key)
		if canHold(v.Field(i)) {
			keys = append(keys, key+fileSuffix)
		}
	}
	return keys
}

// put sets an entry of a map that may not be there yet.
func put(m reflect.Value, key string, v reflect.Value) {
	if m.IsNil() {
		m.Set(reflect.MakeMap(m.Type()))
	}
	m.SetMapIndex(reflect.ValueOf(key), v)
}

// isScalar tells whether a value is written as one text.
func isScalar(v reflect.Value) bool {
	if _, ok := v.Addr().Interface().(settable); ok {
		return true
	}
	return v.Kind() == reflect.String || v.Kind() == reflect.Int || v.Kind() == reflect.Bool
}

// hasKeys tells whether a value that is written as one text may have keys instead.
func hasKeys(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(*Known)
	return ok
}

func setScalar(v reflect.Value, text string) error {
	if s, ok := v.Addr().Interface().(settable); ok {
		return s.set(text)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(text == "true")
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%q is no whole number", text)
	}
	v.SetInt(int64(n))
	return nil
}

// canHold tells whether a file may hold the value.
func canHold(v reflect.Value) bool {
	if !v.CanAddr() {
		return false
	}
	switch v.Addr().Interface().(type) {
	case fromFile, *[]Secret:
		return true
	}
	return false
}

func setFile(v reflect.Value, path, from string) {
	switch to := v.Addr().Interface().(type) {
	case fromFile:
		to.setFile(path, from)
	case *[]Secret:
		*to = []Secret{{file: path, from: from}}
	}
}

// suggest returns a hint for a mistyped name.
func suggest(name string, names []string) string {
	best, least := "", len(name)/3+1
	for _, n := range names {
		if d := distance(name, n); d <= least {
			best, least = n, d-1
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

package settings

import (
	"reflect"
	"slices"
	"strings"
)

// envPrefix begins the names of environment variables that are ours.
const envPrefix = "ZFLOW_"

// environ lays environment variables over the configuration: the name is the
// path in capitals with "_" between, ZFLOW_INGEST_LISTEN; a list is
// comma-separated.
func (l *loading) environ(vars, others []string) {
	for _, entry := range slices.Sorted(slices.Values(vars)) {
		name, value, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours || slices.Contains(others, name) {
			continue
		}
		e := &envLayer{l, name, value}
		if !e.section(reflect.ValueOf(l.config).Elem(), "", rest) {
			l.fault(name, "this environment variable is not known%s", suggest(name, append(envNames(reflect.TypeFor[Config](), envPrefix), others...)))
		}
	}
}

// envLayer is an environment variable on its way into a configuration.
type envLayer struct {
	*loading
	name, value string
}

// section finds, in a section at path, what the rest of the name means.
func (e *envLayer) section(v reflect.Value, path, rest string) bool {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		f, upper := v.Field(i), strings.ToUpper(key)
		if e.leaf(f, join(path, key), upper, rest) {
			return true
		}
		below, ok := strings.CutPrefix(rest, upper+"_")
		switch {
		case !ok || isLeaf(f):
		case f.Kind() == reflect.Map && e.entry(f, join(path, key), below),
			f.Kind() == reflect.Struct && e.section(f, join(path, key), below):
			return true
		}
	}
	return false
}

// leaf sets a value that has the name, or is held by the file that has it.
func (e *envLayer) leaf(v reflect.Value, path, upper, rest string) bool {
	if !isLeaf(v) {
		return false
	}
	switch {
	case rest == upper:
		e.where[path] = e.name
		e.set(v, path)
	case rest == upper+strings.ToUpper(fileSuffix) && canHold(v):
		e.where[path] = e.name
		setFile(v, e.value, e.name)
	default:
		return false
	}
	return true
}

func isLeaf(v reflect.Value) bool { return isScalar(v) || v.Kind() == reflect.Slice }

func (e *envLayer) set(v reflect.Value, path string) {
	texts := []string{e.value}
	if v.Kind() == reflect.Slice {
		texts = strings.FieldsFunc(e.value, func(r rune) bool { return r == ',' || r == ' ' })
		v.Set(reflect.MakeSlice(v.Type(), len(texts), len(texts)))
	}
	for i, text := range texts {
		to := v
		if v.Kind() == reflect.Slice {
			to = v.Index(i)
		}
		if err := setScalar(to, text); err != nil {
			e.fault(e.name, "%s: %v", path, err)
		}
	}
}

// entry sets an entry of a map: <NAME> alone where the entries are single
// values, <NAME>_<FIELD> where they are sections.
func (e *envLayer) entry(m reflect.Value, path, rest string) bool {
	if elem := reflect.New(m.Type().Elem()).Elem(); isLeaf(elem) {
		upper := strings.TrimSuffix(rest, strings.ToUpper(fileSuffix))
		key := keyFor(m, upper)
		if !e.leaf(elem, join(path, key), upper, rest) {
			return false
		}
		put(m, key, elem)
		return true
	}
	for _, field := range envNames(m.Type().Elem(), "") {
		upper, ok := strings.CutSuffix(rest, "_"+field)
		if !ok || upper == "" {
			continue
		}
		key := keyFor(m, upper)
		elem := reflect.New(m.Type().Elem()).Elem()
		if there := m.MapIndex(reflect.ValueOf(key)); there.IsValid() {
			elem.Set(there)
		}
		if e.section(elem, join(path, key), field) {
			put(m, key, elem)
			return true
		}
	}
	return false
}

// keyFor returns the key of m that is written so in capitals, or the one that a
// new entry gets.
func keyFor(m reflect.Value, upper string) string {
	for _, key := range sortedKeys(m) {
		if strings.ToUpper(strings.ReplaceAll(key.String(), "-", "_")) == upper {
			return key.String()
		}
	}
	return strings.ToLower(upper)
}

// envNames returns the names of environment variables for the values of a section,
// longest first, so that CLIENT_SECRET_FILE is not taken for an entry's own name.
func envNames(section reflect.Type, prefix string) (all []string) {
	for i := range section.NumField() {
		f := section.Field(i)
		name := prefix + strings.ToUpper(f.Tag.Get("yaml"))
		switch v := reflect.New(f.Type).Elem(); {
		case isLeaf(v):
			all = append(all, name)
			if canHold(v) {
				all = append(all, name+strings.ToUpper(fileSuffix))
			}
		case f.Type.Kind() == reflect.Struct:
			all = append(all, envNames(f.Type, name+"_")...)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

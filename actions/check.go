package actions

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Check tells how a value, which it calls it, differs from its schema.
func (s Schema) Check(v any) []string { return s.check(v, "it") }

func (s Schema) check(v any, at string) (problems []string) {
	if s.Type != "" && !typed(s.Type, v) {
		return []string{fmt.Sprintf("%s is a %T, want %s", at, v, s.Type)}
	}
	if text, ok := v.(string); ok && len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		problems = append(problems, fmt.Sprintf("%s is %q, want one of %q", at, text, s.Enum))
	}
	if object, ok := v.(map[string]any); ok && s.Type == "object" {
		problems = append(problems, s.checkObject(object, at)...)
	}
	list, ok := v.([]any)
	if !ok || s.Items == nil {
		return problems
	}
	for i, item := range list {
		problems = append(problems, s.Items.check(item, fmt.Sprintf("%s[%d]", at, i))...)
	}
	return problems
}

func (s Schema) checkObject(object map[string]any, at string) (problems []string) {
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			problems = append(problems, at+"."+name+" is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		field, known := s.Fields[name]
		switch {
		case known:
			problems = append(problems, field.check(object[name], at+"."+name)...)
		case !s.Open:
			problems = append(problems, at+"."+name+" is not in the schema")
		}
	}
	return problems
}

func typed(want string, v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case int64:
		return want == "integer" || want == "number"
	case float64:
		return want == "number" || want == "integer" && v == math.Trunc(v)
	case []any:
		return want == "array"
	case map[string]any:
		return want == "object"
	}
	return false
}

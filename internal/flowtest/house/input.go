package house

import (
	"strings"

	"zflow/actions"
)

// inputProblems says what of an input the real action would refuse. null and the
// empty text are as if they were not there, and whole numbers may stand for text.
func inputProblems(s actions.Schema, input map[string]any) string {
	given := map[string]any{}
	for name, v := range input {
		if v == nil || v == "" {
			continue
		}
		if _, number := v.(int64); number && s.Fields[name].Type == "string" {
			continue
		}
		given[name] = v
	}
	for _, name := range s.Required {
		if v, ok := input[name]; ok && v != nil && v != "" && given[name] == nil {
			given[name] = "a number as text"
		}
	}
	problems := s.Check(given)
	for i, p := range problems {
		problems[i] = strings.TrimPrefix(p, "it.")
	}
	return strings.Join(problems, "; ")
}

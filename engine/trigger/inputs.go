package trigger

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zflow/engine/expr"
)

// handed says what is wrong with what a caller hands over, by the names and types that the
// workflow gives its inputs; nil: nothing. What else it hands over is not looked at.
func handed(inputs map[string]string, body []byte) error {
	if len(inputs) == 0 || len(body) == 0 { // it is kept elsewhere, for its size
		return nil
	}
	v, err := expr.DecodeJSON(body)
	if err != nil {
		return fmt.Errorf("reading the inputs: %w", err)
	}
	given, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		kind, optional := strings.CutSuffix(inputs[name], "?")
		v, there := given[name]
		switch {
		case v == nil && (optional || there && kind == "any"):
		case v == nil:
			return fmt.Errorf("the input %s is missing: it is %s", name, kind)
		case kind != "any" && !is(v, kind):
			return fmt.Errorf("the input %s is %s, not %s", name, kindOf(v), kind)
		}
	}
	return nil
}

func is(v any, kind string) bool {
	got := kindOf(v)
	return got == kind || kind == "number" && got == "integer"
}

// kindOf is the type of a value, as the language names it.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "text"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case map[string]any:
		return "object"
	case []any:
		return "list"
	}
	return "integer"
}

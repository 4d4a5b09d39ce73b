package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"zflow/engine/expr/toolbox"
)

// toInt makes a whole number of a number or a text; a fraction is cut off.
func toInt(_ *meter, args []any) (any, error) {
	switch v := args[0].(type) {
	case int:
		return v, nil
	case int64:
		return int(v), nil
	case float64:
		if math.IsNaN(v) || v >= 1<<63 || v < -1<<63 {
			return nil, &Error{Message: "the number does not fit into 64 bits"}
		}
		return int(v), nil
	case string:
		n, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil {
			return nil, noNumber(v, "whole number", err)
		}
		return n, nil
	}
	return nil, toolbox.WrongKind("a number", args[0])
}

// toFloat makes a number of a number or a text.
func toFloat(_ *meter, args []any) (any, error) {
	switch v := args[0].(type) {
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return nil, noNumber(v, "number", err)
		}
		return f, nil
	}
	return nil, toolbox.WrongKind("a number", args[0])
}

func noNumber(s, wanted string, err error) error {
	if isRange(err) {
		return &Error{Message: short(s) + " does not fit into 64 bits", Hint: "keep it as text"}
	}
	return &Error{Message: short(s) + " is no " + wanted}
}

// isRange tells whether a number could be read, but is too large.
func isRange(err error) bool {
	n, ok := err.(*strconv.NumError) //nolint:errorlint // strconv documents this type
	return ok && n.Err == strconv.ErrRange
}

// whole returns an integer operand.
func whole(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	}
	return 0, false
}

// overflows tells whether whole numbers leave 64 bits, which the library would not
// notice.
func overflows(operator string, a, b int) bool {
	switch operator {
	case "+":
		return b > 0 && a > math.MaxInt-b || b < 0 && a < math.MinInt-b
	case "-":
		return b < 0 && a > math.MaxInt+b || b > 0 && a < math.MinInt+b
	case "*":
		return a != 0 && (a*b/a != b || a == -1 && b == math.MinInt)
	}
	return false
}

func errOverflow(operator string) error {
	return &Error{Message: fmt.Sprintf("the result of %s does not fit into 64 bits", operator)}
}

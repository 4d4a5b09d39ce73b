package expr

import (
	"regexp"
	"strings"
)

// The library's words for operands that do not go together, at run and at load.
var (
	mixedAtRun  = regexp.MustCompile(`^invalid operation: (\S.*) (\S{1,2}) (\S.*)$`)
	mixedAtLoad = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (\S.*) and (\S.*)\)$`)
)

// operands rewrites a message about operands that do not go together; ok is false
// where it is about something else.
func operands(message string) (e *Error, ok bool) {
	operator, left, right := "", "", ""
	if m := mixedAtLoad.FindStringSubmatch(message); m != nil {
		operator, left, right = m[1], operand(m[2]), operand(m[3])
	} else if m := mixedAtRun.FindStringSubmatch(message); m != nil {
		operator, left, right = m[2], operand(m[1]), operand(m[3])
	} else {
		return nil, false
	}
	e = &Error{Message: operator + " does not work with " + left + " and " + right}
	has := func(kind string) bool { return left == kind || right == kind }
	switch {
	case !has("text"):
	case has("a time"), has("a duration"):
		e.Hint = "date() makes a time of a text, duration() a duration"
	case has("a number") && operator == "+":
		e.Hint = "string() makes a text of a number"
	case has("a number"):
		e.Hint = "int() makes a number of a text"
	}
	return e, true
}

// operand names a type of the library's messages.
func operand(s string) string {
	switch s = strings.TrimSpace(s); s {
	case "time.Time":
		return "a time"
	case "time.Duration":
		return "a duration"
	case "nil", "<nil>", "unknown":
		return "null"
	}
	return goKind(s)
}

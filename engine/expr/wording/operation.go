package wording

import (
	"regexp"
	"strings"
)

// The library's words for operands that do not go together, at run and at load.
var (
	mixedAtRun  = regexp.MustCompile(`^invalid operation: (\S.*) ([-+*/%^<>=!]{1,2}|in) (\S.*)$`)
	mixedAtLoad = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (\S.*) and (\S.*)\)$`)
)

// operands rewrites a message about operands that do not go together; ok is false
// where it is about something else.
func operands(message string) (said, hint string, ok bool) {
	operator, left, right := "", "", ""
	if m := mixedAtLoad.FindStringSubmatch(message); m != nil {
		operator, left, right = m[1], operand(m[2]), operand(m[3])
	} else if m := mixedAtRun.FindStringSubmatch(message); m != nil {
		operator, left, right = m[2], operand(m[1]), operand(m[3])
	} else {
		return "", "", false
	}
	said = operator + " does not work with " + left + " and " + right
	if left == anything || right == anything {
		said = operator + " does not work with " + strings.Trim(strings.ReplaceAll(left+" "+right, anything, ""), " ")
	}
	has := func(kind string) bool { return left == kind || right == kind }
	switch {
	case has("a number") && has("a time"):
		hint = "duration('1d') is a day"
	case !has("text"):
	case has("a time"), has("a duration"), operator == "-":
		hint = "date() makes a time of a text, duration() a duration"
	case has("a number") && operator == "+":
		hint = "string() makes a text of a number"
	case has("a number"):
		hint = "int() makes a number of a text"
	}
	return said, hint, true
}

// anything is an operand of which nothing is known.
const anything = "any value"

// operand names a type of the library's messages.
func operand(s string) string {
	switch s = strings.TrimSpace(s); s {
	case "time.Time":
		return "a time"
	case "time.Duration":
		return "a duration"
	case "nil", "<nil>", "zero":
		return "null"
	case "unknown", "interface {}":
		return anything
	}
	return Kind(s)
}

var converted = regexp.MustCompile(`is (\S+), not (\S+)`)

func conversion(message string) (string, bool) {
	if !strings.Contains(message, "interface conversion") {
		return "", false
	}
	m := converted.FindStringSubmatch(strings.NewReplacer("interface {}", "any", "map[string]any", "map").Replace(message))
	if m == nil {
		return "the value is of the wrong type", true
	}
	return Kind(m[2]) + " is needed here, this is " + Kind(m[1]), true
}

// Kind names a type of Go for people.
func Kind(s string) string {
	switch {
	case s == "string":
		return "text"
	case s == "bool":
		return "true or false"
	case s == "[]uint8":
		return "text"
	case strings.HasPrefix(s, "int"), strings.HasPrefix(s, "float"):
		return "a number"
	case strings.HasPrefix(s, "map"):
		return "an object"
	case strings.HasPrefix(s, "[]"):
		return "a list"
	}
	return "something else"
}

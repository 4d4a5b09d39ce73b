// Package toolbox has functions of expressions that need no more than their
// arguments: times, codes, CSV. Package expr lists them and tells their errors.
//
// Obligations:
//
//  1. The same arguments give the same result, on every machine.
//  2. What a function makes is charged to the meter before, or while, it is made.
//  3. Arguments are not changed.
package toolbox

import (
	"fmt"
	"strconv"
	"time"

	"zflow/engine/expr/moment"
)

// Meter bounds an evaluation: both return an error once it has done too much.
type Meter interface {
	Step(n int) error // n values are looked at or made
	Grow(n int) error // a text of n bytes is made
}

// Function is one of the functions; its arguments were counted.
type Function = func(m Meter, args []any) (any, error)

// Signature is how a function may be called.
type Signature struct {
	Least, Most int
	Call        Function
}

// Functions returns those of this package, by name.
func Functions() map[string]Signature {
	return map[string]Signature{
		"date":       {1, 3, date},
		"duration":   {1, 1, duration},
		"timezone":   {1, 1, timezone},
		"format":     {2, 3, format},
		"within":     {2, 3, within},
		"addTime":    {3, 4, addTime},
		"diffTime":   {3, 4, diffTime},
		"startOf":    {2, 3, edge(moment.StartOf)},
		"endOf":      {2, 3, edge(moment.EndOf)},
		"nextTime":   {2, 3, nextTime},
		"md5":        {1, 1, digest(md5Hex)},
		"sha1":       {1, 1, digest(sha1Hex)},
		"sha256":     {1, 1, digest(sha256Hex)},
		"sha512":     {1, 1, digest(sha512Hex)},
		"toBase64":   {1, 2, toBase64},
		"fromBase64": {1, 1, f1(fromBase64)},
		"toHex":      {1, 1, f1(toHex)},
		"fromHex":    {1, 1, f1(fromHex)},
		"toURL":      {1, 1, f1(toURL)},
		"fromURL":    {1, 1, f1(fromURL)},
		"toQuery":    {1, 1, toQuery},
		"fromQuery":  {1, 1, f1(fromQuery)},
		"toCSV":      {1, 3, toCSV},
		"fromCSV":    {1, 2, fromCSV},
	}
}

// Error is what is wrong with an argument, and what to do about it.
type Error struct {
	Message string
	Hint    string // may be empty
	Missing bool   // an argument is null
}

// Error returns the message and the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + ": " + e.Hint
}

// Text returns an argument that is text.
func Text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", WrongKind("text", v)
}

// Int returns an argument that is a whole number.
func Int(v any) (int, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case int64:
		return int(v), nil
	}
	return 0, WrongKind("a whole number", v)
}

// WrongKind says what was wanted; a missing value has its own hint.
func WrongKind(wanted string, got any) error {
	if got == nil {
		return &Error{Message: "a value is missing where " + wanted + " is needed", Hint: "add ?? with what to use instead", Missing: true}
	}
	return &Error{Message: wanted + " is needed here, this is " + Kind(got)}
}

// Kind names the type of a value for people, such as a list or text.
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case int, int64, float64:
		return "a number"
	case string:
		return "text"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	case map[string]any, map[any][]any:
		return "an object"
	case []any, []string, []int:
		return "a list"
	}
	return fmt.Sprintf("a %T", v)
}

// f1 adapts a function of one text.
func f1(f func(Meter, string) (any, error)) Function {
	return func(m Meter, args []any) (any, error) {
		s, err := Text(args[0])
		if err != nil {
			return nil, err
		}
		return f(m, s)
	}
}

// short returns a text that is safe to show in a message.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

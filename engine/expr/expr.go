package expr

import (
	"strconv"
	"strings"
	"time"

	"zflow/engine/expr/jsonvalue"
)

// Env is what an expression sees, by root name: event, trigger, steps, vars,
// secrets, run, step, error. Values are normalised JSON: nil, bool, int64,
// float64, string, []any, map[string]any.
type Env map[string]any

// Clock gives an evaluation what may differ from one to the next, from the
// run's facts: Now is the run's time; Seed makes random() and uuid().
type Clock struct {
	Now  time.Time
	Seed string
}

// DecodeJSON reads one JSON value: jsonvalue.Decode.
func DecodeJSON(data []byte) (any, error) { return jsonvalue.Decode(data) }

// EncodeJSON writes a value as compact JSON with sorted names: jsonvalue.Encode.
func EncodeJSON(v any) ([]byte, error) { return jsonvalue.Encode(v) }

// Normalize returns a value of JSON types only: jsonvalue.Normalize.
func Normalize(v any) (any, error) { return jsonvalue.Normalize(v) }

// Error is what is wrong with an expression, fit for the user to read.
type Error struct {
	Path    []string // in a template's tree, to the text; nil: the expression stands alone
	Line    int      // in the text, from 1; 0: unknown
	Column  int      // in runes, from 1
	Message string
	Hint    string // what to do about it; may be empty
	Syntax  bool   // it cannot be read at all; part of it may have got lost

	missing bool // it is about an argument that is null
}

// Error returns path, message and hint, without the position.
func (e *Error) Error() string {
	var b strings.Builder
	if len(e.Path) > 0 {
		b.WriteString(strings.Join(e.Path, "."))
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(": ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Errors is everything that is wrong with a template.
type Errors []*Error

// Error returns all of them, one a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// at returns e under one more path element, for errors found deeper in a tree.
func (e *Error) at(path []string) *Error {
	c := *e
	c.Path = append([]string{}, path...)
	return &c
}

// shift moves the position of an error in an expression to its place in the
// text around it, where the expression starts at this line and column.
func (e *Error) shift(line, column int) *Error {
	c := *e
	if c.Line == 0 {
		c.Line, c.Column = 1, 1
	}
	if c.Line == 1 {
		c.Column += column - 1
	}
	c.Line += line - 1
	return &c
}

// short returns a text that is safe to show in a message.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

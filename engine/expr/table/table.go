// Package table reads and writes CSV (RFC 4180), record by record.
//
// Obligations:
//
//  1. A reader holds one record at a time, of at most MaxRecord bytes.
//  2. What cannot be read is an *Error with its line.
//  3. What Writer writes, Reader reads back, unless formulas are guarded.
package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxRecord bounds a record, and MaxColumns how many fields it has.
const (
	MaxRecord  = 1 << 20
	MaxColumns = 10_000
)

// Options say how a table is written. The zero value is RFC 4180 with a header.
type Options struct {
	Delimiter rune // 0: a comma
	Bare      bool // there is no header
	Guard     bool // texts that a spreadsheet would take for formulas get a ' before them
}

// Error is what is wrong with a table.
type Error struct {
	Message string
	Hint    string // may be empty
}

// Error returns the message and the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + ": " + e.Hint
}

// Delimiter reads what may part fields.
func Delimiter(s string) (rune, error) {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || n != len(s) || r == utf8.RuneError || strings.ContainsRune("\"\r\n\ufeff\x00", r) {
		return 0, &Error{Message: fmt.Sprintf("%.20q is no delimiter", s), Hint: `write one character, such as ',' or ';' or "\t"`}
	}
	return r, nil
}

// Reader reads records.
type Reader struct {
	options Options
	from    *csv.Reader
	limit   *limited
	header  []string
	width   int
}

// NewReader returns a reader, which has read the header if there is one: an empty
// table has none.
func NewReader(from io.Reader, o Options) (*Reader, error) {
	limit := &limited{from: bufio.NewReaderSize(from, 64<<10)}
	r := &Reader{options: o, limit: limit, from: csv.NewReader(limit), width: -1}
	if start, _ := limit.from.Peek(3); bytes.Equal(start, []byte("\ufeff")) {
		_, _ = limit.from.Discard(3)
	}
	r.from.FieldsPerRecord = -1
	if o.Delimiter != 0 {
		r.from.Comma = o.Delimiter
	}
	if o.Bare {
		return r, nil
	}
	header, err := r.record()
	if errors.Is(err, io.EOF) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		switch name = header[i]; {
		case name == "":
			return nil, &Error{Message: fmt.Sprintf("column %d has no name in the header", i+1), Hint: "header: false gives lists"}
		case seen[name]:
			return nil, &Error{Message: fmt.Sprintf("the header has the column %.60q twice", name), Hint: "header: false gives lists"}
		}
		seen[name] = true
	}
	r.header, r.width = header, len(header)
	return r, nil
}

// Header returns the names of the columns; nil where there is none.
func (r *Reader) Header() []string { return r.header }

// Next returns the next record, or io.EOF.
func (r *Reader) Next() ([]string, error) {
	fields, err := r.record()
	if err != nil {
		return nil, err
	}
	if r.width < 0 {
		return fields, nil
	}
	if len(fields) != r.width {
		line, _ := r.from.FieldPos(0)
		return nil, &Error{
			Message: fmt.Sprintf("line %d has %d fields, and the header %d", line, len(fields), r.width),
			Hint:    "is another delimiter meant? header: false gives the lines as lists",
		}
	}
	return fields, nil
}

// Value returns a record as an object by the header, or else as a list.
func (r *Reader) Value(record []string) any {
	if r.header == nil {
		list := make([]any, len(record))
		for i, s := range record {
			list[i] = s
		}
		return list
	}
	object := make(map[string]any, len(record))
	for i, s := range record {
		object[r.header[i]] = s
	}
	return object
}

func (r *Reader) record() ([]string, error) {
	r.limit.left = MaxRecord
	fields, err := r.from.Read()
	var bad *csv.ParseError
	switch {
	case err == nil && len(fields) > MaxColumns:
		return nil, &Error{Message: fmt.Sprintf("a line has more than %d fields", MaxColumns)}
	case err == nil, errors.Is(err, io.EOF):
		return fields, err
	case errors.Is(err, errLong):
		return nil, &Error{Message: fmt.Sprintf("a record is longer than %d KiB", MaxRecord>>10), Hint: "is a quote missing at the end of a field?"}
	case errors.As(err, &bad):
		return nil, said(bad)
	}
	return nil, err
}

func said(e *csv.ParseError) *Error {
	switch {
	case errors.Is(e.Err, csv.ErrBareQuote):
		return &Error{Message: fmt.Sprintf("line %d has a quote inside a field without quotes", e.Line), Hint: `put the field into quotes, and write "" for one in it`}
	case e.StartLine != e.Line:
		return &Error{Message: fmt.Sprintf("the quoted field that begins on line %d does not end", e.StartLine), Hint: `write "" for a quote in it`}
	case errors.Is(e.Err, csv.ErrQuote):
		return &Error{Message: fmt.Sprintf("line %d has a quote in the middle of a quoted field, or one that does not end", e.Line), Hint: `write "" for a quote in it`}
	}
	return &Error{Message: fmt.Sprintf("line %d cannot be read: %v", e.Line, e.Err)}
}

var errLong = errors.New("too long")

// limited stops a record that does not end. What is read ahead of it counts too, so
// that a record may be as much longer as the buffers are.
type limited struct {
	from *bufio.Reader
	left int
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLong
	}
	n, err := l.from.Read(b)
	l.left -= n
	return n, err
}

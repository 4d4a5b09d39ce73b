package table

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"zflow/engine/expr/jsonvalue"
)

// Columns returns the columns of a list of objects where none are given: all names,
// sorted, since an object has no order. For lists it is nil.
func Columns(rows []any) []string {
	names := map[string]bool{}
	for _, row := range rows {
		object, _ := row.(map[string]any)
		for name := range object {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Writer writes records.
type Writer struct {
	options Options
	to      io.Writer
	columns []string
}

// NewWriter returns a writer that has written the header, unless there are no columns
// or the options say so.
func NewWriter(to io.Writer, columns []string, o Options) (*Writer, error) {
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	w := &Writer{options: o, to: to, columns: columns}
	if o.Bare || len(columns) == 0 {
		return w, nil
	}
	header := make([]any, len(columns))
	for i, c := range columns {
		header[i] = c
	}
	return w, w.record(header)
}

// Write writes an object by the columns, or a list as it is. n counts rows for errors,
// from 0.
func (w *Writer) Write(row any, n int) error {
	switch row := row.(type) {
	case []any:
		if len(w.columns) > 0 && len(row) != len(w.columns) {
			return &Error{Message: fmt.Sprintf("row %d has %d fields, and there are %d columns", n, len(row), len(w.columns))}
		}
		return w.record(row)
	case map[string]any:
		if len(w.columns) == 0 {
			return &Error{Message: "there are no columns", Hint: "name them, or leave them out for all fields"}
		}
		record := make([]any, len(w.columns))
		for i, c := range w.columns {
			record[i] = row[c]
		}
		return w.record(record)
	}
	return &Error{Message: fmt.Sprintf("row %d is no object and no list", n), Hint: "map() makes one of each element"}
}

func (w *Writer) record(values []any) error {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteRune(w.options.Delimiter)
		}
		s, err := w.field(v)
		if err != nil {
			return err
		}
		if s == "" && len(values) == 1 {
			s = `""` // an empty line would be no record
		}
		b.WriteString(s)
	}
	b.WriteString("\r\n")
	_, err := io.WriteString(w.to, b.String())
	return err
}

func (w *Writer) field(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	s, err := jsonvalue.Text(v)
	if err != nil {
		return "", err
	}
	if _, text := v.(string); text && w.options.Guard && formula(s) {
		s = "'" + s
	}
	if strings.ContainsAny(s, "\"\r\n") || strings.ContainsRune(s, w.options.Delimiter) || strings.TrimSpace(s) != s {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s, nil
}

// formula tells whether a spreadsheet would calculate a text.
func formula(s string) bool { return s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) }

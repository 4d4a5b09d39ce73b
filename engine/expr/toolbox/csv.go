package toolbox

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"zflow/engine/expr/jsonvalue"
	"zflow/engine/expr/table"
)

// fromCSV is fromCSV(text, {header: true, delimiter: ','}).
func fromCSV(m Meter, args []any) (any, error) {
	s, err := Text(args[0])
	if err != nil {
		return nil, err
	}
	o, err := csvOptions(args[1:], false)
	if err != nil {
		return nil, err
	}
	if err := m.Step(len(s) / 4); err != nil {
		return nil, err
	}
	r, err := table.NewReader(strings.NewReader(s), o)
	if err != nil {
		return nil, tableError(err)
	}
	out, parts := []any{}, 0
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, tableError(err)
		}
		if parts += len(record) + 1; parts > jsonvalue.MaxValues {
			return nil, jsonvalue.ErrTooMany
		}
		out = append(out, r.Value(record))
	}
}

// toCSV is toCSV(list, columns, {header: true, delimiter: ',', guard: false}).
func toCSV(m Meter, args []any) (any, error) {
	rows, err := list(m, args[0], "a list")
	if err != nil {
		return nil, err
	}
	columns := table.Columns(rows)
	if len(args) > 1 && args[1] != nil {
		if columns, err = names(m, args[1]); err != nil {
			return nil, err
		}
	}
	o, err := csvOptions(args[min(2, len(args)):], true)
	if err != nil {
		return nil, err
	}
	return writeCSV(m, rows, columns, o)
}

// list returns the elements of a list of any kind, as JSON values.
func list(m Meter, v any, wanted string) ([]any, error) {
	plain, err := jsonvalue.Normalize(v)
	if err != nil {
		return nil, err
	}
	l, ok := plain.([]any)
	if !ok {
		return nil, WrongKind(wanted, v)
	}
	return l, m.Step(len(l))
}

func names(m Meter, v any) ([]string, error) {
	l, err := list(m, v, "a list of columns")
	if err != nil {
		return nil, err
	}
	out := make([]string, len(l))
	for i, name := range l {
		if out[i], err = Text(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func writeCSV(m Meter, rows []any, columns []string, o table.Options) (any, error) {
	b := &text{meter: m}
	w, err := table.NewWriter(b, columns, o)
	if err != nil {
		return nil, tableError(err)
	}
	for i, row := range rows {
		if err := w.Write(row, i); err != nil {
			return nil, tableError(err)
		}
	}
	return b.String(), nil
}

// text is one that is made bit by bit, within the limits.
type text struct {
	strings.Builder
	meter Meter
}

// Write appends, or refuses.
func (t *text) Write(b []byte) (int, error) {
	if t.Len()+len(b) > jsonvalue.MaxText {
		return 0, jsonvalue.ErrTooLong
	}
	if err := t.meter.Grow(len(b)); err != nil {
		return 0, err
	}
	return t.Builder.Write(b)
}

// WriteString does the same.
func (t *text) WriteString(s string) (int, error) { return t.Write([]byte(s)) }

func csvOptions(args []any, writes bool) (o table.Options, err error) {
	if len(args) == 0 || args[0] == nil {
		return o, nil
	}
	given, ok := args[0].(map[string]any)
	if !ok {
		return o, WrongKind("an object of options", args[0])
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := csvOption(&o, name, given[name], writes); err != nil {
			return o, err
		}
	}
	return o, nil
}

func csvOption(o *table.Options, name string, v any, writes bool) error {
	flag, isFlag := v.(bool)
	switch {
	case name == "delimiter":
		s, err := Text(v)
		if err != nil {
			return err
		}
		o.Delimiter, err = table.Delimiter(s)
		return tableError(err)
	case name != "header" && (name != "guard" || !writes):
		return &Error{Message: "there is no option " + short(name), Hint: optionNames(writes)}
	case !isFlag:
		return &Error{Message: "the option " + name + " is true or false"}
	case name == "header":
		o.Bare = !flag
	default:
		o.Guard = flag
	}
	return nil
}

func optionNames(writes bool) string {
	if writes {
		return "there is header, delimiter, guard"
	}
	return "there is header, delimiter"
}

func tableError(err error) error {
	var e *table.Error
	if errors.As(err, &e) {
		return &Error{Message: e.Message, Hint: e.Hint}
	}
	return err
}

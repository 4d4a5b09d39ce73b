package csv

import (
	"bufio"
	"io"

	"zflow/actions"
	"zflow/engine/expr/table"
)

func write(to io.Writer, rows []any, q *asked) error {
	b := bufio.NewWriterSize(to, 32<<10)
	w, err := table.NewWriter(b, q.columns, q.Options)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if err := w.Write(row, i); err != nil {
			return err
		}
	}
	return b.Flush()
}

func askedOf(input map[string]any) (*asked, error) {
	q := &asked{limit: maxRows}
	if v := input["delimiter"]; v != nil {
		s, _ := v.(string)
		var err error
		if q.Delimiter, err = table.Delimiter(s); err != nil {
			return nil, actions.Final("%v", err)
		}
	}
	header, err := actions.FlagIn(input, "header", true)
	if err != nil {
		return nil, err
	}
	if q.Guard, err = actions.FlagIn(input, "guard", false); err != nil {
		return nil, err
	}
	q.Bare = !header
	if q.skip, err = number(input, "skip", 0, 1<<40); err != nil {
		return nil, err
	}
	if q.limit, err = number(input, "limit", maxRows, maxRows); err != nil {
		return nil, err
	}
	return q, q.readColumns(input["columns"])
}

func (q *asked) readColumns(v any) error {
	list, ok := v.([]any)
	if v != nil && !ok {
		return actions.Final("columns is a list of names")
	}
	for i, v := range list {
		name, ok := v.(string)
		if !ok {
			return actions.Final("columns[%d] is no name", i)
		}
		q.columns = append(q.columns, name)
	}
	return nil
}

func number(input map[string]any, name string, other, most int64) (int64, error) {
	v := input[name]
	if v == nil {
		return other, nil
	}
	n, ok := v.(int64)
	if !ok || n < 0 || n > most {
		return 0, actions.Final("%s is a number from 0 to %d", name, most)
	}
	return n, nil
}

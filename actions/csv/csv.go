// Package csv has the actions csv.parse and csv.format: tables in files, of any size.
//
// Obligations:
//
//  1. A file is read and written record by record: no more than a part of it is in
//     memory, whatever its size.
//  2. What stands in an output is bounded; what was left out is said.
//  3. Credentials stay sealed.
package csv

import (
	"context"
	"errors"
	"io"
	"strings"

	"zflow/actions"
	"zflow/engine/expr/table"
)

const (
	maxRows  = 10_000
	maxValue = 2 << 20 // bytes of fields in an output
	maxText  = 4 << 20
)

// Options of the actions.
type Options struct {
	Files   actions.Files
	MaxFile int64 // of a file that is written; 0: 1 GiB
}

// Actions returns csv.parse and csv.format.
func Actions(o Options) []*actions.Action {
	if o.MaxFile <= 0 {
		o.MaxFile = 1 << 30
	}
	return []*actions.Action{{Spec: parseSpec(), Do: o.parse}, {Spec: formatSpec(), Do: o.format}}
}

// asked is what to read of a table.
type asked struct {
	table.Options
	columns     []string
	skip, limit int64
}

func (o *Options) parse(ctx context.Context, c actions.Call) (actions.Result, error) {
	q, err := askedOf(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	from, err := o.source(ctx, c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	defer from.Close()
	out, err := q.read(ctx, from)
	return actions.Result{Output: out}, failed(err)
}

// source is the text or the file of an input.
func (o *Options) source(ctx context.Context, input map[string]any) (io.ReadCloser, error) {
	text, isText := input["text"].(string)
	ref, isFile := actions.FileOf(input["file"])
	switch {
	case isText == isFile:
		return nil, actions.Final("give one of file and text")
	case len(text) > maxText:
		return nil, actions.Final("text has more than %d MiB: give a file", maxText>>20).With(0, "too_large")
	case isText:
		return io.NopCloser(strings.NewReader(text)), nil
	case o.Files.Open == nil:
		return nil, actions.Final("files cannot be read from here")
	}
	from, err := o.Files.Open(ctx, ref)
	if err != nil {
		return nil, actions.Retryable("opening %s: %v", ref.Name, err)
	}
	return from, nil
}

func (q *asked) read(ctx context.Context, from io.Reader) (map[string]any, error) {
	r, err := table.NewReader(reader{ctx, from}, q.Options)
	if err != nil {
		return nil, err
	}
	if err := q.known(r.Header()); err != nil {
		return nil, err
	}
	rows, size, more := []any{}, 0, false
	for n := int64(0); ; n++ {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if n < q.skip {
			continue
		}
		if more = n >= q.skip+q.limit; more {
			break
		}
		row := q.chosen(r.Value(record))
		if size += sizeOf(row); size > maxValue {
			return nil, actions.Final("the rows up to %d have more than %d MiB: choose columns, or read fewer at once with limit and skip", n, maxValue>>20).With(0, "too_large")
		}
		rows = append(rows, row)
	}
	out := map[string]any{"rows": rows, "more": more, "next": q.skip + int64(len(rows)), "columns": []any{}}
	for _, name := range r.Header() {
		out["columns"] = append(out["columns"].([]any), name)
	}
	return out, nil
}

// known looks whether the columns that are asked for are there.
func (q *asked) known(header []string) error {
	there := map[string]bool{}
	for _, name := range header {
		there[name] = true
	}
	for _, name := range q.columns {
		if !there[name] {
			return actions.Final("there is no column %.60q: the table has %.300s", name, strings.Join(header, ", ")).With(0, "no_column")
		}
	}
	return nil
}

func (q *asked) chosen(row any) any {
	object, ok := row.(map[string]any)
	if !ok || len(q.columns) == 0 {
		return row
	}
	out := make(map[string]any, len(q.columns))
	for _, name := range q.columns {
		out[name] = object[name]
	}
	return out
}

// sizeOf is about how much a row takes in JSON.
func sizeOf(row any) int {
	size := 0
	switch row := row.(type) {
	case map[string]any:
		for name, v := range row {
			size += len(name) + len(v.(string)) + 6
		}
	case []any:
		for _, v := range row {
			size += len(v.(string)) + 3
		}
	}
	return size
}

// reader ends with its call.
type reader struct {
	ctx  context.Context
	from io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(b)
}

// failed says what an error means for the next attempt: a table that is wrong stays so.
func failed(err error) error {
	var e *actions.Error
	var wrong *table.Error
	switch {
	case err == nil || errors.As(err, &e):
		return err
	case errors.As(err, &wrong):
		return actions.Final("%v", wrong).With(0, "no_table")
	case errors.Is(err, actions.ErrFileTooLarge):
		return actions.Final("the file would be larger than http.max_file allows").With(0, "too_large")
	}
	return actions.Retryable("%v", err)
}

func (o *Options) format(ctx context.Context, c actions.Call) (actions.Result, error) {
	q, err := askedOf(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	rows, ok := c.Input["rows"].([]any)
	name, isText := c.Input["name"].(string)
	switch {
	case !ok:
		return actions.Result{}, actions.Final("rows is a list of objects, or of lists")
	case c.Input["name"] != nil && !isText:
		return actions.Result{}, actions.Final("name is not text")
	case o.Files.Put == nil:
		return actions.Result{}, actions.Final("files cannot be kept from here")
	}
	if name == "" {
		name = "table.csv"
	}
	if q.columns == nil {
		q.columns = table.Columns(rows)
	}
	kept, err := o.put(ctx, rows, name, q)
	if err != nil {
		return actions.Result{}, failed(err)
	}
	return actions.Result{Output: map[string]any{"file": kept.Value(), "rows": int64(len(rows))}}, nil
}

// put writes while the store reads.
func (o *Options) put(ctx context.Context, rows []any, name string, q *asked) (actions.File, error) {
	from, to := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(to, rows, q)
		to.CloseWithError(err)
		written <- err
	}()
	kept, err := o.Files.Put(ctx, from, actions.File{Name: name, Type: "text/csv; charset=utf-8"}, o.MaxFile)
	from.CloseWithError(io.ErrClosedPipe)
	if wrong := <-written; wrong != nil && !errors.Is(wrong, io.ErrClosedPipe) {
		return kept, wrong
	}
	return kept, err
}

package csv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/csv"
)

type object = map[string]any
type list = []any

type rig struct {
	t     *testing.T
	kept  map[string][]byte
	all   map[string]*actions.Action
	input io.Reader // of files, where not nil
}

func open(t *testing.T) *rig {
	r := &rig{t: t, kept: map[string][]byte{}, all: map[string]*actions.Action{}}
	files := actions.Files{
		Put: func(_ context.Context, from io.Reader, f actions.File, most int64) (actions.File, error) {
			raw, err := io.ReadAll(io.LimitReader(from, most+1))
			if int64(len(raw)) > most {
				return f, actions.ErrFileTooLarge
			}
			f.ID, f.Size, f.SHA256 = "file."+f.Name, int64(len(raw)), "00"
			if err == nil {
				r.kept[f.ID] = raw
			}
			return f, err
		},
		Open: func(_ context.Context, f actions.File) (io.ReadCloser, error) {
			if r.input != nil {
				return io.NopCloser(r.input), nil
			}
			if raw, ok := r.kept[f.ID]; ok {
				return io.NopCloser(bytes.NewReader(raw)), nil
			}
			return nil, errors.New("it is gone")
		},
	}
	for _, a := range csv.Actions(csv.Options{Files: files, MaxFile: 1 << 20}) {
		r.all[a.Spec.Name] = a
	}
	return r
}

func (r *rig) do(ctx context.Context, name string, input object) (object, error) {
	r.t.Helper()
	got, err := r.all[name].Do(ctx, actions.Call{Input: input})
	if err != nil {
		return nil, err
	}
	for _, problem := range actionstest.Check(r.all[name].Spec.Output, got.Output) {
		r.t.Error(problem)
	}
	return got.Output.(object), nil
}

var ref = object{"file": "file.in", "name": "in", "type": "", "size": int64(6), "sha256": "00"}

func TestThereAndBack(t *testing.T) {
	r := open(t)
	rows := list{object{"name": "=Anna, \"A\"", "n": "1"}, object{"name": "Ben\nB", "n": "2"}, object{"name": "Ça", "n": "3"}}
	got, err := r.do(t.Context(), "csv.format", object{"rows": rows, "name": "a.csv", "delimiter": ";"})
	if err != nil || got["rows"] != int64(3) || string(r.kept["file.a.csv"]) != "n;name\r\n1;\"=Anna, \"\"A\"\"\"\r\n2;\"Ben\nB\"\r\n3;Ça\r\n" {
		t.Fatalf("%v, %v, %q", got, err, r.kept)
	}
	got, err = r.do(t.Context(), "csv.parse", object{"file": got["file"], "delimiter": ";"})
	if err != nil || !reflect.DeepEqual(got, object{"rows": rows, "columns": list{"n", "name"}, "more": false, "next": int64(3)}) {
		t.Errorf("%v, %v", got, err)
	}
	got, err = r.do(t.Context(), "csv.format", object{"rows": rows[:1], "columns": list{"name"}, "header": false, "guard": true})
	if err != nil || string(r.kept["file.table.csv"]) != "\"'=Anna, \"\"A\"\"\"\r\n" {
		t.Errorf("%v, %v, %q", got, err, r.kept["file.table.csv"])
	}
}

func TestParts(t *testing.T) {
	r := open(t)
	r.kept["file.in"] = []byte("a,b\n1,x\n2,y\n3,z\n")
	for want, input := range map[string]object{
		"map[columns:[a b] more:true next:2 rows:[map[b:x] map[b:y]]]": {"limit": int64(2), "columns": list{"b"}},
		"map[columns:[a b] more:false next:3 rows:[map[a:3 b:z]]]":     {"limit": int64(2), "skip": int64(2)},
		"map[columns:[a b] more:false next:9 rows:[]]":                 {"skip": int64(9)},
		"map[columns:[] more:true next:2 rows:[[1 x]]]":                {"header": false, "skip": int64(1), "limit": int64(1)},
	} {
		input["file"] = ref
		if got, err := r.do(t.Context(), "csv.parse", input); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%v: %v, %v", input, got, err)
		}
	}
}

// endless repeats a line: nobody holds all of it.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	e.n += len(b)
	for i := range b {
		b[i] = "1,2\n"[i%4]
	}
	return len(b) / 4 * 4, nil
}

func TestFilesAreStreamed(t *testing.T) {
	r := open(t)
	e := &endless{}
	r.input = io.MultiReader(strings.NewReader("a,b\n"), e)
	got, err := r.do(t.Context(), "csv.parse", object{"file": ref, "skip": int64(100_000), "limit": int64(1)})
	if err != nil || got["more"] != true || e.n > 1<<20 {
		t.Errorf("%v, %v, %d bytes were read", got, err, e.n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.do(ctx, "csv.parse", object{"file": ref, "skip": int64(1 << 40)}); !strings.Contains(fmt.Sprint(err), "context canceled") {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	r := open(t)
	r.kept["file.in"] = []byte("a,b\n1\n")
	for want, input := range map[string]object{
		"give one of file and text":                     {},
		"opening x: it is gone":                         {"file": object{"file": "x", "name": "x", "size": int64(1), "sha256": "0"}},
		"line 2 has 1 fields, and the header 2":         {"file": ref},
		"there is no column \"c\": the table has a, b":  {"file": ref, "columns": list{"c"}},
		"\"ab\" is no delimiter":                        {"text": "", "delimiter": "ab"},
		"header is true or false":                       {"text": "", "header": "no"},
		"skip is a number from 0 to":                    {"text": "", "skip": int64(-1)},
		"limit is a number from 0 to 10000":             {"text": "", "limit": int64(10_001)},
		"columns is a list of names":                    {"text": "", "columns": "a"},
		"columns[0] is no name":                         {"text": "", "columns": list{int64(1)}},
		"text has more than 4 MiB: give a file":         {"text": strings.Repeat("x", 4<<20+1)},
		"have more than 2 MiB: choose columns, or read": {"text": "a\n" + strings.Repeat(strings.Repeat("x", 1000)+"\n", 3000)},
	} {
		if got, err := r.do(t.Context(), "csv.parse", input); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100v: %.100v, %v, want %s", input, got, err, want)
		}
	}
	for want, input := range map[string]object{
		"rows is a list of objects, or of lists":             {"rows": "x"},
		"row 1 is no object and no list":                     {"rows": list{object{"a": int64(1)}, "x"}},
		"name is not text":                                   {"rows": list{}, "name": int64(1)},
		"the file would be larger than http.max_file allows": {"rows": list{list{strings.Repeat("x", 1<<20)}}},
	} {
		if got, err := r.do(t.Context(), "csv.format", input); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100v: %v, %v, want %s", input, got, err, want)
		}
	}
	for _, a := range csv.Actions(csv.Options{}) {
		if _, err := a.Do(t.Context(), actions.Call{Input: object{"file": ref, "rows": list{}}}); err == nil || !strings.Contains(err.Error(), "from here") {
			t.Error(err)
		}
	}
}

func TestExamples(t *testing.T) {
	r := open(t)
	for name, a := range r.all {
		for _, x := range a.Spec.Examples {
			if got, err := r.do(t.Context(), name, x.Input); err != nil || x.Output != nil && !reflect.DeepEqual(any(got), x.Output) {
				t.Errorf("%s: %v, %v", x.Title, got, err)
			}
		}
	}
}

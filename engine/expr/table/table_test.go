package table_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"zflow/engine/expr/table"
)

func read(from io.Reader, o table.Options) ([]any, error) {
	r, err := table.NewReader(from, o)
	if err != nil {
		return nil, err
	}
	rows := []any{}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, r.Value(record))
	}
}

type object = map[string]any
type list = []any

func TestRead(t *testing.T) {
	for src, want := range map[string]list{
		"":                             {},
		"\ufeffa,b\r\n1,2\r\n":         {object{"a": "1", "b": "2"}},
		"a,b\n1,2\n\n3,\n":             {object{"a": "1", "b": "2"}, object{"a": "3", "b": ""}},
		" a ,b\n\"x, \"\"y\"\"\nz\",2": {object{"a": "x, \"y\"\nz", "b": "2"}},
		"name\nÜmit\n":                 {object{"name": "Ümit"}},
		"a,b\n":                        {},
	} {
		if got, err := read(strings.NewReader(src), table.Options{}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v", src, got, err)
		}
	}
	got, err := read(strings.NewReader("a;b\n1\n"), table.Options{Delimiter: ';', Bare: true})
	if err != nil || !reflect.DeepEqual(got, list{list{"a", "b"}, list{"1"}}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWrongTables(t *testing.T) {
	for src, want := range map[string]string{
		"a,b\n1\n":                              "line 2 has 1 fields, and the header 2: is another delimiter meant? header: false gives the lines as lists",
		"a,b\n\"x\ny\",1,2":                     "line 2 has 3 fields, and the header 2: is another delimiter meant? header: false gives the lines as lists",
		"a,a\n":                                 `the header has the column "a" twice: header: false gives lists`,
		"a,,b\n":                                "column 2 has no name in the header: header: false gives lists",
		"a\nx\"y\n":                             `line 2 has a quote inside a field without quotes: put the field into quotes, and write "" for one in it`,
		"a\n\"x\"y\n":                           `line 2 has a quote in the middle of a quoted field, or one that does not end: write "" for a quote in it`,
		"a\n\"x\ny\nz":                          `the quoted field that begins on line 2 does not end: write "" for a quote in it`,
		strings.Repeat(",", table.MaxColumns+1): "a line has more than 10000 fields",
	} {
		if got, err := read(strings.NewReader(src), table.Options{}); err == nil || err.Error() != want {
			t.Errorf("%.40q: %v\n%v", src, got, err)
		}
	}
	for _, s := range []string{"", "ab", "\"", "\n", "\xff"} {
		if r, err := table.Delimiter(s); err == nil {
			t.Errorf("%q is the delimiter %q", s, r)
		}
	}
	if r, err := table.Delimiter("→"); err != nil || r != '→' {
		t.Error(r, err)
	}
}

// endless never ends: a record is bounded whatever comes.
type endless byte

func (e endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(e)
	}
	return len(b), nil
}

func TestRecordsAreBounded(t *testing.T) {
	_, err := read(io.MultiReader(strings.NewReader("a\n\""), endless('x')), table.Options{})
	if err == nil || err.Error() != "a record is longer than 1024 KiB: is a quote missing at the end of a field?" {
		t.Error(err)
	}
	broken := errors.New("the disk is gone")
	if _, err := read(io.MultiReader(strings.NewReader("a\n1\n"), failing{broken}), table.Options{}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func write(rows list, columns []string, o table.Options) (string, error) {
	var b strings.Builder
	w, err := table.NewWriter(&b, columns, o)
	for i, row := range rows {
		if err == nil {
			err = w.Write(row, i)
		}
	}
	return b.String(), err
}

func TestWrite(t *testing.T) {
	rows := list{object{"b": int64(1), "a": "x,\"y\"\nz"}, object{"a": nil, "c": list{true}}}
	for want, do := range map[string]func() (string, error){
		"a,b,c\r\n\"x,\"\"y\"\"\nz\",1,\r\n,,[true]\r\n": func() (string, error) { return write(rows, table.Columns(rows), table.Options{}) },
		"b;d\r\n1;\r\n;\r\n":                             func() (string, error) { return write(rows, []string{"b", "d"}, table.Options{Delimiter: ';'}) },
		"1,x\r\n\" y\",-2.5\r\n": func() (string, error) {
			return write(list{list{int64(1), "x"}, list{" y", -2.5}}, nil, table.Options{})
		},
		"n\r\n1\r\n": func() (string, error) { return write(list{list{int64(1)}}, []string{"n"}, table.Options{}) },
		"\"\"\r\n":   func() (string, error) { return write(list{list{nil}}, nil, table.Options{}) },
		"'=1+1,'@x,'-y,-1,a=b\r\n": func() (string, error) {
			return write(list{list{"=1+1", "@x", "-y", int64(-1), "a=b"}}, nil, table.Options{Guard: true})
		},
		"": func() (string, error) { return write(nil, nil, table.Options{}) },
	} {
		if got, err := do(); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	for want, row := range map[string]any{
		"row 0 is no object and no list: map() makes one of each element": "x",
		"row 0 has 2 fields, and there are 1 columns":                     list{"x", "y"},
	} {
		if got, err := write(list{row}, []string{"a"}, table.Options{}); err == nil || err.Error() != want {
			t.Errorf("%v: %q, %v", row, got, err)
		}
	}
	if _, err := write(list{object{}}, nil, table.Options{}); err == nil {
		t.Error("an object without columns is written")
	}
}

// FuzzBack: what was written is read back.
func FuzzBack(f *testing.F) {
	f.Add("a", "b,\"c\"", "=1\r\n")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		plain := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n") }
		rows := list{list{plain(a), plain(b)}, list{plain(c), ""}}
		src, err := write(rows, nil, table.Options{})
		if err != nil || len(src) > 1000 {
			return
		}
		got, err := read(strings.NewReader(src), table.Options{Bare: true})
		if err != nil || !reflect.DeepEqual(got, rows) {
			t.Errorf("%q: %q, %v", rows, got, err)
		}
	})
}

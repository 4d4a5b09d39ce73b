package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

func TestCaps(t *testing.T) {
	a, err := txtar.ParseFile("testdata/caps.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	for _, f := range a.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	p := measured(t, tree)
	if got, want := strings.Join(p.over(), "\n"), strings.TrimSpace(string(a.Comment)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func measured(t *testing.T, tree fs.FS) *project {
	t.Helper()
	p, err := measure(tree)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// one measures a single file.
func one(t *testing.T, src string) *project {
	t.Helper()
	return measured(t, fstest.MapFS{"a/a.go": {Data: []byte(src)}})
}

func TestLongThings(t *testing.T) {
	statements := strings.Repeat("\tx++\n", 61)
	for name, c := range map[string]struct{ src, want string }{
		"function":           {"package a\nfunc f(x int) {\n" + statements + "}\n", "a/a.go:2: f: 61 lines, at most 60"},
		"function at cap":    {"package a\nfunc f(x int) {\n" + statements[5:] + "}\n", ""},
		"table function":     {"package a\nfunc f() []int {\nreturn []int{\n" + strings.Repeat("1,\n", 100) + "}\n}\n", ""},
		"table in a call":    {"package a\nfunc f() any {\nreturn g(&[]int{\n" + strings.Repeat("1,\n", 100) + "})\n}\n", ""},
		"code in a table":    {"package a\nfunc f() any {\nreturn []func(int){func(x int) {\n" + statements + "}}\n}\n", "a/a.go:2: f: 63 lines, at most 60"},
		"file":               {"package a\n" + strings.Repeat("\n", 500), "a/a.go:1: file: 501 lines, at most 500"},
		"file with a reason": {"package a //sizes:ok one table in many small pieces\n" + strings.Repeat("\n", 500), ""},
		"file of a table":    {"package a\nvar t = []int{\n" + strings.Repeat("1,\n", 600) + "}\n", ""},
		"struct":             {"package a\ntype s struct {\na,b,c,d,e,f,g,h int\ni,j,k,l,m,n,o,p int\n}\n", "a/a.go:2: struct: 16 fields, at most 15"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(one(t, c.src).over(), "\n"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPackageLines(t *testing.T) {
	tree := fstest.MapFS{}
	for i := range 6 {
		tree[fmt.Sprintf("a/f%d.go", i)] = &fstest.MapFile{Data: []byte("package a\nconst (\n" + strings.Repeat("_ = 1 // one\n\n", 420) + ")\n")}
	}
	if got := measured(t, tree).over(); len(got) != 6+1 || got[6] != "a: package: 2538 lines, at most 2500" {
		t.Errorf("got %q", got)
	}
}

func TestDocumented(t *testing.T) {
	p := one(t, `package a

type Bare struct{}

// With is documented.
type With struct{}

func (With) Bare2() {}
func (*With) Error() string { return "" }
func (hidden) Fine() {}

// Both are.
const (
	A = 1
	B = 2
)

var C int // documented beside
var D int

type hidden struct{}

func Bare3() {}
`)
	var bare []string
	for _, b := range p.bare {
		bare = append(bare, b.what)
	}
	if want := []string{"Bare", "Bare2", "D", "Bare3"}; !slices.Equal(bare, want) || p.exported != 8 {
		t.Errorf("without comment: %q of %d exported", bare, p.exported)
	}
}

func TestTestLines(t *testing.T) {
	p := measured(t, fstest.MapFS{
		"a/a.go":                 {Data: []byte("// Package a is.\npackage a\n\n/* so */\nvar x = 1 // one\n")},
		"a/a_test.go":            {Data: []byte("package a\nvar y = 1\n// two\nvar z = 1\n")},
		"internal/natstest/a.go": {Data: []byte("package natstest\n")},
	})
	if got := p.sum(); got.code != 2 || got.comments != 2 || got.tests != 4 {
		t.Errorf("got %+v", got)
	}
}

func TestQuantile(t *testing.T) {
	fs := []figure{{n: 5}, {n: 1}, {n: 4}, {n: 2}, {n: 3}}
	for q, want := range map[float64]int{0: 1, .5: 3, .95: 5, 1: 5} {
		if got := quantile(fs, q); got != want {
			t.Errorf("%v: %d, want %d", q, got, want)
		}
	}
	if quantile(nil, .5) != 0 {
		t.Error("nothing has a quantile")
	}
}

func TestReport(t *testing.T) {
	var b bytes.Buffer
	report(&b, one(t, "package a\n\nfunc Bare() {\n}\n"), true)
	for _, want := range []string{"function lines, median", "0 of 1", "test ÷ code", "a/a.go:3: Bare has no comment"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestUnreadable(t *testing.T) {
	for name, tree := range map[string]fs.FS{
		"empty":  fstest.MapFS{},
		"broken": fstest.MapFS{"a.go": {Data: []byte("pack")}},
		"absent": os.DirFS("/no/such/folder"),
	} {
		if _, err := measure(tree); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

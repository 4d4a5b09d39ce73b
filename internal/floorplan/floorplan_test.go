package floorplan

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestFloorPlan holds the project to its plan.
func TestFloorPlan(t *testing.T) {
	against, err := Check(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range against {
		t.Error(a)
	}
}

// TestViolations runs the checker on small trees, each with one thing wrong and
// what is said about it in the archive's comment.
func TestViolations(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) < 12 {
		t.Fatalf("%d trees, %v", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Check(tree(a))
			if err != nil {
				t.Fatal(err)
			}
			if g, w := strings.Join(got, "\n"), strings.TrimSpace(string(a.Comment)); g != w {
				t.Errorf("got\n%s\nwant\n%s", g, w)
			}
		})
	}
}

func tree(a *txtar.Archive) fs.FS {
	m := fstest.MapFS{}
	for _, f := range a.Files {
		m[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return m
}

func TestBrokenSource(t *testing.T) {
	_, err := Check(fstest.MapFS{"proto/a.go": {Data: []byte("package")}})
	if err == nil || !strings.Contains(err.Error(), "proto/a.go") {
		t.Errorf("got %v", err)
	}
}

// TestPlan checks the plan itself: every name in it is a row or covered by one.
func TestPlan(t *testing.T) {
	for i, r := range plan {
		for _, o := range r.ours {
			if strings.HasSuffix(o, "/*") {
				o = strings.TrimSuffix(o, "*") + "any"
				if o == "engine/any" || o == "internal/any" || o == "internal/app/any" || o == "internal/bench/any" { // their packages have rows of their own
					continue
				}
			}
			if rowOf(o) == nil {
				t.Errorf("%s may import %s, which has no row", r.pkg, o)
			}
		}
		if strings.HasSuffix(r.pkg, "/*") {
			continue
		}
		if first := rowOf(r.pkg); first != &plan[i] {
			t.Errorf("the row of %s is hidden by that of %s", r.pkg, first.pkg)
		}
	}
}

package main

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// project is all that was measured.
type project struct {
	packages map[string]*pack
	funcs    []figure // lines of each function
	nesting  []figure
	params   []figure
	files    []figure // lines of each file
	methods  []figure // of each interface
	fields   []figure // of each struct
	panics   []figure
	bare     []figure // exported names without a comment
	exported int
}

// figure is one measured thing.
type figure struct {
	where string // file:line
	what  string
	n     int
	ok    bool // lifted, with a reason in the source
}

// pack is a package's lines, without blank ones.
type pack struct {
	code, comments, tests int
	testOnly              bool // for tests: counts on their side
}

// measure reads every Go file of the tree that is ours and not generated.
func measure(tree fs.FS) (*project, error) {
	p := &project{packages: map[string]*pack{}}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return p.file(name, src)
	})
	if err == nil && len(p.files) == 0 {
		err = fmt.Errorf("no Go files found")
	}
	return p, err
}

func skipped(name string) bool {
	return name == "testdata" || name == "vendor" || name != "." && (name[0] == '.' || name[0] == '_')
}

// testPackages serve tests only; what they have counts as test lines.
var testPackages = []string{"internal/natstest", "actions/actionstest", "internal/floorplan", "internal/operator/operatortest"}

func (p *project) pack(name string) *pack {
	dir := path.Dir(name)
	k := p.packages[dir]
	if k == nil {
		k = &pack{testOnly: slices.Contains(testPackages, dir)}
		p.packages[dir] = k
	}
	return k
}

// caps are what may not be exceeded, save where a reason is given.
const (
	capFunc     = 60
	capNesting  = 3
	capParams   = 5
	capFile     = 500
	capPackage  = 2500
	capMethods  = 5
	capFields   = 15
	capPanics   = 0
	minTests    = 1.2 // target, not cap
	targetMed   = 10
	targetP95   = 40
	targetParam = 4
)

// over returns one line for each thing over its cap.
func (p *project) over() []string {
	var all []string
	say := func(fs []figure, most int, unit string) {
		for _, f := range fs {
			if f.n > most && !f.ok {
				all = append(all, fmt.Sprintf("%s: %s: %d %s, at most %d", f.where, f.what, f.n, unit, most))
			}
		}
	}
	say(p.funcs, capFunc, "lines")
	say(p.nesting, capNesting, "levels of nesting")
	say(p.params, capParams, "parameters")
	say(p.files, capFile, "lines")
	say(p.methods, capMethods, "methods")
	say(p.fields, capFields, "fields")
	say(p.panics, capPanics, "panics")
	for name, k := range p.packages {
		if k.code > capPackage {
			all = append(all, fmt.Sprintf("%s: package: %d lines, at most %d", name, k.code, capPackage))
		}
	}
	slices.Sort(all)
	return all
}

// quantile returns the value below which the share q of the figures is.
func quantile(fs []figure, q float64) int {
	if len(fs) == 0 {
		return 0
	}
	ns := make([]int, len(fs))
	for i, f := range fs {
		ns[i] = f.n
	}
	slices.Sort(ns)
	return ns[min(int(q*float64(len(ns))), len(ns)-1)]
}

func lines(src []byte) (all []string) {
	return strings.Split(strings.TrimSuffix(string(src), "\n"), "\n")
}

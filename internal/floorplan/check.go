package floorplan

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxDepth is how long a chain of imports may be.
const maxDepth = 6

// Check reads the module at the root of tree and returns what is against the
// plan, each with its file and line, sorted.
func Check(tree fs.FS) ([]string, error) {
	c := &checker{imports: map[string]map[string]bool{}}
	if err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		return c.file(tree, name)
	}); err != nil {
		return nil, fmt.Errorf("reading the source: %w", err)
	}
	c.depths()
	slices.Sort(c.against)
	return slices.Compact(c.against), nil
}

// skipped tells whether a folder is none of the go tool's.
func skipped(name string) bool {
	return name == "testdata" || name == "vendor" || name != "." && (name[0] == '.' || name[0] == '_')
}

type checker struct {
	imports map[string]map[string]bool // of ours, by package
	against []string
}

func (c *checker) file(tree fs.FS, name string) error {
	src, err := fs.ReadFile(tree, name)
	if err != nil {
		return err
	}
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, src, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return err
	}
	pkg := path.Dir(name)
	r := rowOf(pkg)
	if r == nil {
		c.say(name, "package %s has no place in the floor plan (internal/floorplan/plan.go)", pkg)
		return nil
	}
	at := func(n ast.Node) string {
		p := files.Position(n.Pos())
		return p.Filename + ":" + strconv.Itoa(p.Line)
	}
	for _, i := range f.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		c.check(at(i), pkg, r, imported)
	}
	if !ast.IsGenerated(f) {
		c.body(at, r, f)
	}
	return nil
}

func (c *checker) say(where, format string, args ...any) {
	c.against = append(c.against, where+": "+fmt.Sprintf(format, args...))
}

func (c *checker) check(where, pkg string, r *row, imported string) {
	if own, ours := strings.CutPrefix(imported, Module+"/"); ours {
		c.checkOurs(where, pkg, r, own)
		return
	}
	first, _, _ := strings.Cut(imported, "/")
	if strings.Contains(first, ".") {
		if !slices.ContainsFunc(r.outside, func(o string) bool { return covers(o, imported) }) {
			c.say(where, "%s may not import %s from outside", pkg, imported)
		}
		return
	}
	if r.traits&pure != 0 && slices.ContainsFunc(impure, func(p string) bool { return covers(p, imported) }) {
		c.say(where, "%s is pure and may not import %s", pkg, imported)
	}
	if r.traits&command == 0 && imported == "flag" {
		c.say(where, "%s is no command and may not import flag", pkg)
	}
}

func (c *checker) checkOurs(where, pkg string, r *row, imported string) {
	if c.imports[pkg] == nil {
		c.imports[pkg] = map[string]bool{}
	}
	c.imports[pkg][imported] = true
	other := rowOf(imported)
	switch {
	case !slices.ContainsFunc(r.ours, func(o string) bool { return fits(o, imported) }):
		c.say(where, "%s may not import %s", pkg, imported)
	case other != nil && other.traits&test != 0 && r.traits&test == 0 && !slices.Contains(simulators[pkg], imported):
		c.say(where, "%s may not import %s, which is for tests", pkg, imported)
	}
}

// impure is what a pure package may not import of the standard library.
var impure = []string{"net", "net/http/*", "net/rpc/*", "net/smtp", "os/*", "log/*", "io/fs", "io/ioutil", "syscall", "math/rand/*", "crypto/rand", "database/*", "runtime/*"}

// Names that only some may use: by commands, and by packages that are not pure.
var (
	commandsOnly = []string{"os.Args", "os.Environ", "os.ExpandEnv", "os.Exit", "os.Getenv", "os.LookupEnv", "os.Setenv", "os.Unsetenv",
		"syscall.Environ", "syscall.Exit", "syscall.Getenv", "log.Fatal", "log.Fatalf", "log.Fatalln", "runtime.Goexit"}
	impureOnly = []string{"time.After", "time.AfterFunc", "time.NewTicker", "time.NewTimer", "time.Now", "time.Since", "time.Sleep", "time.Tick", "time.Until"}
)

// body looks at what a file does.
func (c *checker) body(at func(ast.Node) string, r *row, f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				c.say(at(n), "package %s has an init function", f.Name.Name)
			}
		case *ast.SelectorExpr:
			c.use(at(n), r, f, n)
		}
		return true
	})
}

func (c *checker) use(where string, r *row, f *ast.File, n *ast.SelectorExpr) {
	of, ok := n.X.(*ast.Ident)
	if !ok {
		return
	}
	name := imported(f, of.Name) + "." + n.Sel.Name
	if r.traits&command == 0 && slices.Contains(commandsOnly, name) {
		c.say(where, "only commands may use %s", name)
	}
	if r.traits&pure != 0 && slices.Contains(impureOnly, name) {
		c.say(where, "a pure package may not use %s", name)
	}
}

// imported returns the path of the standard package that has this name in f.
func imported(f *ast.File, name string) string {
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		if i.Name != nil && i.Name.Name == name || i.Name == nil && path.Base(p) == name {
			return p
		}
	}
	return ""
}

// depths reports packages at the top of a chain that is too long.
func (c *checker) depths() {
	known := map[string][]string{}
	for pkg := range c.imports {
		if chain := c.chain(pkg, known); len(chain) == maxDepth+2 {
			c.say(pkg, "the imports %s are a chain of more than %d", strings.Join(chain, " → "), maxDepth)
		}
	}
}

// chain returns the longest chain of imports from pkg on. An import cycle does
// not compile, so there is none to guard against but in what is reported anyway.
func (c *checker) chain(pkg string, known map[string][]string) []string {
	if chain, ok := known[pkg]; ok {
		return chain
	}
	known[pkg] = []string{pkg}
	var longest []string
	for imported := range c.imports[pkg] {
		if r := rowOf(imported); r != nil && r.traits&part != 0 {
			continue
		}
		if chain := c.chain(imported, known); len(chain) > len(longest) || len(chain) == len(longest) && slices.Compare(chain, longest) < 0 {
			longest = chain
		}
	}
	known[pkg] = append([]string{pkg}, longest...)
	return known[pkg]
}

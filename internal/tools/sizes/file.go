package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// source is a file being measured.
type source struct {
	p     *project
	files *token.FileSet
	file  *ast.File
	ok    map[int]bool // lines with a reason
}

var reason = regexp.MustCompile(`^//sizes:ok \S+`)

// file measures one file.
func (p *project) file(name string, src []byte) error {
	s := &source{p: p, files: token.NewFileSet(), ok: map[int]bool{}}
	var err error
	s.file, err = parser.ParseFile(s.files, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if ast.IsGenerated(s.file) {
		return nil
	}
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if reason.MatchString(c.Text) {
				s.ok[s.line(c)] = true
			}
		}
	}
	k := p.pack(name)
	code, comments := s.count(src)
	if k.testOnly || strings.HasSuffix(name, "_test.go") {
		k.tests += code
	} else {
		k.code += code
		k.comments += comments
	}
	if strings.HasSuffix(name, "_test.go") {
		return nil
	}
	p.files = append(p.files, figure{where: name + ":1", what: "file", n: len(lines(src)) - s.tables(), ok: s.ok[1]})
	for _, d := range s.file.Decls {
		s.declaration(d)
	}
	return nil
}

func (s *source) line(n ast.Node) int { return s.files.Position(n.Pos()).Line }
func (s *source) last(n ast.Node) int { return s.files.Position(n.End()).Line }
func (s *source) where(n ast.Node) string {
	p := s.files.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// figure is one about n; the reason may stand on its line, or on the one above.
func (s *source) figure(n ast.Node, what string, count int) figure {
	at := s.line(n)
	return figure{s.where(n), what, count, s.ok[at] || s.ok[at-1]}
}

// count returns the lines that hold code, and those that hold only a comment.
func (s *source) count(src []byte) (code, comments int) {
	commented := map[int]bool{}
	for _, group := range s.file.Comments {
		for l := s.line(group); l <= s.last(group); l++ {
			commented[l] = true
		}
	}
	for i, l := range lines(src) {
		text := strings.TrimSpace(l)
		switch {
		case text == "":
		case commented[i+1] && (strings.HasPrefix(text, "//") || strings.HasPrefix(text, "/*")):
			comments++
		default:
			code++
		}
	}
	return code, comments
}

// tables returns the lines of the file's table literals.
func (s *source) tables() (n int) {
	for _, d := range s.file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			n += s.literals(g)
		}
	}
	return n
}

func (s *source) literals(d *ast.GenDecl) (n int) {
	for _, spec := range d.Specs {
		for _, v := range spec.(*ast.ValueSpec).Values {
			if _, table := v.(*ast.CompositeLit); table {
				n += s.last(v) - s.line(v)
			}
		}
	}
	return n
}

func (s *source) declaration(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		s.function(d)
	case *ast.GenDecl:
		s.names(d)
	}
}

// names counts exported names, fields and methods of a declaration.
func (s *source) names(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.exported(spec.Name, d.Doc, spec.Doc, spec.Comment)
			s.fields(spec)
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				s.exported(name, d.Doc, spec.Doc, spec.Comment)
			}
		}
	}
}

// exported notes a name and whether any of the comments documents it.
func (s *source) exported(name *ast.Ident, comments ...*ast.CommentGroup) {
	if !name.IsExported() || s.file.Name.Name == "main" {
		return
	}
	s.p.exported++
	for _, c := range comments {
		if c != nil {
			return
		}
	}
	s.p.bare = append(s.p.bare, s.figure(name, name.Name, 1))
}

func (s *source) fields(t *ast.TypeSpec) {
	switch t := t.Type.(type) {
	case *ast.StructType:
		s.p.fields = append(s.p.fields, s.figure(t, "struct", t.Fields.NumFields()))
	case *ast.InterfaceType:
		s.p.methods = append(s.p.methods, s.figure(t, "interface", t.Methods.NumFields()))
	}
}

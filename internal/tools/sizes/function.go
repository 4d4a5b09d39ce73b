package main

import (
	"go/ast"
	"slices"
	"strings"
)

// function measures a function.
func (s *source) function(d *ast.FuncDecl) {
	if d.Recv == nil || exportedReceiver(d.Recv) && !slices.Contains(plain, d.Name.Name) {
		s.exported(d.Name, d.Doc)
	}
	s.p.params = append(s.p.params, s.figure(d, d.Name.Name, d.Type.Params.NumFields()))
	if d.Body == nil {
		return
	}
	if !isTable(d.Body) {
		s.p.funcs = append(s.p.funcs, s.figure(d, d.Name.Name, max(s.last(d.Body)-s.line(d.Body)-1, 1)))
	}
	s.p.nesting = append(s.p.nesting, s.figure(d, d.Name.Name, depth(d.Body)))
	s.panics(d)
}

// plain methods say nothing that their name does not.
var plain = []string{"Error", "String", "Unwrap"}

func exportedReceiver(recv *ast.FieldList) bool {
	t := recv.List[0].Type
	for {
		switch of := t.(type) {
		case *ast.StarExpr:
			t = of.X
		case *ast.IndexExpr:
			t = of.X
		case *ast.Ident:
			return of.IsExported()
		default:
			return false
		}
	}
}

// isTable tells whether a body is nothing but the return of a literal, or of a
// call over one.
func isTable(body *ast.BlockStmt) bool {
	if len(body.List) != 1 {
		return false
	}
	r, ok := body.List[0].(*ast.ReturnStmt)
	if !ok {
		return false
	}
	for _, result := range r.Results {
		if isLiteral(result) {
			return true
		}
	}
	return false
}

func isLiteral(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CompositeLit:
		return !hasFunc(e)
	case *ast.UnaryExpr:
		return isLiteral(e.X)
	case *ast.CallExpr:
		for _, a := range e.Args {
			if isLiteral(a) {
				return true
			}
		}
	}
	return false
}

// hasFunc tells whether a literal holds functions longer than a few statements:
// then it is code, not a table.
func hasFunc(e ast.Node) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncLit); ok && len(f.Body.List) > 3 {
			found = true
		}
		return !found
	})
	return found
}

// depth returns how deep statements are nested in a body. A case is no level of
// its own beside its switch, nor is an "else if"; a function literal begins anew
// at the level it stands on.
func depth(body *ast.BlockStmt) int {
	deepest := 0
	var in func(n ast.Node, level int)
	in = func(n ast.Node, level int) {
		deepest = max(deepest, level)
		for _, inner := range inside(n) {
			in(inner, level+1)
		}
	}
	for _, inner := range inside(body) {
		in(inner, 1)
	}
	return deepest
}

// inside returns the nearest nesting statements below n.
func inside(n ast.Node) (found []ast.Node) {
	ast.Inspect(n, func(m ast.Node) bool {
		if m == n || m == nil {
			return m == n
		}
		switch m.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			found = append(found, m)
			return false
		}
		return true
	})
	if of, ok := n.(*ast.IfStmt); ok {
		if next, ok := of.Else.(*ast.IfStmt); ok { // beside it, not in it
			found = append(without(found, next), inside(next)...)
		}
	}
	return found
}

func without(nodes []ast.Node, one ast.Node) (rest []ast.Node) {
	for _, n := range nodes {
		if n != one {
			rest = append(rest, n)
		}
	}
	return rest
}

// panics notes the panics of a function, but in one whose name says that it must
// succeed.
func (s *source) panics(d *ast.FuncDecl) {
	if strings.HasPrefix(strings.ToLower(d.Name.Name), "must") {
		return
	}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "panic" {
			s.p.panics = append(s.p.panics, s.figure(call, d.Name.Name, 1))
		}
		return true
	})
}

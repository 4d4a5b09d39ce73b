package expr

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"zflow/engine/expr/jsonvalue"
	"zflow/engine/expr/text"
	"zflow/engine/expr/wording"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// excerpt returns an expression on one line, cut to what fits into a message.
func excerpt(src string) string {
	s := strings.Join(strings.Fields(src), " ")
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

func options(s *Scope, p plan) []expr.Option {
	out := []expr.Option{
		expr.Env(s.native(p)), expr.Optimize(false),
		expr.Patch(patcher{metered: p.metered, hazard: p.hazard}),
	}
	for name := range p.names {
		if f, ok := ownFunctions()[name]; ok {
			out = append(out, f)
		}
	}
	if p.hazard || p.checked {
		out = append(out, operatorFunctions()...)
	}
	return out
}

func functionNames() map[string]bool {
	names := make(map[string]bool, len(signatures)+len(builtin.Names))
	for name := range signatures {
		names[name] = true
	}
	for _, name := range builtin.Names {
		names[name] = true
	}
	return names
}

// place sets the position of e to that of a node of src.
func (e *Error) place(src string, n ast.Node) *Error {
	c := *e
	c.Line, c.Column = text.Position(src, byteOffset(src, n.Location().From))
	return &c
}

func byteOffset(src string, runes int) int {
	for i := range src {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(src)
}

func parseError(err error) *Error {
	fe := fileError(err)
	if fe == nil {
		return &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	e := &Error{Line: fe.Line, Column: fe.Column + 1, Message: fe.Message, Syntax: true}
	e.word(fe.Message, "")
	switch {
	case strings.Contains(fe.Message, "unexpected token EOF"):
		e.Message = "the expression ends too early"
	case strings.HasPrefix(fe.Message, `unexpected token Operator(":")`):
		e.Hint = "if an object is meant in a loop, put it into ( )"
	case strings.Contains(fe.Message, `Operator("=")`):
		e.Message, e.Hint = "= is no comparison", "write =="
	}
	return e
}

var unknownName = regexp.MustCompile(`^unknown (name|field) (\S+)$`)

// checkError rewrites what the type check says.
func (s *Scope) checkError(src string, root ast.Node, err error) *Error {
	fe := fileError(err)
	if fe == nil {
		e := &Error{Line: 1, Column: 1, Message: clean(err.Error())}
		if _, got, ok := strings.Cut(err.Error(), "expected bool, but got "); ok {
			e.Message, e.Hint = "a condition is true or false, this is "+wording.Kind(got), "compare it with something"
		}
		return e
	}
	e := &Error{Line: fe.Line, Column: fe.Column + 1, Message: clean(fe.Message)}
	if m := unknownName.FindStringSubmatch(fe.Message); m != nil {
		if s.explainCall(e, root, fe.From, m[2]); e.Hint == "" {
			s.explain(e, find(root, fe.From), m[2])
		}
	} else {
		e.word(fe.Message, "")
	}
	return e
}

// clean removes what only a programmer of zflow would understand.
func clean(s string) string {
	return strings.TrimSpace(strings.NewReplacer(
		"interface {}", "any value", "map[string]any value", "object", "[]any value", "list",
		"<nil>", "null", "\x00", "",
	).Replace(s))
}

// explain says why a name cannot stand where it does.
func (s *Scope) explain(e *Error, m *ast.MemberNode, name string) {
	if m == nil {
		s.explainRoot(e, name)
		return
	}
	e.Message = lacks(operandText(m.Node), "field "+name)
}

// unknown says that a closed type has no such field.
func (s *Scope) unknown(n ast.Node, t Type, name string) *Error {
	base, names := operandText(n), t.FieldNames()
	e := &Error{Message: lacks(base, "field "+name)}
	if base == "steps" {
		if why, hint := s.why(name); why != "" {
			return &Error{Message: why, Hint: hint}
		}
		e.Message = "there is no step with the id " + name
	}
	if c := Suggest(name, names); c != "" {
		e.Hint = "did you mean " + c + "?"
	} else if len(names) > 0 && len(names) <= 12 {
		e.Hint = "there is " + strings.Join(names, ", ")
	}
	return e
}

// explainCall says that there is no such function, where one is called.
func (s *Scope) explainCall(e *Error, root ast.Node, at int, name string) {
	f := finder{at: at}
	ast.Walk(&root, &f)
	call, ok := f.call.(*ast.CallNode)
	if !ok || call.Callee.String() != name {
		return
	}
	e.Message, e.Hint = "there is no function "+name, "docs/expressions.md has them all"
	if near := Suggest(name, Functions()); near != "" {
		e.Hint = "did you mean " + near + "?"
	}
}

func (s *Scope) explainRoot(e *Error, name string) {
	e.Message = "unknown name " + name
	if why, ok := s.refused[name]; ok {
		e.Message, e.Hint = why, ""
		return
	}
	var names []string
	for n := range s.roots {
		names = append(names, n)
	}
	if c := Suggest(name, append(names, Functions()...)); c != "" {
		e.Hint = "did you mean " + c + "?"
	} else {
		e.Hint = "text stands in quotes: '" + name + "'"
	}
}

// find returns the member access whose property begins at this rune, or nil.
func find(root ast.Node, at int) *ast.MemberNode {
	f := finder{at: at}
	ast.Walk(&root, &f)
	return f.member
}

type finder struct {
	at     int
	member *ast.MemberNode
	call   ast.Node
}

func (f *finder) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.MemberNode:
		if n.Property.Location().From == f.at || n.Location().From == f.at && f.member == nil {
			f.member = n
		}
	case *ast.CallNode, *ast.BuiltinNode, *ast.BinaryNode, *ast.UnaryNode, *ast.ConditionalNode, *ast.SliceNode:
		if n.Location().From == f.at {
			f.call = n
		}
	}
}

// runError rewrites what went wrong in an evaluation.
func runError(src string, err error) *Error {
	fe := fileError(err)
	if fe == nil {
		return &Error{Line: 1, Column: 1, Message: clean(err.Error())}
	}
	e := &Error{Line: fe.Line, Column: fe.Column + 1, Message: clean(fe.Message)}
	f := finder{at: fe.From}
	if tree, err := parser.Parse(src); err == nil {
		ast.Walk(&tree.Node, &f)
	}
	if said := f.explain(fe); said != nil {
		e.Message, e.Hint = said.Message, said.Hint
		return e
	}
	operand := ""
	if f.member != nil {
		operand = excerpt(operandText(f.member.Node))
	}
	e.word(fe.Message, operand)
	return e
}

// word replaces a message of the library by one for people, if there is one.
func (e *Error) word(said, operand string) {
	if message, hint, ok := wording.Of(said, operand); ok {
		e.Message, e.Hint = message, hint
	}
}

// explain says in our words what the library found at the place of the finder.
func (f *finder) explain(fe *file.Error) *Error {
	var own *Error
	switch {
	case errors.As(fe.Prev, &own) && own.missing && alone(f.call):
		return &Error{Message: missingIn(f.call), Hint: own.Hint}
	case own != nil:
		return own
	case strings.Contains(fe.Message, "memory budget exceeded"):
		return &Error{Message: jsonvalue.ErrTooMany.Error()}
	case strings.Contains(fe.Message, "from <nil>") && f.member != nil:
		return missingBase(f.member.Node.String(), memberText(f.member))
	case strings.Contains(fe.Message, "nil"), strings.Contains(fe.Message, "on zero Value"):
		return &Error{Message: missingIn(f.call), Hint: "add ?? with what to use instead"}
	}
	return nil
}

func memberText(m *ast.MemberNode) string {
	if p, ok := m.Property.(*ast.StringNode); ok {
		return segment{name: p.Value}.text()
	}
	return "[" + m.Property.String() + "]"
}

// missingIn names the operands of what could not work with null.
func missingIn(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BinaryNode:
		return fmt.Sprintf("%s or %s is missing", excerpt(n.Left.String()), excerpt(n.Right.String()))
	case *ast.UnaryNode:
		return excerpt(n.Node.String()) + " is missing"
	case *ast.ConditionalNode:
		return excerpt(n.Cond.String()) + " is missing, which is neither true nor false"
	case *ast.BuiltinNode:
		return missingArgument(n.Name, n.Arguments)
	case *ast.CallNode:
		return missingArgument(n.Callee.String(), n.Arguments)
	}
	return "a value is missing"
}

// sums are functions that look at each element of a list.
var sums = map[string]bool{"sort": true, "sortBy": true, "sum": true, "mean": true, "median": true}

func missingArgument(function string, args []ast.Node) string {
	switch {
	case len(args) == 0:
		return "a value is missing"
	case sums[function]:
		return fmt.Sprintf("%s, or something in it, is missing, which %s() needs", excerpt(args[0].String()), function)
	}
	return fmt.Sprintf("%s is missing, which %s() needs", excerpt(args[0].String()), function)
}

// alone tells whether a call has one argument, so that it must be the missing one.
func alone(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BuiltinNode:
		return len(n.Arguments) == 1
	case *ast.CallNode:
		return len(n.Arguments) == 1
	}
	return false
}

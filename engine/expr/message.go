package expr

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"zflow/engine/expr/jsonvalue"
	"zflow/engine/expr/text"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
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
	switch {
	case strings.Contains(fe.Message, "unexpected token EOF"):
		e.Message = "the expression ends too early"
	case strings.Contains(fe.Message, `Operator(":")`):
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
			e.Message, e.Hint = "a condition is true or false, this is "+goKind(got), "compare it with something"
		}
		return e
	}
	e := &Error{Line: fe.Line, Column: fe.Column + 1, Message: clean(fe.Message)}
	if m := unknownName.FindStringSubmatch(fe.Message); m != nil {
		s.explain(e, find(root, fe.From), m[2])
	} else if o, ok := operands(fe.Message); ok {
		e.Message, e.Hint = o.Message, o.Hint
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
	base := m.Node.String()
	if base == "steps" && s.later[name] {
		e.Message = "step " + name + " has not run yet at this place"
		e.Hint = "only steps that come before can be used"
		return
	}
	t, known := s.typeOf(m.Node)
	names := t.FieldNames()
	switch {
	case base == "steps":
		e.Message = "there is no step with the id " + name
	case known:
		e.Message = base + " has no field " + name
	default:
		e.Message = "there is no field " + name + " here"
		names = s.allFields()
	}
	if c := Suggest(name, names); c != "" {
		e.Hint = "did you mean " + c + "?"
	} else if known && len(names) > 0 && len(names) <= 12 {
		e.Hint = "there is " + strings.Join(names, ", ")
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

// typeOf follows a path of the scope; anything else is not known.
func (s *Scope) typeOf(n ast.Node) (Type, bool) {
	p := asPath(n)
	if p == nil {
		return Type{}, false
	}
	t, ok := s.roots[p.root]
	for _, seg := range p.segments {
		if seg.indexed && t.items != nil {
			t = *t.items
			continue
		}
		t, ok = t.fields[seg.name], ok && t.fields != nil
	}
	return t, ok && t.fields != nil
}

func (s *Scope) allFields() []string {
	var names []string
	var walk func(t Type)
	walk = func(t Type) {
		names = append(names, t.FieldNames()...)
		for _, f := range t.fields {
			walk(f)
		}
		if t.items != nil {
			walk(*t.items)
		}
	}
	for _, t := range s.roots {
		walk(t)
	}
	return names
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
	case *ast.CallNode, *ast.BuiltinNode, *ast.BinaryNode, *ast.UnaryNode:
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
	var f finder
	if tree, err := parser.Parse(src); err == nil {
		f.at = fe.From
		ast.Walk(&tree.Node, &f)
	}
	var own *Error
	mixed, isMixed := operands(fe.Message)
	switch {
	case errors.As(fe.Prev, &own):
		e.Message, e.Hint = own.Message, own.Hint
	case strings.Contains(fe.Message, "memory budget exceeded"):
		e.Message = jsonvalue.ErrTooMany.Error()
	case strings.Contains(fe.Message, "from <nil>") && f.member != nil:
		m := missingBase(f.member.Node.String(), memberText(f.member))
		e.Message, e.Hint = m.Message, m.Hint
	case strings.Contains(fe.Message, "nil"):
		e.Message, e.Hint = missingIn(f.call), "add ?? with what to use instead"
	case isMixed:
		e.Message, e.Hint = mixed.Message, mixed.Hint
	case strings.Contains(fe.Message, "interface conversion"):
		e.Message = conversion(fe.Message)
	}
	return e
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
	case *ast.BuiltinNode:
		if len(n.Arguments) > 0 {
			return fmt.Sprintf("%s is missing, which %s() needs", excerpt(n.Arguments[0].String()), n.Name)
		}
	}
	return "a value is missing"
}

var converted = regexp.MustCompile(`is (\S+), not (\S+)`)

func conversion(message string) string {
	m := converted.FindStringSubmatch(strings.NewReplacer("interface {}", "any", "map[string]any", "map").Replace(message))
	if m == nil {
		return "the value is of the wrong type"
	}
	return fmt.Sprintf("%s is needed here, this is %s", goKind(m[2]), goKind(m[1]))
}

func goKind(s string) string {
	switch {
	case s == "string":
		return "text"
	case s == "bool":
		return "true or false"
	case strings.HasPrefix(s, "int"), strings.HasPrefix(s, "float"):
		return "a number"
	case strings.HasPrefix(s, "map"):
		return "an object"
	case strings.HasPrefix(s, "[]"):
		return "a list"
	}
	return "something else"
}

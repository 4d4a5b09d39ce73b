package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// inference finds out what an expression gives, as far as the scope tells, and
// checks the parts that only guide, which the library takes as they are.
type inference struct {
	scope    *Scope
	src      string
	vars     map[string]Type // of let
	elements []Type          // what # is, in the predicates around
	failed   *Error
	warnings Errors
}

func (f *inference) of(n ast.Node) Type {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if t, ok := f.vars[n.Value]; ok {
			return t
		}
		return f.scope.roots[n.Value]
	case *ast.MemberNode:
		return f.member(n)
	case *ast.ChainNode:
		return f.of(n.Node)
	case *ast.PointerNode:
		if n.Name == "" && len(f.elements) > 0 {
			return f.elements[len(f.elements)-1]
		}
	case *ast.StringNode:
		return Scalar(Text)
	case *ast.IntegerNode, *ast.FloatNode:
		return Scalar(Number)
	case *ast.BoolNode:
		return Scalar(Bool)
	case *ast.BuiltinNode:
		return f.builtin(n)
	case *ast.BinaryNode:
		return f.binary(n)
	case *ast.ConditionalNode:
		f.of(n.Cond)
		return Union(f.of(n.Exp1), f.of(n.Exp2))
	case *ast.MapNode:
		return f.object(n)
	default:
		return f.within(n)
	}
	return Type{}
}

// within infers what only has other nodes in it.
func (f *inference) within(n ast.Node) Type {
	switch n := n.(type) {
	case *ast.PredicateNode:
		return f.of(n.Node)
	case *ast.SliceNode:
		f.maybe(n.From)
		f.maybe(n.To)
		return f.of(n.Node)
	case *ast.UnaryNode:
		f.of(n.Node)
	case *ast.CallNode:
		if m, ok := n.Callee.(*ast.MemberNode); ok {
			f.of(m.Node)
		}
		f.all(n.Arguments)
	case *ast.VariableDeclaratorNode:
		return f.let(n)
	case *ast.SequenceNode:
		if all := f.all(n.Nodes); len(all) > 0 {
			return all[len(all)-1]
		}
	case *ast.ArrayNode:
		return List(Union(f.all(n.Nodes)...))
	}
	return Type{}
}

func (f *inference) maybe(n ast.Node) {
	if n != nil {
		f.of(n)
	}
}

func (f *inference) all(nodes []ast.Node) []Type {
	out := make([]Type, len(nodes))
	for i, n := range nodes {
		out[i] = f.of(n)
	}
	return out
}

func (f *inference) let(n *ast.VariableDeclaratorNode) Type {
	t := f.of(n.Value)
	if f.vars == nil {
		f.vars = map[string]Type{}
	}
	f.vars[n.Name] = t
	out := f.of(n.Expr)
	delete(f.vars, n.Name) // the library refuses a second one of the name inside
	return out
}

func (f *inference) object(n *ast.MapNode) Type {
	fields, computed := make(map[string]Type, len(n.Pairs)), false
	for _, p := range n.Pairs {
		pair, ok := p.(*ast.PairNode)
		if !ok {
			return Type{}
		}
		t := f.of(pair.Value)
		if key, ok := pair.Key.(*ast.StringNode); ok {
			fields[key.Value] = t
			continue
		}
		f.of(pair.Key)
		computed = true
	}
	if computed {
		return Type{}
	}
	return Object(fields, false)
}

// builtin infers a function of the library; the predicate sees the elements of
// the first argument.
func (f *inference) builtin(n *ast.BuiltinNode) Type {
	var first, last Type
	for i, a := range n.Arguments {
		if _, ok := a.(*ast.PredicateNode); !ok {
			last = f.of(a)
		} else {
			f.iterates(n, first)
			f.elements = append(f.elements, first.Element())
			last = f.of(a)
			f.elements = f.elements[:len(f.elements)-1]
		}
		if i == 0 {
			first = last
		}
	}
	switch n.Name {
	case "filter", "sort", "reverse", "uniq", "take", "sortBy":
		return first
	case "find", "findLast", "first", "last":
		return first.Element()
	case "map":
		return List(last)
	}
	return Type{}
}

// iterates warns of a predicate on what has no elements.
func (f *inference) iterates(n *ast.BuiltinNode, over Type) {
	what := string(over.Kind())
	if over.IsObject() {
		what = "an object"
	}
	if what != "" {
		f.warn(n, "", "%s is %s, and %s() goes through a list", excerpt(n.Arguments[0].String()), what, n.Name)
	}
}

func (f *inference) binary(n *ast.BinaryNode) Type {
	left, right := f.of(n.Left), f.of(n.Right)
	switch n.Operator {
	case "??":
		if nothing(n.Right) {
			return left
		}
		return Union(left, right)
	case "==", "!=", "<", ">", "<=", ">=":
		f.comparison(n, left, right)
	}
	return Type{}
}

// nothing tells whether a value says no more than that there is none.
func nothing(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MapNode:
		return len(n.Pairs) == 0
	case *ast.ArrayNode:
		return len(n.Nodes) == 0
	}
	v, ok := literal(n)
	return ok && v == nil
}

// comparison warns where a field is compared with a literal of another kind.
func (f *inference) comparison(n *ast.BinaryNode, left, right Type) {
	field, kind, other := n.Left, left.Kind(), right.Kind()
	if _, ok := literal(n.Left); ok {
		field, kind, other = n.Right, right.Kind(), left.Kind()
	} else if _, ok := literal(n.Right); !ok {
		return
	}
	if _, ok := literal(field); ok || kind == "" || other == "" || kind == other {
		return
	}
	hint := ""
	switch {
	case kind == Number && other == Text:
		hint = "leave out the quotes"
	case kind == Text && other == Number:
		hint = "put quotes around the number"
	}
	f.warn(n, hint, "%s is %s, and is compared with %s", excerpt(field.String()), kind, other)
}

func (f *inference) member(n *ast.MemberNode) Type {
	base := f.of(n.Node)
	name, ok := n.Property.(*ast.StringNode)
	if !ok {
		f.of(n.Property)
		return base.Element()
	}
	if t, ok := base.Known(name.Value); ok {
		return t
	}
	switch {
	case base.Guides():
		f.unsure(n, base, name.Value)
	case base.IsObject():
		if _, ok := base.Field(name.Value); !ok {
			f.fail(n, f.scope.unknown(n.Node, base, name.Value))
		}
	case base.IsList():
		f.warn(n.Property, "take one with [0], or each with map()", "%s is a list and has no field %s", excerpt(operandText(n.Node)), name.Value)
	case base.Kind() != "":
		f.warn(n.Property, "", "%s is %s and has no field %s", excerpt(operandText(n.Node)), base.Kind(), name.Value)
	}
	return Type{}
}

// fail keeps the first error, about a member.
func (f *inference) fail(n *ast.MemberNode, e *Error) {
	if f.failed == nil {
		f.failed = e.place(f.src, n.Property)
	}
}

// unsure reports a field that a guided type does not know.
func (f *inference) unsure(n *ast.MemberNode, base Type, name string) {
	names, whole := base.FieldNames(), operandText(n.Node)
	if near := Suggest(name, names); near != "" {
		f.fail(n, &Error{
			Message: lacks(whole, "field "+name),
			Hint:    fmt.Sprintf("did you mean %s? If %s is a new field, write get(%s, '%s')", near, name, whole, name),
		})
		return
	}
	hint := "it is null unless it is there after all"
	if path := base.PathTo(name); path != "" {
		hint = "did you mean " + whole + "." + path + "?"
	} else if len(names) <= 12 {
		hint = "known are " + strings.Join(names, ", ")
	}
	f.warn(n.Property, hint, "%s", lacks(whole, "known field "+name))
}

// lacks says that something is not in what an expression gives.
func lacks(whole, what string) string {
	if whole == "#" {
		return "there is no " + what + " here"
	}
	return excerpt(whole) + " has no " + what
}

// operandText returns an expression as it stands before a dot.
func operandText(n ast.Node) string {
	switch n.(type) {
	case *ast.BinaryNode, *ast.ConditionalNode, *ast.UnaryNode:
		return "(" + n.String() + ")"
	}
	return n.String()
}

func (f *inference) warn(n ast.Node, hint, format string, args ...any) {
	e := &Error{Message: fmt.Sprintf(format, args...), Hint: hint}
	f.warnings = append(f.warnings, e.place(f.src, n))
}

package expr

import (
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

// plan is what must be known of an expression before it is compiled.
type plan struct {
	// hazard: it has loops or variables, with which a short expression can do
	// long work; then everything that works in proportion to a value is metered.
	hazard  bool
	checked bool            // it has an operator that may overflow
	metered bool            // it needs a meter
	names   map[string]bool // of roots and functions
	members map[string]bool // of fields
	refused *Error
	at      ast.Node
}

func survey(n ast.Node) plan {
	s := surveyor{plan{names: map[string]bool{}, members: map[string]bool{}}}
	ast.Walk(&n, &s)
	s.plan.metered = s.plan.metered || s.plan.hazard
	return s.plan
}

type surveyor struct{ plan plan }

func (s *surveyor) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.PredicateNode, *ast.VariableDeclaratorNode:
		s.plan.hazard = true
	case *ast.IdentifierNode:
		s.plan.names[n.Value] = true
		s.plan.metered = s.plan.metered || drawsOnRun[n.Value]
		if strings.HasPrefix(n.Value, "$") {
			s.refuse(n, &Error{Message: "unknown name " + n.Value})
		}
	case *ast.BuiltinNode:
		s.plan.names[n.Name] = true
		s.plan.metered = s.plan.metered || drawsOnRun[n.Name]
	case *ast.BinaryNode:
		s.plan.checked = s.plan.checked || mayOverflow(n)
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok {
			s.member(n, name.Value)
		}
	}
}

func (s *surveyor) member(n *ast.MemberNode, name string) {
	s.plan.members[name] = true
	if name == "Local" {
		s.refuse(n, &Error{
			Message: "Local() would give the zone of whichever machine runs this",
			Hint:    "write .In(timezone('Europe/Berlin'))",
		})
	}
}

func (s *surveyor) refuse(n ast.Node, e *Error) {
	if s.plan.refused == nil {
		s.plan.refused, s.plan.at = e, n
	}
}

// drawsOnRun are the functions whose value comes from the run's facts.
var drawsOnRun = map[string]bool{"now": true, "random": true, "uuid": true}

// patcher rewrites a program: calls of our functions get the meter, null
// becomes nil, and where there is a hazard, loops and operators are metered.
type patcher struct {
	metered bool
	hazard  bool
}

func (p patcher) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value == "null" {
			ast.Patch(node, &ast.NilNode{})
		}
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && ours(id.Value) {
			p.call(node, id.Value, n.Arguments...)
		}
	case *ast.PredicateNode:
		if p.hazard {
			tick := ast.Node(&ast.NilNode{})
			tick.SetLocation(n.Location())
			p.call(&tick, tickName)
			n.Node = &ast.SequenceNode{Nodes: []ast.Node{tick, n.Node}}
		}
	case *ast.BuiltinNode:
		if p.hazard {
			p.charge(n)
		}
		if n.Name == "groupBy" {
			p.call(node, groupsName, n)
		}
	case *ast.BinaryNode:
		p.binary(node, n)
	}
}

// charge meters what a built-in function works on; one with a predicate is
// metered by its loop.
func (p patcher) charge(n *ast.BuiltinNode) {
	if len(n.Arguments) == 0 {
		return
	}
	if last, ok := n.Arguments[len(n.Arguments)-1].(*ast.PredicateNode); ok && last != nil {
		return
	}
	p.call(&n.Arguments[0], chargeName, n.Arguments[0])
}

func (p patcher) binary(node *ast.Node, n *ast.BinaryNode) {
	if n.Operator == "in" {
		if l, ok := constantList(n.Right); ok {
			c := ast.Node(&ast.ConstantNode{Value: l})
			c.SetLocation(n.Right.Location())
			n.Right = c
			return
		}
	}
	name, ok := operators[n.Operator]
	switch {
	case ok && p.hazard && !quick(n), ok && mayOverflow(n):
		p.call(node, name, n.Left, n.Right)
	}
}

// mayOverflow tells whether an operator may give a whole number that 64 bits
// cannot hold. A field and a small number are taken not to: no field is within
// that of the limit.
func mayOverflow(n *ast.BinaryNode) bool {
	l, r := boundOf(n.Left), boundOf(n.Right)
	switch {
	case l == noNumberAt || r == noNumberAt || l == small && r == small:
		return false
	case n.Operator == "+", n.Operator == "-":
		return l != small && r != small || l == large || r == large
	}
	return n.Operator == "*"
}

// bound is what a literal tells of the number that it is.
type bound int

const (
	unknown bound = iota // it is no literal
	noNumberAt
	small
	large
)

func boundOf(n ast.Node) bound {
	switch n := n.(type) {
	case *ast.IntegerNode:
		if n.Value == int(int32(n.Value)) {
			return small
		}
		return large
	case *ast.StringNode, *ast.FloatNode, *ast.BoolNode, *ast.NilNode, *ast.ArrayNode, *ast.MapNode:
		return noNumberAt
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && notNumbers[id.Value] {
			return noNumberAt
		}
	case *ast.BuiltinNode:
		if notNumbers[n.Name] {
			return noNumberAt
		}
	}
	return unknown
}

// notNumbers are functions that never give a whole number.
var notNumbers = map[string]bool{
	"now": true, "date": true, "duration": true, "string": true, "format": true, "join": true, "upper": true, "lower": true,
	"trim": true, "toJSON": true, "replace": true, "random": true, "float": true,
}

// quick tells whether a literal bounds the work of an operator.
func quick(n *ast.BinaryNode) bool {
	switch n.Operator {
	case "==", "!=":
		return scalar(n.Left) || scalar(n.Right)
	case "contains", "matches":
		return scalar(n.Left)
	}
	return false
}

// call replaces a node by a call of one of our functions.
func (p patcher) call(node *ast.Node, name string, args ...ast.Node) {
	first := ast.Node(&ast.NilNode{})
	if p.metered {
		first = &ast.IdentifierNode{Value: meterName}
	}
	first.SetLocation((*node).Location())
	callee := &ast.IdentifierNode{Value: name}
	callee.SetLocation((*node).Location())
	ast.Patch(node, &ast.CallNode{Callee: callee, Arguments: append([]ast.Node{first}, args...)})
}

// constantList returns a list of literals as a value, made once.
func constantList(n ast.Node) ([]any, bool) {
	a, ok := n.(*ast.ArrayNode)
	if !ok {
		return nil, false
	}
	l := make([]any, len(a.Nodes))
	for i, e := range a.Nodes {
		if l[i], ok = literal(e); !ok {
			return nil, false
		}
	}
	return l, true
}

func scalar(n ast.Node) bool {
	_, ok := literal(n)
	return ok
}

const (
	tickName   = "\x00tick"
	groupsName = "\x00groups"
	chargeName = "\x00charge"
)

// operators are what a hazardous program calls instead.
var operators = map[string]string{
	"+": "\x00add", "-": "\x00subtract", "*": "\x00multiply", "==": "\x00equal", "!=": "\x00unequal", "in": "\x00in",
	"contains": "\x00contains", "matches": "\x00matches",
}

// operatorFunctions are made once; they are the same for every program.
var operatorFunctions = sync.OnceValue(func() []expr.Option {
	var out []expr.Option
	for name, f := range map[string]func(*meter, any, any) (any, error){
		"\x00add":      add,
		"\x00subtract": checked("-", func(a, b any) any { return runtime.Subtract(a, b) }),
		"\x00multiply": checked("*", func(a, b any) any { return runtime.Multiply(a, b) }),
		"\x00equal":    equal,
		"\x00unequal":  unequal,
		"\x00in":       in,
		"\x00contains": contains,
		"\x00matches":  matches,
	} {
		out = append(out, function(name, 2, 2, f2(f)))
	}
	out = append(out, function(chargeName, 1, 1, charge), function(groupsName, 1, 1, groups))
	return append(out, function(tickName, 0, 0, func(m *meter, _ []any) (any, error) {
		return nil, m.Step(1)
	}))
})

// charge returns its argument and meters it by its size.
func charge(m *meter, args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return v, m.Grow(len(v))
	case []any:
		return v, m.Step(len(v))
	case []int:
		return v, m.Step(len(v))
	case []string:
		return v, m.Step(len(v))
	}
	return args[0], nil
}

func add(m *meter, a, b any) (any, error) {
	x, ok := a.(string)
	y, ok2 := b.(string)
	if ok && ok2 {
		if err := m.Grow(len(x) + len(y)); err != nil {
			return nil, err
		}
		return x + y, nil
	}
	return sum(m, a, b)
}

var sum = checked("+", func(a, b any) any { return runtime.Add(a, b) })

// checked returns an operator on numbers that refuses to overflow.
func checked(operator string, f func(a, b any) any) func(*meter, any, any) (any, error) {
	return func(_ *meter, a, b any) (any, error) {
		x, ok := whole(a)
		y, ok2 := whole(b)
		if ok && ok2 && overflows(operator, x, y) {
			return nil, errOverflow(operator)
		}
		return f(a, b), nil
	}
}

// groups gives what groupBy has made the names that it has when it is recorded.
func groups(m *meter, args []any) (any, error) { return needObject(m, args[0]) }

func unequal(m *meter, a, b any) (any, error) {
	same, err := equal(m, a, b)
	if err != nil {
		return nil, err
	}
	return same != true, nil
}

func equal(m *meter, a, b any) (any, error) {
	if !compound(a) || !compound(b) {
		return runtime.Equal(a, b), nil
	}
	x, err := canonicalText(m, a)
	if err != nil {
		return nil, err
	}
	y, err := canonicalText(m, b)
	return x == y, err
}

func in(m *meter, needle, all any) (any, error) {
	l, ok := all.([]any)
	if !ok {
		return runtime.In(needle, all), nil
	}
	if err := m.Step(len(l)); err != nil {
		return nil, err
	}
	for _, v := range l {
		same, err := equal(m, needle, v)
		if same == true || err != nil {
			return same, err
		}
	}
	return false, nil
}

func compound(v any) bool {
	switch v.(type) {
	case []any, map[string]any, map[any][]any, []string, []int:
		return true
	}
	return false
}

// ours tells whether a call is of one of our functions, not yet rewritten.
func ours(name string) bool {
	_, ok := signatures[name]
	return ok
}

package expr

import "github.com/expr-lang/expr/ast"

var errSecret = &Error{
	Message: "a secret cannot be looked at: it is opened only just before the call",
	Hint:    "use it as it is, or joined to a text with +",
}

// misused returns where a secret stands as anything but a value that is handed
// on: expressions see a marker in its place, so a function or a comparison
// would work on that. moves tells whether the node's value is only handed on.
func misused(n ast.Node, moves bool) ast.Node {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if n.Value == "secrets" && !moves {
			return n
		}
		return nil
	case *ast.ChainNode:
		return misused(n.Node, moves)
	case *ast.MemberNode:
		return either(misused(n.Node, moves), misused(n.Property, false))
	case *ast.BinaryNode:
		moves = moves && (n.Operator == "+" || n.Operator == "??")
		return either(misused(n.Left, moves), misused(n.Right, moves))
	case *ast.ConditionalNode:
		return either(misused(n.Cond, false), misused(n.Exp1, moves), misused(n.Exp2, moves))
	case *ast.ArrayNode:
		return anyMisused(n.Nodes, moves)
	case *ast.MapNode:
		return anyMisused(n.Pairs, moves)
	case *ast.PairNode:
		return either(misused(n.Key, false), misused(n.Value, moves))
	}
	return lookedAt(n)
}

func either(found ...ast.Node) ast.Node {
	for _, n := range found {
		if n != nil {
			return n
		}
	}
	return nil
}

func anyMisused(nodes []ast.Node, moves bool) ast.Node {
	for _, n := range nodes {
		if at := misused(n, moves); at != nil {
			return at
		}
	}
	return nil
}

// lookedAt returns the first mention of secrets below a node, or nil.
func lookedAt(n ast.Node) ast.Node {
	var f secretFinder
	ast.Walk(&n, &f)
	return f.found
}

type secretFinder struct{ found ast.Node }

func (f *secretFinder) Visit(n *ast.Node) {
	if id, ok := (*n).(*ast.IdentifierNode); ok && id.Value == "secrets" && f.found == nil {
		f.found = id
	}
}

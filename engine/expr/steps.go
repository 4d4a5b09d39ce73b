package expr

import (
	"maps"

	"github.com/expr-lang/expr/ast"
)

// Steps are those of which an expression may read: what need not be there for it
// to have its value need not be made.
type Steps struct {
	ids map[string]bool
	all bool // it uses steps as a whole
}

// Has tells whether the expression may read of the step with this id.
func (s Steps) Has(id string) bool { return s.all || s.ids[id] }

// None tells that it reads of no step.
func (s Steps) None() bool { return !s.all && len(s.ids) == 0 }

// AllSteps are all there are.
func AllSteps() Steps { return Steps{all: true} }

// Steps returns the steps of which the expression may read.
func (p *Program) Steps() Steps { return p.steps }

// Steps returns the steps of which the template may read.
func (t *Template) Steps() Steps { return t.steps }

// and returns the steps of both.
func (s Steps) and(other Steps) Steps {
	if s.None() || other.all {
		return other
	}
	if other.None() || s.all {
		return s
	}
	both := maps.Clone(s.ids)
	maps.Copy(both, other.ids)
	return Steps{ids: both}
}

// stepsOf finds the steps that an expression names. Where it uses steps in any way
// but by steps.<id>, those are all.
func stepsOf(n ast.Node) Steps {
	f := stepFinder{ids: map[string]bool{}}
	ast.Walk(&n, &f)
	return Steps{ids: f.ids, all: f.named != f.used}
}

type stepFinder struct {
	ids         map[string]bool
	named, used int // how often a step, and steps, are
}

func (f *stepFinder) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.IdentifierNode:
		if n.Value == "steps" {
			f.used++
		}
	case *ast.MemberNode:
		root, ok := n.Node.(*ast.IdentifierNode)
		id, plain := n.Property.(*ast.StringNode)
		if ok && plain && root.Value == "steps" {
			f.named++
			f.ids[id.Value] = true
		}
	}
}

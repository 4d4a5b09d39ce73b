package expr

import (
	"zflow/engine/expr/wording"

	"github.com/expr-lang/expr/types"
)

// Scope is what an expression may name at its place in a workflow.
type Scope struct {
	roots   map[string]Type
	refused map[string]string
	hidden  func(step string) (why, hint string)
}

// NewScope returns a scope of these root names. refused gives, for names that
// exist elsewhere in a workflow, the reason why they cannot stand here; hidden
// does so for steps that exist but are not among those in roots ("": there is no
// such step), and may be nil.
func NewScope(roots map[string]Type, refused map[string]string, hidden func(step string) (why, hint string)) *Scope {
	return &Scope{roots: roots, refused: refused, hidden: hidden}
}

// why says why a step cannot be named here, or "".
func (s *Scope) why(step string) (why, hint string) {
	if s.hidden == nil {
		return "", ""
	}
	return s.hidden(step)
}

// has tells whether a root name has a value here.
func (s *Scope) has(name string) bool {
	_, ok := s.roots[name]
	return ok || name == "null"
}

// native returns the part of the scope that an expression names, for the
// library: a workflow may have hundreds of steps, and an expression few of them.
func (s *Scope) native(p plan) types.Map {
	env := types.Map{meterName: types.Any}
	for name, t := range s.roots {
		if !p.names[name] {
			continue
		}
		env[name] = t.Only(p.members).Native()
	}
	return env
}

// Suggest returns the name that was most likely meant, or "".
func Suggest(name string, among []string) string { return wording.Suggest(name, among) }

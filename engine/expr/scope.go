package expr

import "github.com/expr-lang/expr/types"

// Scope is what an expression may name at its place in a workflow.
type Scope struct {
	roots   map[string]Type
	refused map[string]string
	later   map[string]bool
}

// NewScope returns a scope of these root names. refused gives, for names that
// exist elsewhere in a workflow, the reason why they cannot stand here; later
// are the steps that have not run yet at this place.
func NewScope(roots map[string]Type, refused map[string]string, later []string) *Scope {
	s := &Scope{roots: roots, refused: refused, later: map[string]bool{}}
	for _, id := range later {
		s.later[id] = true
	}
	return s
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
		env[name] = t.only(p.members).native()
	}
	return env
}

// Suggest returns the name that was most likely meant, or "".
func Suggest(name string, among []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, c := range among {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance counts the edits, a swap of neighbours being one, between two names.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

package http

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"zflow/engine/workflow"
)

// Route is a trigger as those who serve it know it.
type Route struct {
	Workflow string              `json:"workflow"`
	Path     string              `json:"path"`
	Methods  []string            `json:"methods,omitempty"` // none: any
	Auth     Auth                `json:"auth"`
	Wait     bool                `json:"wait,omitempty"`
	Timeout  time.Duration       `json:"timeout,omitempty"`
	CORS     *workflow.CORS      `json:"cors,omitempty"`
	Key      workflow.RequestKey `json:"key"`
	Paused   bool                `json:"paused,omitempty"`  // nobody works on its events for now
	Problem  string              `json:"problem,omitempty"` // why it cannot be served
}

// Auth is what a request is checked with. Tokens and passwords are hashes; only
// signatures need the key itself.
type Auth struct {
	Kind      workflow.AuthKind   `json:"kind"`
	Salt      []byte              `json:"salt,omitempty"`
	Hashes    [][]byte            `json:"hashes,omitempty"`
	Keys      [][]byte            `json:"keys,omitempty"`
	Signature *workflow.Signature `json:"signature,omitempty"`
}

// HashOf is what stands for a token, or for a user and a password joined by a colon.
func HashOf(salt []byte, text string) []byte {
	sum := sha256.Sum256(append(slices.Clone(salt), text...))
	return sum[:]
}

// Table is all routes, by path.
type Table struct {
	byPath map[string][]*Route
}

// NewTable returns the table of routes; of two that want the same path and method,
// the first by the workflow's name has it. The others are returned.
func NewTable(routes []Route) (t *Table, without []Route) {
	t = &Table{byPath: map[string][]*Route{}}
	routes = slices.Clone(routes)
	slices.SortStableFunc(routes, func(a, b Route) int { return cmp.Compare(a.Workflow, b.Workflow) })
	for _, r := range routes {
		if slices.ContainsFunc(t.byPath[r.Path], func(other *Route) bool { return other.Workflow != r.Workflow && other.meets(&r) }) {
			without = append(without, r)
			continue
		}
		t.byPath[r.Path] = append(t.byPath[r.Path], &r)
	}
	return t, without
}

// List returns the methods and paths of the routes, by path.
func (t *Table) List() (all []string) {
	if t == nil {
		return nil
	}
	for _, routes := range t.byPath {
		for _, r := range routes {
			all = append(all, strings.Join(r.methods(), ",")+" "+Path+r.Path)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(a[strings.Index(a, " "):], b[strings.Index(b, " "):]) })
	return all
}

// methods are what it takes, for people.
func (r *Route) methods() []string {
	if len(r.Methods) == 0 {
		return []string{"ANY"}
	}
	return r.Methods
}

// meets tells whether two routes of one path have a method in common.
func (r *Route) meets(other *Route) bool {
	return len(r.Methods) == 0 || len(other.Methods) == 0 || slices.ContainsFunc(r.Methods, func(m string) bool { return slices.Contains(other.Methods, m) })
}

func (r *Route) takes(method string) bool {
	return len(r.Methods) == 0 || slices.Contains(r.Methods, method)
}

// at returns the routes of a path, with or without a slash at its end.
func (t *Table) at(path string) []*Route { return t.byPath[strings.TrimSuffix(path, "/")] }

// find returns the route for a method; nil: there is none.
func find(routes []*Route, method string) *Route {
	for _, r := range routes {
		if r.takes(method) {
			return r
		}
	}
	return nil
}

// allowed is what the header Allow says.
func allowed(routes []*Route) string {
	methods := []string{"OPTIONS"}
	for _, r := range routes {
		methods = append(methods, r.Methods...)
		if slices.Contains(r.Methods, "GET") {
			methods = append(methods, "HEAD")
		}
	}
	slices.Sort(methods)
	return strings.Join(slices.Compact(methods), ", ")
}

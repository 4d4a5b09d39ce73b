package actions

import (
	"fmt"
	"slices"
)

// Registry holds the actions that steps can use, by name. It is not changed
// after New.
type Registry struct {
	byName map[string]*Action
	names  []string
}

// NewRegistry returns a registry of these actions; two of one name are an error.
func NewRegistry(all ...*Action) (*Registry, error) {
	r := &Registry{byName: make(map[string]*Action, len(all))}
	for _, a := range all {
		if _, twice := r.byName[a.Spec.Name]; twice {
			return nil, fmt.Errorf("registering actions: %s twice", a.Spec.Name)
		}
		r.byName[a.Spec.Name] = a
		r.names = append(r.names, a.Spec.Name)
	}
	slices.Sort(r.names)
	return r, nil
}

// Get returns the action of this name, or nil.
func (r *Registry) Get(name string) *Action { return r.byName[name] }

// Names returns all names, sorted.
func (r *Registry) Names() []string { return r.names }

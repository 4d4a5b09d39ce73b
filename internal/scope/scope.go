// Package scope tells which scopes of Zoom a workflow needs: those of the events
// that start it or that it waits for, and of the operations that it calls.
package scope

import (
	"fmt"
	"slices"
	"strings"

	"zflow/engine/workflow"
	"zflow/internal/zoomcatalog"
)

// Need is a set of scopes of which any one suffices, and what needs it.
type Need struct {
	Of    []string          // events and actions, by name
	AnyOf []string          // none: it needs none, or nobody knows which
	Basis zoomcatalog.Basis // how the scopes are known
}

// At returns those of the scopes that are of a level.
func (n Need) At(level zoomcatalog.Level) []string { return zoomcatalog.AtLevel(level, n.AnyOf) }

// Met tells whether a connection with these scopes has what is needed. What is not
// known cannot be missed.
func (n Need) Met(granted []string) bool {
	return len(n.AnyOf) == 0 || slices.ContainsFunc(n.AnyOf, func(s string) bool { return slices.Contains(granted, s) })
}

// Missing returns the needs that the granted scopes do not meet.
func Missing(needs []Need, granted []string) []Need {
	return slices.DeleteFunc(slices.Clone(needs), func(n Need) bool { return n.Met(granted) })
}

// Of returns what a workflow needs, in the order in which it is written; what needs
// the same is one entry. Actions tells the scopes of an action of Zoom's, and false
// for any other. The scopes of events that are not known are unknown.
func Of(w *workflow.Workflow, actions func(name string) (anyOf []string, zoom bool)) []Need {
	c := collector{actions: actions}
	for _, t := range w.Triggers {
		c.events(t.Source, t.Types)
		if t.Poll != nil {
			c.uses(t.Poll.Uses)
		}
	}
	for step := range w.All() {
		c.uses(step.Undo)
		switch do := step.Do.(type) {
		case *workflow.Uses:
			c.uses(do)
		case *workflow.Wait:
			for _, a := range do.Of {
				c.events(a.Source, a.Types)
			}
		}
	}
	return c.needs
}

// Union returns the needs of several workflows as one list.
func Union(lists ...[]Need) []Need {
	c := collector{}
	for _, needs := range lists {
		for _, n := range needs {
			for _, name := range n.Of {
				c.add(name, n.AnyOf, n.Basis)
			}
		}
	}
	return c.needs
}

type collector struct {
	actions func(string) ([]string, bool)
	needs   []Need
}

func (c *collector) uses(u *workflow.Uses) {
	if u == nil {
		return
	}
	if scopes, zoom := c.actions(u.Action); zoom {
		c.add(u.Action, scopes, basisOf(scopes))
	}
}

// basisOf is that of an operation: what its document says is stated.
func basisOf(scopes []string) zoomcatalog.Basis {
	if len(scopes) == 0 {
		return zoomcatalog.Unknown
	}
	return zoomcatalog.Stated
}

func (c *collector) events(source string, patterns []string) {
	if source != "zoom" {
		return
	}
	for _, pattern := range patterns {
		if !strings.Contains(pattern, "*") {
			e, known := zoomcatalog.Lookup(pattern)
			c.event(pattern, e, known)
			continue
		}
		for _, e := range zoomcatalog.Events() {
			if zoomcatalog.Match(pattern, e.Name) {
				c.event(e.Name, e, true)
			}
		}
	}
}

func (c *collector) event(name string, e zoomcatalog.Event, known bool) {
	if !known {
		c.add(name, nil, zoomcatalog.Unknown)
		return
	}
	about := e.About()
	c.add(name, about.Scopes(), about.Basis)
}

func (c *collector) add(name string, anyOf []string, basis zoomcatalog.Basis) {
	for i := range c.needs {
		n := &c.needs[i]
		if n.Basis != basis || !slices.Equal(n.AnyOf, anyOf) {
			continue
		}
		if !slices.Contains(n.Of, name) {
			n.Of = append(n.Of, name)
		}
		return
	}
	c.needs = append(c.needs, Need{Of: []string{name}, AnyOf: anyOf, Basis: basis})
}

// String says what is needed in one line.
func (n Need) String() string {
	of := strings.Join(n.Of, ", ")
	switch n.Basis {
	case zoomcatalog.None:
		return of + " needs no scope"
	case zoomcatalog.Unknown:
		return of + ": Zoom does not say which scope"
	case zoomcatalog.Assumed:
		return fmt.Sprintf("%s needs, as far as is known, %s", of, strings.Join(n.AnyOf, " or "))
	}
	return fmt.Sprintf("%s needs %s", of, strings.Join(n.AnyOf, " or "))
}

package catalog

import (
	"context"
	"errors"
	"slices"

	"zflow/engine"
	"zflow/engine/definition"
)

// Contested returns what is wrong with workflows since requests that are to start them
// are those of others that are deployed. Names of leaving do not count.
func (c *Catalog) Contested(ctx context.Context, r *definition.Requests, leaving ...string) (all definition.Problems, err error) {
	if r.None() {
		return nil, nil
	}
	entries, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.State == Unreadable || slices.Contains(leaving, e.Name) {
			continue
		}
		w, err := c.Workflow(ctx, e.Name, e.Version)
		if ctx.Err() != nil || errors.Is(err, ErrAway) {
			return nil, err
		}
		if err == nil { // one that cannot be run gets no requests
			all = append(all, r.Against(w)...)
		}
	}
	return all, nil
}

// contested is Contested for one workflow, as an error.
func (c *Catalog) contested(ctx context.Context, file string, w *engine.Workflow, leaving ...string) (definition.Problems, error) {
	var r definition.Requests
	r.Take(file, w)
	problems, err := c.Contested(ctx, &r, leaving...)
	if err == nil {
		err = problems.Err()
	}
	return problems, err
}

package deployment

import (
	"context"

	"zflow/engine/catalog"
	"zflow/internal/operator"
)

// What a deployment would do.
const (
	New       = "new"
	Changed   = "changed"
	Unchanged = "unchanged"
	Removed   = "removed"
)

// Planned is what would become of a workflow.
type Planned struct {
	Name     string        `json:"name"`
	Change   string        `json:"change"`
	Version  string        `json:"version"` // that it would have; of one that is removed: that it has
	State    catalog.State `json:"state"`
	File     string        `json:"file"`
	OpenRuns int           `json:"open_runs"` // that go on with what they began with; of one that is changed or removed
}

// Candidate is a workflow that could be deployed.
type Candidate struct{ Name, Version, File string }

// Plan says what a deployment would change, and with prune what would be removed:
// all that is deployed and not among the candidates.
func Plan(ctx context.Context, o *operator.Operator, files []Candidate, prune bool) ([]Planned, error) {
	entries, err := o.Catalog.List(ctx)
	if err != nil {
		return nil, err
	}
	deployed := map[string]catalog.Entry{}
	for _, e := range entries {
		deployed[e.Name] = e
	}
	all := []Planned{}
	for _, f := range files {
		e, there := deployed[f.Name]
		delete(deployed, f.Name)
		p := Planned{Name: f.Name, Change: Changed, Version: f.Version, State: e.State, File: f.File}
		switch {
		case !there:
			p.Change, p.State = New, catalog.Active
		case e.Version == f.Version:
			p.Change = Unchanged
		}
		all = append(all, p)
	}
	for _, e := range entries {
		if _, left := deployed[e.Name]; left && prune {
			all = append(all, Planned{Name: e.Name, Change: Removed, Version: e.Version, State: catalog.Removed, File: e.File})
		}
	}
	for i, p := range all {
		if p.Change != Changed && p.Change != Removed {
			continue
		}
		open, err := openRuns(ctx, o, p.Name)
		if err != nil {
			return nil, err
		}
		for _, n := range open {
			all[i].OpenRuns += n
		}
	}
	return all, nil
}

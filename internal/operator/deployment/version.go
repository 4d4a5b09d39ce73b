// Package deployment is what a person asks and orders about the versions of
// workflows: which there are and who still uses them, in what they differ, back
// to an earlier one, and what a deployment of a folder would change.
//
// It deletes nothing: a workflow that is pruned gets no events any more, and its
// versions stay, so that every run goes on, or is retried, with its own.
package deployment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/internal/operator"
)

// Version is one version of a workflow.
type Version struct {
	catalog.Version
	Active   bool `json:"active"`
	OpenRuns int  `json:"open_runs"` // that go on with it
}

// List lists the versions of a workflow, the one that was deployed last first.
func List(ctx context.Context, o *operator.Operator, name string) ([]Version, error) {
	stored, err := o.Catalog.Versions(ctx, name)
	if err != nil {
		return nil, err
	}
	active, err := o.Catalog.Get(ctx, name)
	if err != nil && !errors.Is(err, catalog.ErrNotDeployed) {
		return nil, err
	}
	open, err := openRuns(ctx, o, name)
	if err != nil {
		return nil, err
	}
	all := make([]Version, len(stored))
	for i, v := range stored {
		all[i] = Version{v, v.Version == active.Version, open[v.Version]}
	}
	return all, nil
}

// openRuns counts the open runs of a workflow by version.
func openRuns(ctx context.Context, o *operator.Operator, name string) (map[string]int, error) {
	open := map[string]int{}
	err := o.History.Heads(ctx, name, []string{string(engine.Running), string(engine.Waiting)}, func(h history.Head) error {
		open[h.Header.Get("zflow-version")]++
		return nil
	})
	return open, err
}

// Find returns the version of a workflow that begins so; an empty beginning
// means the active one.
func Find(all []Version, name, begin string) (Version, error) {
	var found []Version
	for _, v := range all {
		if begin == "" && v.Active || begin != "" && strings.HasPrefix(v.Version.Version, begin) {
			found = append(found, v)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Version{}, fmt.Errorf("looking for version %s of workflow %s: %d versions begin so", begin, name, len(found))
	case begin == "":
		return Version{}, fmt.Errorf("looking for the active version of workflow %s: %w", name, catalog.ErrNotDeployed)
	}
	return Version{}, fmt.Errorf("looking for version %.60q of workflow %s: %w", begin, name, catalog.ErrNoVersion)
}

// before returns the version that was deployed before the active one.
func before(all []Version, name string) (Version, error) {
	i := slices.IndexFunc(all, func(v Version) bool { return v.Active })
	switch {
	case i < 0:
		return Find(all, name, "")
	case i == len(all)-1:
		return Version{}, fmt.Errorf("workflow %s has no version before its active one, %.12s", name, all[i].Version.Version)
	}
	return all[i+1], nil
}

// Difference is what changes from one text to another.
type Difference struct {
	Workflow string `json:"workflow"`
	From     string `json:"from"` // a version
	To       string `json:"to"`   // a version, or a file
	Diff     string `json:"diff"` // unified; empty: nothing
}

// Diff compares two versions of a workflow. Without from it is the version before
// the active one, without to the active one.
func Diff(ctx context.Context, o *operator.Operator, name, from, to string) (Difference, error) {
	all, err := List(ctx, o, name)
	if err != nil {
		return Difference{}, err
	}
	next, err := Find(all, name, to)
	if err != nil {
		return Difference{}, err
	}
	old, err := before(all, name)
	if from != "" {
		old, err = Find(all, name, from)
	}
	if err != nil {
		return Difference{}, err
	}
	src, err := o.Catalog.Source(ctx, name, next.Version.Version)
	if err != nil {
		return Difference{}, err
	}
	return against(ctx, o, Difference{Workflow: name, From: old.Version.Version, To: next.Version.Version}, src)
}

// File is a text that could be deployed.
type File struct {
	Name   string
	Source []byte
}

// DiffFile compares a version, the active one if it is empty, with a file.
func DiffFile(ctx context.Context, o *operator.Operator, name, from string, text File) (Difference, error) {
	all, err := List(ctx, o, name)
	if err != nil {
		return Difference{}, err
	}
	old, err := Find(all, name, from)
	if err != nil {
		return Difference{}, err
	}
	return against(ctx, o, Difference{Workflow: name, From: old.Version.Version, To: text.Name}, string(text.Source))
}

// against adds to a difference how the text differs from its version From.
func against(ctx context.Context, o *operator.Operator, d Difference, text string) (Difference, error) {
	old, err := o.Catalog.Source(ctx, d.Workflow, d.From)
	if err != nil {
		return Difference{}, err
	}
	unified := string(diff.Diff(d.Workflow+" "+d.From, []byte(old), d.Workflow+" "+d.To, []byte(text)))
	if i := strings.Index(unified, "--- "); i > 0 { // the line before it is git's
		unified = unified[i:]
	}
	d.Diff = operator.Mask(unified)
	return d, nil
}

// Rollback makes a stored version the active one again: the one that begins so,
// or the one before the active.
func Rollback(ctx context.Context, o *operator.Operator, name, begin string) (catalog.Deployed, error) {
	all, err := List(ctx, o, name)
	if err != nil {
		return catalog.Deployed{}, err
	}
	to, err := before(all, name)
	if begin != "" {
		to, err = Find(all, name, begin)
	}
	if err != nil {
		return catalog.Deployed{}, fmt.Errorf("rolling back: %w", err)
	}
	return o.Catalog.Rollback(ctx, name, to.Version.Version)
}

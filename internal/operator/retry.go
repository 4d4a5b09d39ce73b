package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/engine/steppath"
	v1 "zflow/proto/zflow/v1"
)

// Retry is an order to go on with a run that failed or was canceled.
type Retry struct {
	Run, By string
	With    map[string]map[string]json.RawMessage // inputs to correct: step, then key of its `with`
	Version string                                // of the workflow from here on, or its beginning; empty: as before
	Latest  bool                                  // the active version
}

// Retry makes a failed or canceled run go on from where it ended, and returns it
// once its history shows the order.
func (o *Operator) Retry(ctx context.Context, t Retry) (Run, error) {
	head, err := o.Find(ctx, t.Run)
	if err != nil {
		return Run{}, err
	}
	r, err := o.retry(ctx, head, t)
	if err != nil {
		return r, fmt.Errorf("retrying run %s: %w", head.Run, err)
	}
	return r, nil
}

func (o *Operator) retry(ctx context.Context, head history.Head, t Retry) (Run, error) {
	if err := retriable(engine.State(head.State)); err != nil {
		return Run{}, err
	}
	_, r, err := o.Load(ctx, head)
	if err != nil {
		return Run{}, err
	}
	c := &v1.Command{Kind: kindRetry, By: t.By}
	if c.Version, err = o.retriedVersion(ctx, r, t); err != nil {
		return Run{}, err
	}
	version := c.Version
	if version == "" {
		version = r.Start.Version
	}
	def, err := o.Catalog.Workflow(ctx, r.Start.Workflow, version)
	if err != nil {
		return Run{}, err
	}
	for _, step := range slices.Sorted(maps.Keys(t.With)) {
		if !hasAction(def, step) {
			return Run{}, classed(ErrInvalid, fmt.Errorf("its workflow has no step %s that uses an action", step))
		}
	}
	if len(t.With) > 0 {
		if c.Data, err = json.Marshal(t.With); err != nil {
			return Run{}, err
		}
	}
	if len(c.Data) > mostSent {
		return Run{}, classed(ErrInvalid, fmt.Errorf("the corrected inputs have %d bytes, they may have %d", len(c.Data), mostSent))
	}
	return o.order(ctx, head, c)
}

// retriable explains why a run in this state cannot be retried.
func retriable(s engine.State) error {
	switch {
	case s == engine.Failed, s == engine.Canceled:
		return nil
	case s.Ended():
		return classed(ErrConflict, fmt.Errorf("it has neither failed nor been canceled: %s", s))
	}
	return classed(ErrConflict, fmt.Errorf("it has not ended yet: %s", s))
}

// retriedVersion returns the version that a retry asks for; empty: as before.
func (o *Operator) retriedVersion(ctx context.Context, r *engine.Run, t Retry) (string, error) {
	name := r.Start.Workflow
	if t.Latest {
		e, err := o.Catalog.Get(ctx, name)
		return e.Version, err
	}
	if t.Version == "" {
		return "", nil
	}
	all, err := o.Catalog.Versions(ctx, name)
	if err != nil {
		return "", err
	}
	var found []string
	for _, v := range all {
		if strings.HasPrefix(v.Version, t.Version) {
			found = append(found, v.Version)
		}
	}
	if len(found) != 1 {
		return "", classed(ErrInvalid, fmt.Errorf("%d versions of workflow %s begin with %.60q: zflow workflows versions %s lists them", len(found), name, t.Version, name))
	}
	return found[0], nil
}

// hasAction tells whether a workflow has a step at a path, of any iteration, that
// uses an action, and so has inputs.
func hasAction(def *engine.Workflow, path string) bool {
	path = steppath.Static(path)
	for s := range def.All() {
		_, uses := s.Do.(*engine.Uses)
		if s.Path == path && uses || s.Undo != nil && s.Path+steppath.Undo == path {
			return true
		}
	}
	return false
}

package catalog

import (
	"context"
	"slices"
	"time"

	"zflow/engine"
)

// takenFor is how long it is believed what the deployed workflows take.
const takenFor = 5 * time.Second

// taken remembers what the deployed workflows take.
type taken struct {
	turn     chan struct{} // holds a token while somebody looks, which may take a while
	until    time.Time
	triggers []engine.Trigger
	known    map[kind]bool
}

// kind is what of an event a trigger's types are about.
type kind struct{ source, eventType string }

// mostKinds bounds what is remembered; beyond it all is forgotten.
const mostKinds = 10_000

// Takes says whether a deployed workflow takes events of a type from a source, such
// as zoom; one that is paused takes them later. The answer may be some seconds old.
func (c *Catalog) Takes(ctx context.Context, source, eventType string) (bool, error) {
	t := &c.taken
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if !time.Now().Before(t.until) {
		triggers, err := c.triggers(ctx)
		if err != nil {
			return false, err
		}
		t.until, t.triggers, t.known = time.Now().Add(takenFor), triggers, nil
	}
	k := kind{source, eventType}
	takes, known := t.known[k]
	if !known {
		takes = slices.ContainsFunc(t.triggers, func(g engine.Trigger) bool { return g.Takes(source, eventType) })
		if t.known == nil || len(t.known) >= mostKinds {
			t.known = map[kind]bool{}
		}
		t.known[k] = takes
	}
	return takes, nil
}

// triggers are those of all deployed workflows.
func (c *Catalog) triggers(ctx context.Context) (all []engine.Trigger, err error) {
	entries, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.State == Removed {
			continue
		}
		def, err := c.Workflow(ctx, e.Name, e.Version)
		if err != nil {
			return nil, err
		}
		all = append(all, def.Triggers...)
	}
	return all, nil
}

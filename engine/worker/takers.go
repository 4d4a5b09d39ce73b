package worker

import (
	"context"
	"slices"
	"sync"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/catalog"
	wire "zflow/proto"
)

// takers remembers what the deployed workflows take, so that an event which passes
// them all is counted: none disappears in silence.
type takers struct {
	mu    sync.Mutex
	known map[kind]bool // is taken; since the last change of a workflow
}

// kind is what of an event a trigger's types are about.
type kind struct{ source, eventType string }

// mostKinds bounds what is remembered; beyond it all is forgotten.
const mostKinds = 10_000

// forget is due when a workflow has changed.
func (t *takers) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.known)
}

// countUntaken counts an event that nobody waits for if no workflow takes it either.
// A paused workflow takes its events later.
func (w *Worker) countUntaken(ctx context.Context, t *takers, e *wire.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := kind{e.Kind(), e.Type}
	taken, known := t.known[k]
	if !known {
		var err error
		if taken, err = w.isTaken(ctx, k); err != nil {
			w.Log.Warn("it is not known whether a workflow takes an event", zap.String("event_id", e.ID), zap.Error(err))
			return
		}
		if t.known == nil || len(t.known) >= mostKinds {
			t.known = map[kind]bool{}
		}
		t.known[k] = taken
	}
	if !taken {
		w.counts.addOf(Counter{Name: "events_untaken", Type: e.Type})
	}
}

// isTaken says whether a deployed workflow takes events of a kind.
func (w *Worker) isTaken(ctx context.Context, k kind) (bool, error) {
	entries, err := w.Catalog.List(ctx)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if e.State == catalog.Removed {
			continue
		}
		def, err := w.Catalog.Workflow(ctx, e.Name, e.Version)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(def.Triggers, func(t engine.Trigger) bool { return t.Takes(k.source, k.eventType) }) {
			return true, nil
		}
	}
	return false, nil
}

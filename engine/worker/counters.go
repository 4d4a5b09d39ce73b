package worker

import (
	"context"
	"maps"
	"sync"

	"go.uber.org/zap"

	wire "zflow/proto"
)

// counters count what happened, by name and workflow.
type counters struct {
	mu sync.Mutex
	n  map[Counter]uint64
}

// Counter names one count.
type Counter struct {
	Name     string
	Workflow string
	Type     string // of the event: of events_unmatched, events_again and events_untaken
}

func (c *counters) add(name, workflow string) { c.addOf(Counter{Name: name, Workflow: workflow}) }

func (c *counters) addOf(k Counter) { c.addMany(k, 1) }

func (c *counters) addMany(k Counter, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[Counter]uint64{}
	}
	c.n[k] += n
}

// Counts returns what was counted since the start: runs_started, runs_completed,
// runs_failed, runs_canceled, runs_parked, runs_taken_over, runs_superseded,
// events_unmatched, events_untaken (no workflow takes them, nobody waits for
// them), events_again, polls, polls_failed, poll_events, schedule_events, ticks_failed,
// ticks_missed, attempts, outcomes_late, acks_left, and more.
func (w *Worker) Counts() map[Counter]uint64 {
	w.counts.mu.Lock()
	defer w.counts.mu.Unlock()
	return maps.Clone(w.counts.n)
}

// countUntaken counts an event that nobody waits for if no workflow takes it either:
// none disappears in silence.
func (w *Worker) countUntaken(ctx context.Context, e *wire.Event) {
	switch taken, err := w.Catalog.Takes(ctx, e.Kind(), e.Type); {
	case err != nil:
		w.Log.Warn("it is not known whether a workflow takes an event", zap.String("event_id", e.ID), zap.Error(err))
	case !taken:
		w.counts.addOf(Counter{Name: "events_untaken", Type: e.Type})
	}
}

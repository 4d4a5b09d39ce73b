package worker

import (
	"maps"
	"sync"
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

func (c *counters) addOf(k Counter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[Counter]uint64{}
	}
	c.n[k]++
}

// Counts returns what was counted since the start: runs_started, runs_completed,
// runs_failed, runs_canceled, runs_parked, runs_taken_over, runs_superseded,
// events_unmatched, events_untaken (no workflow takes them, nobody waits for
// them), events_again, attempts, outcomes_late, acks_left, and more.
func (w *Worker) Counts() map[Counter]uint64 {
	w.counts.mu.Lock()
	defer w.counts.mu.Unlock()
	return maps.Clone(w.counts.n)
}

package socket

import (
	"sync"
	"time"
)

// Outcome is what became of a frame; it is a metric's label.
type Outcome string

// The outcomes. Unavailable and UnknownType stand beside another.
const (
	Accepted    Outcome = "accepted"     // stored and flushed
	Duplicate   Outcome = "duplicate"    // it was stored before
	Malformed   Outcome = "malformed"    // no event
	Oversize    Outcome = "oversize"     // larger than the server takes
	Unavailable Outcome = "unavailable"  // an attempt to store it failed; it is made again
	UnknownType Outcome = "unknown_type" // a type that the catalogue lacks
)

// Stats is what a Source did so far in this process.
type Stats struct {
	App         string
	Open        bool
	Last        time.Time // of the last event
	Connections int64
	Counts      map[Outcome]int64
}

type counters struct {
	mu    sync.Mutex
	stats Stats
}

func (c *counters) count(o Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats.Counts == nil {
		c.stats.Counts = map[Outcome]int64{}
	}
	c.stats.Counts[o]++
	if o == Accepted {
		c.stats.Last = time.Now()
	}
}

func (c *counters) began() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Open = true
	c.stats.Connections++
}

func (c *counters) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Open = false
}

// Stats returns a copy.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.stats
	all.App = s.App
	all.Counts = make(map[Outcome]int64, len(s.stats.Counts))
	for o, n := range s.stats.Counts {
		all.Counts[o] = n
	}
	return all
}

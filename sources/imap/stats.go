package imap

import (
	"maps"
	"time"
)

// Outcome is what became of a mail; it is a metric's label.
type Outcome string

// The outcomes.
const (
	Accepted  Outcome = "accepted"  // an event is stored
	Duplicate Outcome = "duplicate" // it was stored before
	Automatic Outcome = "automatic" // beside accepted: a program sent it by itself
	Curtailed Outcome = "curtailed" // beside accepted: its event has the headers alone
	Gone      Outcome = "gone"      // somebody removed it before it was read
	Unmarked  Outcome = "unmarked"  // beside accepted: it could not be marked, or moved
)

// Stats is how the reading of a mailbox goes.
type Stats struct {
	Mailbox string
	Looked  time.Time // last; zero: never in this process
	Problem string    // why it cannot be read; empty: it can
	Counts  map[Outcome]int64
}

// Stats tells how the reading goes.
func (r *Reader) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Mailbox, s.Counts = r.Name, maps.Clone(r.counts)
	return s
}

func (r *Reader) note(change func(*Stats)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.stats)
}

func (r *Reader) count(o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[o]++
}

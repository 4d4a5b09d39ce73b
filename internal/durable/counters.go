package durable

import (
	"sync/atomic"
	"time"
)

// Counts is what a Flusher has done since it was made.
type Counts struct {
	Requests uint64        // flush requests received
	Flushes  uint64        // flushes done, each for all requests at hand
	Syncs    uint64        // files and folders flushed by them
	Busy     time.Duration // time spent flushing
	Slowest  time.Duration // the longest flush
}

type counters struct {
	requests, flushes, syncs atomic.Uint64
	busy, slowest            atomic.Int64
}

// Counts returns the totals so far.
func (f *Flusher) Counts() Counts {
	c := &f.counts
	return Counts{
		Requests: c.requests.Load(), Flushes: c.flushes.Load(), Syncs: c.syncs.Load(),
		Busy: time.Duration(c.busy.Load()), Slowest: time.Duration(c.slowest.Load()),
	}
}

func (c *counters) note(d time.Duration) {
	c.flushes.Add(1)
	c.busy.Add(int64(d))
	for {
		old := c.slowest.Load()
		if int64(d) <= old || c.slowest.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

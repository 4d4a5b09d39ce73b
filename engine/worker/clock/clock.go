// Package clock tells the broker's time (DESIGN section 4, rule 12): when it was
// learned, and what has passed since then. The own wall clock may be wrong, and may
// jump; what has passed is monotonic.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock is the broker's time; the zero Clock goes by the own wall clock until it has
// learned it.
type Clock struct {
	learned atomic.Pointer[reading] // nil: never
}

// reading is the broker's time at a time of ours.
type reading struct{ broker, own time.Time }

const learnEvery = 15 * time.Second

// Known says that the clock has learned the broker's time.
func (c *Clock) Known() bool { return c.learned.Load() != nil }

// Due says that it is to be learned again.
func (c *Clock) Due(now time.Time) bool {
	r := c.learned.Load()
	return r == nil || now.Sub(r.own) > learnEvery
}

// Learn takes when the server stored something, and a time of ours after it told us:
// so the broker's time is never overrated.
func (c *Clock) Learn(told, stored time.Time) { c.learned.Store(&reading{stored.Round(0), told}) }

// Now is the broker's time, as far as it is known.
func (c *Clock) Now() time.Time {
	r := c.learned.Load()
	if r == nil {
		return time.Now().Round(0)
	}
	return r.broker.Add(time.Since(r.own))
}

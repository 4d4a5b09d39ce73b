package zoom

import (
	"sync/atomic"
	"time"
)

// Outcome is what became of a request; it is a metric's label.
type Outcome string

// The outcomes. All but UnknownType exclude one another.
const (
	Accepted     Outcome = "accepted"      // 204: stored and flushed
	Duplicate    Outcome = "duplicate"     // 204: it was stored before
	Validation   Outcome = "validation"    // 200: URL validation answered
	BadSignature Outcome = "bad_signature" // 401, as for an app without secrets
	// BadCredential is 401: well signed, without the user, password or header that
	// Zoom was told to send besides.
	BadCredential Outcome = "bad_credential"
	Stale         Outcome = "stale"        // 401: signed too long ago
	Future        Outcome = "future"       // 401: signed by a clock that is ahead
	Oversize      Outcome = "oversize"     // 413
	Truncated     Outcome = "truncated"    // 400: the body ended early
	Malformed     Outcome = "malformed"    // 400: signed, but no event
	UnknownApp    Outcome = "unknown_app"  // 404: no such app or path
	BadMethod     Outcome = "bad_method"   // 405
	Overload      Outcome = "overload"     // 503: more at once than the limit
	NoRoom        Outcome = "no_room"      // 503: the broker's disk is at its reserve
	Unavailable   Outcome = "unavailable"  // 503: not known to be stored
	UnknownType   Outcome = "unknown_type" // beside accepted: a type that the catalogue lacks
)

// Outcomes lists them all.
func Outcomes() []Outcome {
	return []Outcome{Accepted, Duplicate, Validation, BadSignature, BadCredential, Stale, Future, Oversize, Truncated,
		Malformed, UnknownApp, BadMethod, Overload, NoRoom, Unavailable, UnknownType}
}

// Stats is what became of an app's requests so far.
type Stats struct {
	App       string // empty: requests for no known app
	Secrets   int
	Counts    map[Outcome]int64
	Last      time.Time // of the last event accepted
	Validated time.Time // of the last URL validation; zero if never
}

// counters are one app's; the map is never changed after newCounters.
type counters struct {
	by        map[Outcome]*atomic.Int64
	accepted  atomic.Int64 // Unix nanoseconds
	validated atomic.Int64
}

func newCounters() *counters {
	c := &counters{by: make(map[Outcome]*atomic.Int64)}
	for _, o := range Outcomes() {
		c.by[o] = new(atomic.Int64)
	}
	return c
}

func (c *counters) count(o Outcome) {
	c.by[o].Add(1)
	switch o {
	case Accepted:
		c.accepted.Store(time.Now().UnixNano())
	case Validation:
		c.validated.Store(time.Now().UnixNano())
	}
}

func (c *counters) stats(app string, secrets int) Stats {
	s := Stats{App: app, Secrets: secrets, Counts: make(map[Outcome]int64, len(c.by)),
		Last: instant(c.accepted.Load()), Validated: instant(c.validated.Load())}
	for o, n := range c.by {
		s.Counts[o] = n.Load()
	}
	return s
}

func instant(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}

package http

import (
	"cmp"
	nethttp "net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Outcome is what became of a request; it is a metric's label.
type Outcome string

// The outcomes.
const (
	Accepted      Outcome = "accepted"      // its event is stored
	Duplicate     Outcome = "duplicate"     // its event was stored before
	Preflight     Outcome = "preflight"     // OPTIONS and HEAD: no event
	UnknownPath   Outcome = "unknown_path"  // 404
	BadMethod     Outcome = "bad_method"    // 405
	Unauthorized  Outcome = "unauthorized"  // 401: no token or password, or a wrong one
	BadSignature  Outcome = "bad_signature" // 401
	Stale         Outcome = "stale"         // 401: signed too long ago, or by a clock that is wrong
	Oversize      Outcome = "oversize"      // 413
	TooManyParts  Outcome = "too_many"      // 431, or 400: more headers, fields or parts than are taken
	Malformed     Outcome = "malformed"     // 400
	Unsupported   Outcome = "unsupported"   // 415
	Slow          Outcome = "slow"          // 408
	Overload      Outcome = "overload"      // 503: more at once than the limit
	NoRoom        Outcome = "no_room"       // 503: the broker's disk is at its reserve
	NoRoutes      Outcome = "no_routes"     // 503: no worker has said which there are
	NotServed     Outcome = "not_served"    // 503: the trigger cannot be served, such as for lack of a secret
	Unavailable   Outcome = "unavailable"   // 503: not known to be stored
	answeredInRun Outcome = "answered"      // beside accepted: the run's answer was given
	answeredLate  Outcome = "late"          // beside accepted: who waited was told to ask again
)

// fault is why a request is refused, and what the caller is told.
type fault struct {
	Outcome
	text string
	code int // 0: that of the outcome
}

func (f *fault) status() int { return cmp.Or(f.code, f.Outcome.status()) }

func (o Outcome) status() int {
	switch o {
	case UnknownPath:
		return nethttp.StatusNotFound
	case BadMethod:
		return nethttp.StatusMethodNotAllowed
	case Unauthorized, BadSignature, Stale:
		return nethttp.StatusUnauthorized
	case Oversize:
		return nethttp.StatusRequestEntityTooLarge
	case Malformed, TooManyParts:
		return nethttp.StatusBadRequest
	case Unsupported:
		return nethttp.StatusUnsupportedMediaType
	case Slow:
		return nethttp.StatusRequestTimeout
	}
	return nethttp.StatusServiceUnavailable
}

// Count is how often something became of the requests for a workflow.
type Count struct {
	Workflow string // empty: for none
	Outcome  Outcome
	N        int64
}

// counts are made when they are first needed: only workflows that are routed have one.
type counts struct {
	mu  sync.RWMutex
	all map[Count]*atomic.Int64 // by a Count without N
}

func (c *counts) add(workflow string, o Outcome) {
	of := Count{Workflow: workflow, Outcome: o}
	c.mu.RLock()
	n := c.all[of]
	c.mu.RUnlock()
	if n == nil {
		c.mu.Lock()
		if n = c.all[of]; n == nil {
			n = new(atomic.Int64)
			c.all[of] = n
		}
		c.mu.Unlock()
	}
	n.Add(1)
}

// list returns them in order.
func (c *counts) list() (all []Count) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for of, n := range c.all {
		of.N = n.Load()
		all = append(all, of)
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Outcome, b.Outcome))
	})
	return all
}

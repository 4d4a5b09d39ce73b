// Package upkeep renews grants well before they end that nobody uses.
//
// A refresh token that is not traded in lives for a while only: 90 days at Zoom, from
// weeks to half a year elsewhere. A connection that a yearly workflow needs would be
// gone by then, and somebody would have to consent anew.
//
// Obligations:
//
//  1. Each lent grant is renewed at a time of its own, so that many that were made
//     together are not renewed together, and early enough for weeks of failed tries.
//     After a long stop what is overdue is renewed bit by bit, not at the start.
//  2. All workers look; the refresher of connections sees to it that one trades in.
//  3. What fails is tried again, ever more rarely, and said once: in the log, and in the
//     connection's record, where lists and the doctor find it.
package upkeep

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"zflow/internal/connections"
	"zflow/internal/pause"
)

const (
	every     = 5 * time.Minute // connections are looked at
	between   = time.Second     // two renewals of one worker, at least
	firstWait = time.Hour       // after a try that failed
	mostWait  = 24 * time.Hour
)

// How long after its last renewal a grant is renewed: idle, and up to spread more. How
// long other services' refresh tokens live is mostly not said; a week is less than any
// that was heard of but of those that say it.
const (
	day        = 24 * time.Hour
	zoomIdle   = 30 * day
	zoomSpread = 10 * day
	idle       = 7 * day
	spread     = 2 * day
)

// Due is when a connection's grant is to be renewed; never for one that needs nothing.
func Due(r connections.Record) (at time.Time, ever bool) {
	if !r.Renewable() {
		return at, false
	}
	wait, more := idle, spread
	if r.Kind != connections.KindHTTP {
		wait, more = zoomIdle, zoomSpread
	}
	if life := r.RefreshEnds.Sub(r.Refreshed); !r.RefreshEnds.IsZero() && life/2 < wait {
		wait, more = max(life*4/10, 0), life/10
	}
	return r.Refreshed.Add(wait + share(r.Name, more)), true
}

// share is a part of a time that is always the same for a name.
func share(name string, of time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	const parts = 10_000
	return of / parts * time.Duration(h.Sum64()%parts)
}

// Counts is what became of renewals.
type Counts struct{ Renewed, Failed uint64 }

// Keeper renews what is due, while Run runs.
type Keeper struct {
	store *connections.Store
	log   *zap.Logger

	mu     sync.Mutex
	counts Counts
	failed map[string]failure // of this worker
}

// failure is a row of tries that failed.
type failure struct {
	tries int
	until time.Time // it is not tried again
}

// New returns a Keeper of the connections.
func New(store *connections.Store, log *zap.Logger) *Keeper {
	return &Keeper{store: store, log: log, failed: map[string]failure{}}
}

// Counts returns what this worker has done since its start.
func (k *Keeper) Counts() Counts {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.counts
}

// Run looks again and again until ctx ends, for the first time some minutes after the
// start: workers that start together do not look together.
func (k *Keeper) Run(ctx context.Context) {
	for pause.For(ctx, rand.N(every)) {
		k.look(ctx)
		if !pause.For(ctx, every/2) {
			return
		}
	}
}

// look renews what is due, in no order, so that workers do not go after the same.
func (k *Keeper) look(ctx context.Context) {
	due := k.due(time.Now())
	rand.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	for _, r := range due {
		k.renew(ctx, r)
		if !pause.For(ctx, between+rand.N(between)) {
			return
		}
	}
}

func (k *Keeper) due(now time.Time) []connections.Record {
	all := k.store.All()
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.DeleteFunc(all, func(r connections.Record) bool {
		at, ever := Due(r)
		if !ever || now.Before(at) {
			delete(k.failed, r.Name)
			return true
		}
		return now.Before(k.failed[r.Name].until)
	})
}

// renew renews one, unless another did meanwhile.
func (k *Keeper) renew(ctx context.Context, r connections.Record) {
	renewed, err := k.store.RenewAhead(ctx, r.Name, r.Refreshed)
	if ctx.Err() != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		if renewed {
			k.counts.Renewed++
		}
		delete(k.failed, r.Name)
		return
	}
	k.counts.Failed++
	f := k.failed[r.Name]
	if f.tries == 0 {
		k.log.Warn("a connection could not be renewed ahead of its end", zap.String("connection", r.Name), zap.Time("last renewed", r.Refreshed), zap.Error(err))
	}
	wait := min(firstWait<<min(f.tries, 10), mostWait)
	k.failed[r.Name] = failure{f.tries + 1, time.Now().Add(wait/2 + rand.N(wait))}
}

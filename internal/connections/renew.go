package connections

import (
	"context"
	"sync/atomic"
	"time"

	"zflow/internal/zoomapi"
)

// How long an error is repeated without asking again, how young a refused token
// must be not to be replaced, and how often a waiter looks for another process's.
const (
	finalFor = 15 * time.Second
	againFor = time.Second
	tooYoung = 2 * time.Second
	lookAt   = 25 * time.Millisecond
)

// owner has the token that connections call with, as far as this process knows it.
// The connections of one server-to-server app have one owner, every other
// connection its own.
type owner struct {
	key     string        // names it in the bucket
	turn    chan struct{} // held by whoever looks for a newer token
	current atomic.Pointer[held]
	seen    atomic.Uint64 // the highest number of a cached token
}

func newOwner(key string) *owner { return &owner{key: key, turn: make(chan struct{}, 1)} }

// held is a token, or an error for a while.
type held struct {
	access string
	api    string
	scopes []string
	ends   time.Time
	until  time.Time // when either is not to be used any more
	err    *zoomapi.Error
}

// keeper is where the token of a connection comes from.
type keeper interface {
	// look returns the stored token if it may be used; nil: it must be replaced.
	look(ctx context.Context, c *connection, refused string) (*held, error)
	// fetch replaces it, under the lease; nil: another process was faster.
	fetch(ctx context.Context, c *connection, refused string) *held
}

func (s *Store) keeper(c *connection) keeper {
	if c.record().anew() {
		return server{s}
	}
	return person{s}
}

// newer waits for a token other than the one that was refused ("": any). The
// search goes on where the caller does not wait for its end: Zoom may have given
// out a token already, and that must be stored.
func (s *Store) newer(ctx context.Context, c *connection, refused string) (*held, error) {
	o := c.owner
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, interrupted()
	}
	h := o.current.Load()
	if h.good(refused) {
		<-o.turn
		return h, nil
	}
	if err := h.bad(); err != nil {
		<-o.turn
		return nil, err
	}
	done := make(chan *held, 1)
	s.work.Go(func() {
		defer func() { <-o.turn }()
		search, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseAge+fetchTime)
		defer cancel()
		found := s.search(search, c, refused)
		o.current.Store(found)
		done <- found
	})
	select {
	case h := <-done:
		if h.err != nil {
			return nil, h.err
		}
		return h, nil
	case <-ctx.Done():
		return nil, interrupted()
	}
}

func interrupted() *zoomapi.Error { return unreachable("waiting for its token: no time left") }

// search finds a usable token in the bucket, or fetches one under the lease.
func (s *Store) search(ctx context.Context, c *connection, refused string) *held {
	wait := time.NewTicker(lookAt)
	defer wait.Stop()
	k := s.keeper(c)
	for {
		h, err := k.look(ctx, c, refused)
		if err != nil {
			return failed(err)
		}
		if h != nil {
			return h
		}
		release, err := s.lease(ctx, c.owner.key)
		if err != nil {
			return failed(err)
		}
		if release != nil {
			h := k.fetch(ctx, c, refused)
			release()
			if h != nil {
				return h
			}
		}
		select {
		case <-wait.C:
		case <-ctx.Done():
			return failed(interrupted())
		}
	}
}

// take uses a cached token if it may be used.
func (o *owner) take(r cached, refused string) *held {
	if r.Access == "" || r.Access == refused || !time.Now().Before(r.Until) {
		return nil
	}
	o.sees(r.number)
	return o.hold(r)
}

func (o *owner) hold(r cached) *held {
	return &held{access: r.Access, api: r.API, scopes: r.Scopes, ends: r.Expires, until: r.Until}
}

// failed is an error to repeat for a while.
func failed(err error) *held {
	e := zoomapi.AsError(err)
	d := againFor
	if e.Outcome == zoomapi.Refused {
		d = finalFor
	}
	return &held{err: e, until: time.Now().Add(d)}
}

// good tells whether a token may be used, and is another one than was refused.
func (h *held) good(refused string) bool {
	return h != nil && h.err == nil && h.access != refused && time.Now().Before(h.until)
}

// bad is the error to repeat, if there is one.
func (h *held) bad() *zoomapi.Error {
	if h == nil || h.err == nil || !time.Now().Before(h.until) {
		return nil
	}
	return h.err
}

func (o *owner) sees(number uint64) {
	for old := o.seen.Load(); number > old && !o.seen.CompareAndSwap(old, number); {
		old = o.seen.Load()
	}
}

package connections

import (
	"context"
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

// newer waits for a token other than the one that was refused ("": any). The
// search goes on where the caller does not wait for its end: Zoom may have given
// out a token already, and that must be stored.
func (s *Store) newer(ctx context.Context, c *connection, refused string) (zoomapi.Token, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return zoomapi.Token{}, interrupted(c)
	}
	h := c.current.Load()
	if h.good(refused) {
		<-c.turn
		return h.token, nil
	}
	if err := h.bad(); err != nil {
		<-c.turn
		return zoomapi.Token{}, err
	}
	done := make(chan *held, 1)
	s.work.Go(func() {
		defer func() { <-c.turn }()
		search, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseAge+fetchTime)
		defer cancel()
		found := s.search(search, c, refused)
		c.current.Store(found)
		done <- found
	})
	select {
	case h := <-done:
		if h.err != nil {
			return zoomapi.Token{}, h.err
		}
		return h.token, nil
	case <-ctx.Done():
		return zoomapi.Token{}, interrupted(c)
	}
}

func interrupted(c *connection) *zoomapi.Error {
	return unreachable("waiting for a token of connection %s: no time left", c.app.Name)
}

// search finds a usable token in the bucket, or fetches one under the lease.
func (s *Store) search(ctx context.Context, c *connection, refused string) *held {
	wait := time.NewTicker(lookAt)
	defer wait.Stop()
	for {
		h, err := s.look(ctx, c, refused)
		if err != nil {
			return failed(err)
		}
		if h != nil {
			return h
		}
		release, err := s.lease(ctx, c)
		if err != nil {
			return failed(err)
		}
		if release != nil {
			h := s.fetchUnder(ctx, c, refused)
			release()
			if h != nil {
				return h
			}
		}
		select {
		case <-wait.C:
		case <-ctx.Done():
			return failed(interrupted(c))
		}
	}
}

// look reads the bucket; nil without an error means that a token must be fetched.
func (s *Store) look(ctx context.Context, c *connection, refused string) (*held, error) {
	r, err := s.load(ctx, c)
	if err != nil {
		return nil, err
	}
	return c.take(r, refused), nil
}

// take uses a record if it may be used.
func (c *connection) take(r record, refused string) *held {
	if r.Access == "" || r.Access == refused || !time.Now().Before(r.Until) {
		return nil
	}
	c.sees(r.number)
	return c.hold(r)
}

func (c *connection) hold(r record) *held {
	return &held{until: r.Until, token: zoomapi.Token{
		Access: r.Access, Connection: c.app.Name, Kind: zoomapi.KindServer, Account: c.app.AccountID,
		API: r.API, Base: c.app.API, Scopes: r.Scopes, Expires: r.Expires,
	}}
}

// fetchUnder fetches a token under the lease, unless the bucket has one by now.
// It returns nil where another process stored one meanwhile.
func (s *Store) fetchUnder(ctx context.Context, c *connection, refused string) *held {
	old, err := s.load(ctx, c)
	if err != nil {
		return failed(err)
	}
	if h := c.take(old, refused); h != nil {
		return h
	}
	if age := time.Since(old.Made); refused != "" && old.Access == refused && age < tooYoung {
		e := unreachable("connection %s: Zoom refuses a token that it gave %s ago", c.app.Name, age.Round(time.Millisecond))
		e.RetryAt = old.Made.Add(tooYoung)
		return failed(e)
	}
	fresh, problem := s.fetch(ctx, c.app)
	if problem != nil {
		return failed(problem)
	}
	stored, err := s.store(ctx, c, old, fresh)
	switch {
	case err != nil:
		return failed(err)
	case !stored:
		return nil
	}
	return c.hold(fresh)
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

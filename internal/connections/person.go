package connections

import (
	"context"
	"errors"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/zoomapi"
)

// person keeps the token of a connection that somebody allowed. Its refresh token
// is good once: whoever trades it in stores the next one, past the Gate, before
// anybody uses what came with it.
type person struct{ *Store }

// storeWithin is how long the store of a new refresh token is tried: without it the
// connection is lost.
const storeWithin = 10 * time.Minute

var (
	errSuperseded = errors.New("connected anew meanwhile")
	errGone       = errors.New("there is no such connection any more")
)

// look uses the token in the record, if it may be used.
func (s person) look(ctx context.Context, c *connection, refused string) (*held, error) {
	r, p, err := s.read(ctx, c.name)
	if err != nil {
		return nil, err
	}
	return usable(r, p, refused), nil
}

// read reads the record from the bucket's leader.
func (s *Store) read(ctx context.Context, name string) (*Record, secretPart, error) {
	e, err := s.bucket.Get(ctx, connectionKey(name))
	if err != nil {
		return nil, secretPart{}, unreachable("reading its record: %s", err)
	}
	if e.Value == nil {
		return nil, secretPart{}, refused("it was deleted")
	}
	r, err := readRecord(e.Value)
	if err != nil {
		return nil, secretPart{}, refused("%s", err)
	}
	if stopped := r.stopped(); stopped != nil {
		return nil, secretPart{}, stopped
	}
	p, err := s.reveal(r)
	return r, p, err
}

func usable(r *Record, p secretPart, refused string) *held {
	if p.Access == "" || p.Access == refused || !time.Now().Before(p.Until) {
		return nil
	}
	return &held{access: p.Access, api: r.Region, scopes: r.Scopes, ends: r.Expires, until: p.Until}
}

// fetch trades the refresh token in, under the lease.
func (s person) fetch(ctx context.Context, c *connection, refused string) *held {
	r, p, err := s.read(ctx, c.name)
	if err != nil {
		return failed(err)
	}
	if h := usable(r, p, refused); h != nil {
		return h
	}
	if e := tooSoon(c, p.Made, refused != "" && p.Access == refused); e != nil {
		return failed(e)
	}
	cut := r.Refreshing
	if err := s.begins(ctx, c.name, p); err != nil {
		return failed(zoomapi.AsError(err))
	}
	g, problem := s.refresh(ctx, r, p)
	if problem != nil {
		return failed(s.notRefreshed(ctx, c, problem, cut))
	}
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	return s.keep(storing, c, p, g)
}

func (s person) refresh(ctx context.Context, r *Record, p secretPart) (oauth.Grant, *oauth.Problem) {
	if p.Refresh == "" {
		return oauth.Grant{}, &oauth.Problem{Why: oauth.BadGrant, Text: "its token has ended, and there is nothing to renew it with"}
	}
	return s.oauth.Refresh(ctx, r.app(p), p.Refresh)
}

// begins notes that a refresh is under way: should its answer be lost, it can be
// said why.
func (s person) begins(ctx context.Context, name string, p secretPart) error {
	return s.changeGrant(ctx, name, func(r *Record, now *secretPart) error {
		if now.Refresh != p.Refresh {
			return unreachable("it was connected anew just now")
		}
		r.Refreshing = time.Now().UTC()
		return nil
	})
}

// keep stores the next refresh token, and the access token with it.
func (s person) keep(ctx context.Context, c *connection, used secretPart, g oauth.Grant) *held {
	var last Record
	err := s.changeGrant(ctx, c.name, func(r *Record, p *secretPart) error {
		if p.Refresh == g.Refresh && p.Access == g.Access {
			return nil // stored by the try before
		}
		if p.Refresh != used.Refresh {
			return errSuperseded
		}
		r.taken(g)
		p.taken(g)
		last = *r
		return nil
	})
	switch {
	case err == nil:
		return &held{access: g.Access, api: g.API, scopes: g.Scopes, ends: last.Expires, until: until(g)}
	case errors.Is(err, errSuperseded):
		return nil
	case errors.Is(err, errGone), errors.Is(err, errRevoked):
		// Nobody is to have this grant any more, Zoom neither.
		if p := s.oauth.Revoke(ctx, c.appOf(used), g.Access); p != nil {
			return failed(refused("it was revoked while it was refreshed, and %s could not be told: %s", c.to(), p.Text))
		}
		return failed(refused("it was revoked while it was refreshed"))
	}
	return failed(unreachable("storing its refresh token: %s", err))
}

// notRefreshed is why a refresh gave no token. What Zoom refuses for good is
// written down, for all to stop at once.
func (s person) notRefreshed(ctx context.Context, c *connection, problem *oauth.Problem, cut time.Time) *zoomapi.Error {
	if problem.Why == oauth.BadGrant && !cut.IsZero() {
		problem.Text += "; a refresh that began on " + day(cut) + " was cut short, and its answer is lost"
	}
	s.mark(ctx, c, problem)
	if problem.Why == oauth.BadGrant {
		e := refused("%s takes its grant no more (%s): connect it again with `%s`, then `zflow runs retry` goes on", c.to(), problem.Text, c.record().again())
		e.Status, e.Code = problem.Status, problem.Code
		return e
	}
	return failure(c, problem)
}

package connections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/connections/oauth"
	"zflow/internal/durable"
	"zflow/internal/zoomapi"
	"zflow/proto"
)

// leaseAge is how long a process may take to fetch and store a token; it must be
// longer than fetchTime.
const (
	leaseAge  = 20 * time.Second
	fetchTime = 10 * time.Second
)

// cached is the token of an app that gets one at any time, as stored.
type cached struct {
	Access  string    `json:"access"`
	App     string    `json:"app"`  // account and client it belongs to
	Made    time.Time `json:"made"` // when it was asked for
	Until   time.Time `json:"until"`
	Expires time.Time `json:"expires"`
	API     string    `json:"api,omitempty"`
	Scopes  []string  `json:"scopes,omitempty"`

	number   uint64
	revision uint64 // of the bucket; 0: there is none
}

// Create makes the bucket. It has no direct get, so that reads are answered by the
// leader.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	return durable.CreateBucket(ctx, js, proto.Connections, "connections with their sealed grants, and sealed tokens", replicas)
}

func tokenKey(owner string) string { return "token." + owner }
func leaseKey(owner string) string { return "lease." + owner }

// server keeps the token of a server-to-server app, or of another service's client
// credentials. All connections of one app of Zoom's share it, since each new one voids
// the last. A lost one can be had anew.
type server struct{ *Store }

// look uses the token in the bucket, if it may be used.
func (s server) look(ctx context.Context, c *connection, refused string) (*held, error) {
	r, err := s.load(ctx, c)
	if err != nil {
		return nil, err
	}
	return c.owner.take(r, refused), nil
}

// fetch gets a new token under the lease, unless the bucket has one by now. It
// returns nil where another process stored one meanwhile.
func (s server) fetch(ctx context.Context, c *connection, refused string) *held {
	old, err := s.load(ctx, c)
	if err != nil {
		return failed(err)
	}
	if h := c.owner.take(old, refused); h != nil {
		return h
	}
	if e := tooSoon(c, old.Made, refused != "" && old.Access == refused); e != nil {
		return failed(e)
	}
	app, err := s.app(c)
	if err != nil {
		return failed(err)
	}
	g, problem := s.ask(ctx, c, app)
	if problem != nil {
		s.mark(ctx, c, problem)
		return failed(failure(c, problem))
	}
	s.works(ctx, c)
	h, err := s.keep(ctx, c, old, g)
	if err != nil {
		return failed(err)
	}
	return h
}

// ask gets the app's next token.
func (s server) ask(ctx context.Context, c *connection, app oauth.App) (oauth.Grant, *oauth.Problem) {
	if c.kind == KindHTTP {
		return s.oauth.ForApp(ctx, app)
	}
	return s.oauth.ForAccount(ctx, app, c.account)
}

// keep stores a token in place of what was read; nil: another process was faster.
func (s server) keep(ctx context.Context, c *connection, old cached, g oauth.Grant) (*held, error) {
	fresh := cached{Access: g.Access, App: c.id(), Made: g.Asked, Until: until(g), Expires: g.Asked.Add(g.Life), API: g.API, Scopes: g.Scopes}
	stored, err := s.store(ctx, c, old, fresh)
	if err != nil || !stored {
		return nil, err
	}
	return c.owner.hold(fresh), nil
}

// install stores a token that was fetched to try an app's credentials: it has
// voided the one before.
func (s server) install(ctx context.Context, c *connection, g oauth.Grant) error {
	for {
		old, err := s.load(ctx, c)
		if err != nil {
			return err
		}
		h, err := s.keep(ctx, c, old, g)
		if err != nil {
			return err
		}
		if h != nil {
			c.owner.current.Store(h)
			return nil
		}
	}
}

// tooSoon refuses to replace a token that was given just now, and is refused.
func tooSoon(c *connection, made time.Time, refused bool) *zoomapi.Error {
	age := time.Since(made)
	if !refused || age >= tooYoung {
		return nil
	}
	e := unreachable("%s refuses a token that it gave %s ago", c.to(), age.Round(time.Millisecond))
	e.RetryAt = made.Add(tooYoung)
	return e
}

// load reads an app's token. One that is not there, cannot be opened, or belongs
// to another app is empty, but for what is needed to replace it.
func (s server) load(ctx context.Context, c *connection) (cached, error) {
	e, err := s.kv.Get(ctx, tokenKey(c.owner.key))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return cached{}, nil
	}
	if err != nil {
		return cached{}, unreachable("reading its token: %s", err)
	}
	empty := cached{revision: e.Revision()}
	number, plain, err := s.keys.open(c.owner.key, e.Value())
	if err != nil {
		return empty, nil
	}
	r := cached{}
	if json.Unmarshal(plain, &r) != nil || r.App != c.id() || number < c.owner.seen.Load() {
		return empty, nil
	}
	r.number, r.revision = number, e.Revision()
	return r, nil
}

// store replaces the token that was read as old; stored is false where another
// process was faster.
func (s server) store(ctx context.Context, c *connection, old, r cached) (stored bool, err error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	number := max(old.number, c.owner.seen.Load()) + 1
	value, key := s.keys.seal(c.owner.key, number, plain), tokenKey(c.owner.key)
	if old.revision == 0 {
		_, err = s.kv.Create(ctx, key, value)
	} else {
		_, err = s.kv.Update(ctx, key, value, old.revision)
	}
	switch {
	case err == nil:
		c.owner.sees(number)
		return true, nil
	case durable.Conflict(err):
		return false, nil
	}
	return false, unreachable("storing its token: %s", err)
}

// lease takes a key that expires; release gives it back, and is nil where another
// process has it.
func (s *Store) lease(ctx context.Context, owner string) (release func(), err error) {
	key := leaseKey(owner)
	revision, err := s.kv.Create(ctx, key, nil, jetstream.KeyTTL(leaseAge))
	if durable.Conflict(err) {
		return nil, nil
	}
	if err != nil {
		return nil, unreachable("taking its lease: %s", err)
	}
	return func() {
		// One that cannot be given back expires. Who gives it back may have had no
		// more time for what it did.
		giving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = s.kv.Delete(giving, key, jetstream.LastRevision(revision))
	}, nil
}

func unreachable(format string, args ...any) *zoomapi.Error {
	return &zoomapi.Error{Outcome: zoomapi.Again, Message: fmt.Sprintf(format, args...)}
}

func refused(format string, args ...any) *zoomapi.Error {
	return &zoomapi.Error{Outcome: zoomapi.Refused, Message: fmt.Sprintf(format, args...)}
}

// failure says why there is no token: the credentials, which only a person can
// mend, or the way to Zoom.
func failure(c *connection, p *oauth.Problem) *zoomapi.Error {
	what := "account id, client id"
	if c.kind == KindHTTP {
		what = "client id"
	}
	what += " and secret"
	if c.stored != nil && c.stored.Service.Keyed() {
		what = "key, whose that is, and scopes"
	}
	e := refused("%s gives it no token (%s): check its %s, and that its app is active, then connect again", c.to(), p.Text, what)
	if p.Why == oauth.Unreachable || p.Why == oauth.Garbled && p.Status < 300 {
		e = unreachable("fetching a token: %s", p.Text)
	}
	e.Status, e.Code, e.RetryAt = p.Status, p.Code, p.RetryAt
	return e
}

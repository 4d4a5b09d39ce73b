package connections

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/connections/service"
	"zflow/internal/zoomapi"
)

var errRevoked = errors.New("it was revoked")

// change changes a stored connection's record, durably, and lets this process
// know at once. The grant stays as it is, unless decide changes that too.
func (s *Store) change(ctx context.Context, name string, decide func(r *Record) error) error {
	err := s.bucket.Durably(ctx, func() error {
		return s.bucket.Change(ctx, connectionKey(name), func(old []byte) ([]byte, error) {
			if old == nil {
				return nil, errGone
			}
			r, err := readRecord(old)
			if err != nil {
				return nil, err
			}
			if err := decide(r); err != nil {
				return nil, err
			}
			return json.Marshal(r)
		})
	})
	if err != nil {
		return err
	}
	return s.learn(ctx, name)
}

// changeGrant is change with the grant opened, and sealed anew. What is revoked
// has none.
func (s *Store) changeGrant(ctx context.Context, name string, decide func(r *Record, p *secretPart) error) error {
	return s.change(ctx, name, func(r *Record) error {
		if r.State == Revoked {
			return errRevoked
		}
		p, err := s.reveal(r)
		if err != nil {
			return err
		}
		before := p
		if err := decide(r, &p); err != nil || p == before {
			return err
		}
		_, err = s.write(r, p)
		return err
	})
}

// mark writes down that Zoom refuses a connection's credentials, so that all see
// it. What may be the way to Zoom is not the credentials' fault.
func (s *Store) mark(ctx context.Context, c *connection, p *oauth.Problem) {
	if c.stored == nil || p.Why == oauth.Unreachable || p.Why == oauth.Garbled {
		return
	}
	final := p.Why == oauth.BadGrant
	if c.stored.State == NeedsReconnect && c.stored.Error == p.Text && !final {
		return
	}
	// One that cannot be written is found out again by the next call.
	_ = s.change(ctx, c.name, func(r *Record) error {
		if r.State == Revoked || r.State == NeedsReconnect && !r.Mendable {
			return nil
		}
		if !final || r.State != NeedsReconnect {
			r.Ended = time.Now().UTC()
		}
		r.State, r.Error, r.Mendable, r.Refreshing = NeedsReconnect, p.Text, !final, time.Time{}
		return nil
	})
}

// works takes back what mark wrote, once Zoom gives tokens again.
func (s *Store) works(ctx context.Context, c *connection) {
	if c.stored == nil || c.stored.State != NeedsReconnect {
		return
	}
	_ = s.change(ctx, c.name, func(r *Record) error {
		if r.State == NeedsReconnect && r.Mendable {
			r.State, r.Error, r.Mendable, r.Ended = Connected, "", false, time.Time{}
		}
		return nil
	})
}

// Revoke ends a connection: its grant is deleted here, and at Zoom if Zoom can be
// asked. All that need it fail from now on. told is what kept Zoom from knowing.
func (s *Store) Revoke(ctx context.Context, name, why string) (r Record, told error, err error) {
	c, err := s.own(ctx, name)
	if err != nil {
		return Record{}, nil, err
	}
	token, app := s.revocable(ctx, c)
	r, err = s.end(ctx, name, why)
	if err != nil {
		return Record{}, nil, err
	}
	if c.record().Service.Anew() { // its token is kept beside it
		err = s.kv.Delete(ctx, tokenKey(c.owner.key))
	}
	switch {
	case err != nil:
		return r, nil, fmt.Errorf("deleting its token: %w", err)
	case c.kind == KindHTTP && c.stored.Service.Auth != service.OAuth2:
		return r, errors.New("a token, key or password is voided only there"), nil
	case token == "":
		return r, nil, nil
	}
	if p := s.oauth.Revoke(ctx, app, token); p != nil && p.Why != oauth.BadGrant {
		told = p
	}
	return r, told, nil
}

// revocable is what Zoom can be told to forget.
func (s *Store) revocable(ctx context.Context, c *connection) (token string, app oauth.App) {
	app, err := s.app(c)
	if err != nil {
		return "", app
	}
	if r := c.record(); !r.anew() {
		if _, p, err := s.read(ctx, c.name); err == nil && r.lent() {
			return cmp.Or(p.Refresh, p.Access), app
		}
		return "", app
	}
	if s.shared(c) {
		return "", app // the token of other connections too
	}
	cached, err := server{s}.load(ctx, c)
	if err != nil {
		return "", app
	}
	return cached.Access, app
}

// end writes that a connection is revoked, and deletes its grant.
func (s *Store) end(ctx context.Context, name, why string) (Record, error) {
	var ended Record
	err := s.change(ctx, name, func(r *Record) error {
		if r.State != Revoked {
			r.State, r.Error, r.Mendable = Revoked, why, false
			r.Ended, r.Refreshing, r.Expires = time.Now().UTC(), time.Time{}, time.Time{}
		}
		r.Grant = nil
		ended = *r
		return nil
	})
	return ended, err
}

// Delete removes a connection, and its grant with it; it is revoked first.
func (s *Store) Delete(ctx context.Context, name string) (told error, err error) {
	_, told, err = s.Revoke(ctx, name, "it is being deleted")
	if err != nil {
		return nil, err
	}
	err = s.bucket.Durably(ctx, func() error {
		return s.bucket.Change(ctx, connectionKey(name), func([]byte) ([]byte, error) { return nil, nil })
	})
	if err != nil {
		return told, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(name)
	return told, nil
}

// own returns a connection that commands may change.
func (s *Store) own(ctx context.Context, name string) (*connection, error) {
	c, err := s.named(ctx, name)
	if err != nil {
		return nil, err
	}
	if c.stored == nil {
		return nil, refused("connection %s stands in the configuration: change it there", name)
	}
	return c, nil
}

// Deauthorized marks the connections of an app that was removed from an account at
// Zoom; a user's removal ends that user's connections only, and those connected
// since then stay. It returns their names.
func (s *Store) Deauthorized(ctx context.Context, account, user, client string, at time.Time) ([]string, error) {
	var names []string
	for _, r := range s.All() {
		if r.Configured || r.Account != account || r.ClientID != client || r.State == Revoked || r.Connected.After(at) ||
			r.Kind == zoomapi.KindUser && user != "" && r.User != user {
			continue
		}
		if _, err := s.end(ctx, r.Name, "the app was removed from the account at Zoom"); err != nil && !errors.Is(err, errGone) {
			return names, err
		}
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names, nil
}

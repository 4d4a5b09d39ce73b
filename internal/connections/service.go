package connections

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/connections/service"
)

// Credential is what requests to a service are signed with. It goes to its hosts only.
type Credential struct {
	service.Signed
	Hosts []string
	// Renew, where not nil, returns a newer one in place of this, which was refused.
	Renew func(context.Context) (Credential, error)
}

// For tells whether it may go to a server, host or host:port.
func (c *Credential) For(server string) bool { return service.Covers(c.Hosts, server) }

// otherOf is a service as its authorization server is asked; nil: Zoom.
func otherOf(s *service.Service) *oauth.Other {
	if s == nil || s.OAuth == nil {
		return nil
	}
	o := s.OAuth
	return &oauth.Other{Name: s.Name(), Authorize: o.AuthorizeURL, Token: o.TokenURL, Revoke: o.RevokeURL,
		Scopes: strings.Join(o.Scopes, cmp.Or(o.Separator, " ")), Separator: o.Separator, Audience: o.Audience,
		Body: o.Send == service.SendBody || o.Send == service.SendJSONBody, JSON: o.Send == service.SendJSON || o.Send == service.SendJSONBody,
		NoPKCE: o.NoPKCE, Params: o.Params, TokenParams: o.TokenParams, Device: o.DeviceURL, Signs: signs(o), Subject: o.Subject}
}

// signs is what the app's key signs; empty: it has a secret.
func signs(o *service.OAuth) string {
	switch {
	case o.Grant == service.JWTBearer:
		return oauth.SignsGrant
	case o.Send == service.SendSigned:
		return oauth.SignsClient
	}
	return ""
}

// checkKey refuses what is no private key where one is needed.
func (w Wanted) checkKey() error {
	if w.Secret == "" {
		return errors.New("the private key is missing: --key-file; the stored one is kept only where hosts and way stay as they were")
	}
	if _, err := oauth.ReadKey(w.Secret); err != nil {
		return fmt.Errorf("the key file: %w", err)
	}
	if w.ClientID == "" {
		return errors.New("whose the key is, is not said in its file: --client-id")
	}
	return nil
}

// checkService refuses what cannot become a connection to a service.
func (w Wanted) checkService() error {
	switch {
	case w.Service == nil:
		return errors.New("it is not said what it is for")
	case w.Service.Check() != nil:
		return w.Service.Check()
	case w.Service.Keyed():
		return w.checkKey()
	case w.Service.Auth == service.OAuth2 && w.ClientID == "":
		return errors.New("the client id of the app is missing: --client-id")
	case w.Service.Is(service.Client) && w.Secret == "":
		return errors.New("the client secret of the app is missing: --client-secret-file")
	case w.Service.Auth != service.OAuth2 && w.Secret == "":
		return errors.New("the token, key or password is missing: --token-file; what is stored is kept only where hosts and way stay as they were")
	}
	return nil
}

// CompleteService fills in what is known: by a preset, and by the connection that is
// there. Its secret is kept only for where it was sent before.
func (s *Store) CompleteService(ctx context.Context, w Wanted) (Wanted, error) {
	given := service.Service{}
	if w.Service != nil {
		given = *w.Service
	}
	var old *Record
	if c, err := s.named(ctx, w.Name); err == nil && c.kind == KindHTTP {
		old = c.stored
	}
	before := &service.Service{}
	if old != nil {
		before = old.Service
	}
	full, err := service.Complete(given, before)
	if err != nil {
		return w, fmt.Errorf("connecting %s: %w", w.Name, err)
	}
	if w.Service = &full; full.Keyed() && w.Secret != "" {
		if k, err := oauth.ReadKey(w.Secret); err == nil { // else check says what is wrong
			w.ClientID, full.OAuth.TokenURL = cmp.Or(w.ClientID, k.Email), cmp.Or(full.OAuth.TokenURL, k.TokenURL)
		}
	}
	if old == nil || full.Auth != old.Service.Auth {
		return w, nil
	}
	same := w.ClientID == "" || w.ClientID == old.ClientID
	if w.ClientID = cmp.Or(w.ClientID, old.ClientID); w.Secret != "" || !same || !full.Within(old.Service) {
		return w, nil
	}
	p, err := s.reveal(old)
	if err == nil {
		w.Secret = p.Secret
	}
	return w, nil
}

// connectService connects what needs nobody's consent, once it was tried.
func (s *Store) connectService(ctx context.Context, w Wanted) (Record, error) {
	g, secret := oauth.Grant{}, w.Secret
	switch {
	case w.Service.Is(service.Code):
		return Record{}, fmt.Errorf("connecting %s: its token needs somebody's consent in a browser", w.Name)
	case w.Service.Anew():
		var p *oauth.Problem
		if g, p = s.oauth.ForApp(ctx, w.app()); p != nil {
			return Record{}, denied(w, p)
		}
		secret = g.Access
	}
	if err := s.proves(ctx, w, secret); err != nil {
		return Record{}, err
	}
	r, err := s.save(ctx, w, who{}, g)
	if err != nil || g.Access == "" {
		return r, err
	}
	c, err := s.named(ctx, w.Name)
	if err != nil {
		return r, err
	}
	return r, server{s}.install(ctx, c, g)
}

// acceptService stores a grant that somebody consented to, once it was tried.
func (s *Store) acceptService(ctx context.Context, w Wanted, g oauth.Grant) (Record, error) {
	if err := s.proves(ctx, w, g.Access); err != nil {
		return Record{}, err
	}
	full, o := *w.Service, *w.Service.OAuth
	o.NoRefresh, full.OAuth = g.Refresh == "", &o
	w.Service = &full
	r, err := s.save(ctx, w, who{}, g)
	if errors.Is(err, errFewer) {
		err = fmt.Errorf("%w; it stays as it was", err)
	}
	return r, err
}

// proves makes the call that tests a connection before it is stored.
func (s *Store) proves(ctx context.Context, w Wanted, secret string) error {
	if w.Service.TestURL == "" || s.try == nil || w.Force {
		return nil
	}
	if err := s.try(ctx, w.Service.TestURL, credentialOf(w.Service, secret)); err != nil {
		return fmt.Errorf("connecting %s: trying it: %w; nothing was changed (--force takes it all the same)", w.Name, err)
	}
	return nil
}

func credentialOf(of *service.Service, secret string) Credential {
	return Credential{Signed: of.Sign(secret), Hosts: of.Hosts}
}

// Credential returns what a connection of kind http signs requests with.
func (s *Store) Credential(ctx context.Context, name string) (Credential, error) {
	c, err := s.named(ctx, name)
	if err != nil {
		return Credential{}, err
	}
	if c.kind != KindHTTP {
		return Credential{}, refused("connection %s is one to Zoom (kind %s), and this calls another service: name one of kind http, which `zflow connect http NAME` makes", name, c.kind)
	}
	return s.credential(ctx, c, "")
}

// credential is Credential; refusedToken is the token that was refused.
func (s *Store) credential(ctx context.Context, c *connection, refusedToken string) (Credential, error) {
	of, secret := c.stored.Service, ""
	if of.Auth == service.OAuth2 {
		t, err := s.tokenOf(ctx, c, refusedToken)
		if err != nil {
			return Credential{}, err
		}
		secret = t.Access
	} else {
		p, err := s.unlock(c)
		if err != nil {
			return Credential{}, err
		}
		secret = p.Secret
	}
	out := credentialOf(of, secret)
	if of.Auth != service.OAuth2 || of.OAuth.NoRefresh {
		return out, nil
	}
	out.Renew = func(ctx context.Context) (Credential, error) {
		now, err := s.named(ctx, c.name)
		if err != nil {
			return Credential{}, err
		}
		return s.credential(ctx, now, secret)
	}
	return out, nil
}

// unlock opens the grant of a connection that has not ended.
func (s *Store) unlock(c *connection) (secretPart, error) {
	if e := c.stored.stopped(); e != nil {
		return secretPart{}, of(c, e)
	}
	p, err := s.reveal(c.stored)
	if err != nil {
		return p, of(c, err)
	}
	return p, nil
}

// testService finds out what can be found out about a connection to a service: whether
// it gets a token where it has to, and what the service answers to its test.
func (s *Store) testService(ctx context.Context, c *connection) (Tested, error) {
	found, err := s.renewed(ctx, c)
	if err != nil {
		return Tested{}, fmt.Errorf("testing %s: %w", c.name, err)
	}
	if at := c.stored.Service.TestURL; at != "" && s.try != nil {
		with, err := s.Credential(ctx, c.name)
		if err == nil {
			err = s.try(ctx, at, with)
		}
		if err != nil {
			return Tested{}, fmt.Errorf("testing %s: %w", c.name, err)
		}
		found = append(found, c.to()+" takes it")
	}
	if len(found) == 0 {
		found = append(found, "its secret is there; whether "+c.to()+" takes it only a call can tell, and it has no --test-url")
	}
	if c, err = s.named(ctx, c.name); err != nil {
		return Tested{}, err
	}
	return Tested{Record: c.record().Public(time.Now()), Found: strings.Join(found, ", and ")}, nil
}

// renewed gets a newer token, unless the one that is there is young.
func (s *Store) renewed(ctx context.Context, c *connection) (found []string, err error) {
	of := c.stored.Service
	if of.Auth != service.OAuth2 {
		_, err := s.unlock(c)
		return nil, err
	}
	t, err := s.tokenOf(ctx, c, "")
	if err != nil {
		return nil, err
	}
	young := of.OAuth.NoRefresh || of.Anew() || time.Since(c.stored.Refreshed) < time.Minute
	if young {
		return []string{"it has a token"}, nil
	}
	if _, err := s.tokenOf(ctx, c, t.Access); err != nil {
		return nil, err
	}
	return []string{"its token was renewed"}, nil
}

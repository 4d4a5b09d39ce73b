package connections

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/connections/service"
	"zflow/internal/zoomapi"
)

// mostSkew is how far a clock may be off; beyond it, workers would not agree on
// when a token ends.
const mostSkew = 5 * time.Minute

// Wanted is the connection that somebody asks for.
type Wanted struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Account  string `json:"account_id,omitempty"`
	ClientID string `json:"client_id"`
	Secret   string `json:"client_secret,omitempty"`
	OAuth    string `json:"oauth_url,omitempty"`
	API      string `json:"api_url,omitempty"`
	Force    bool   `json:"force,omitempty"` // though it has fewer scopes than before, or its test fails

	Service *service.Service `json:"service,omitempty"` // of kind http
}

// String hides the secret.
func (w Wanted) String() string { return "connection " + w.Name }

// GoString is String.
func (w Wanted) GoString() string { return w.String() }

func (w Wanted) app() oauth.App {
	return oauth.App{ClientID: w.ClientID, ClientSecret: w.Secret, Server: w.OAuth, Other: otherOf(w.Service)}
}

// to is what messages call the other side.
func (w Wanted) to() string {
	if w.Kind != KindHTTP {
		return "Zoom"
	}
	return w.Service.Name()
}

// check refuses what cannot become a connection.
func (s *Store) check(w Wanted) error {
	if err := CheckName(w.Name); err != nil {
		return err
	}
	switch {
	case w.Kind == KindHTTP:
		if err := w.checkService(); err != nil {
			return fmt.Errorf("connecting %s: %w", w.Name, err)
		}
	case !slices.Contains(Kinds(), w.Kind):
		return fmt.Errorf("kind %q is none of %s", w.Kind, strings.Join(Kinds(), ", "))
	case w.ClientID == "":
		return fmt.Errorf("the client id of the Zoom app is missing")
	case w.Kind == zoomapi.KindServer && w.Account == "":
		return fmt.Errorf("the account id is missing: a server-to-server app's page at Zoom shows it")
	case w.Kind == zoomapi.KindServer && w.Secret == "":
		return fmt.Errorf("the client secret of the Zoom app is missing")
	}
	for what, address := range map[string]string{"OAuth": w.OAuth, "API": w.API} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			return fmt.Errorf("the %s address must be a URL such as https://zoom.us", what)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.byName[w.Name]
	switch {
	case c == nil:
		return nil
	case c.stored == nil:
		return fmt.Errorf("connection %s stands in the configuration: take another name, or remove it there", w.Name)
	}
	return w.replaces(c.stored)
}

// replaces refuses to make another connection of one that is there.
func (w Wanted) replaces(old *Record) error {
	switch {
	case old.Kind != w.Kind:
		return fmt.Errorf("connection %s is there already, of kind %s: take another name, or delete it first", w.Name, old.Kind)
	case w.Account != "" && old.Account != "" && old.Account != w.Account:
		return fmt.Errorf("connection %s is of account %s, and this would make it one of account %s: take another name, or delete it first; it stays as it was", w.Name, old.Account, w.Account)
	}
	return nil
}

// Connect tries credentials that need nobody's consent, and stores them.
func (s *Store) Connect(ctx context.Context, w Wanted) (Record, error) {
	if err := s.check(w); err != nil {
		return Record{}, err
	}
	if w.Kind == KindHTTP {
		return s.connectService(ctx, w)
	}
	g, p := s.oauth.ForAccount(ctx, w.app(), w.Account)
	if p != nil {
		return Record{}, denied(w, p)
	}
	r, err := s.save(ctx, w, who{Account: w.Account}, g)
	if err != nil {
		return r, err
	}
	c, err := s.named(ctx, w.Name)
	if err != nil {
		return r, err
	}
	return r, server{s}.install(ctx, c, g)
}

// who is whom a grant speaks for.
type who struct {
	Account string `json:"account_id"`
	User    string `json:"id"`
}

// save writes a connection that Zoom has just given a grant for.
func (s *Store) save(ctx context.Context, w Wanted, of who, g oauth.Grant) (Record, error) {
	if err := skewed(g.Skew); err != nil && w.Kind != KindHTTP {
		return Record{}, err
	}
	w.Account = of.Account
	var saved Record
	err := s.bucket.Durably(ctx, func() error {
		return s.bucket.Change(ctx, connectionKey(w.Name), func(old []byte) ([]byte, error) {
			r := &Record{}
			if old != nil {
				var err error
				if r, err = readRecord(old); err != nil {
					return nil, err
				}
				if err := w.suits(r, of, g); err != nil {
					return nil, err
				}
			}
			r.Name, r.Kind, r.ClientID, r.Account, r.User = w.Name, w.Kind, w.ClientID, of.Account, of.User
			r.OAuth, r.API, r.Connected, r.Service = w.OAuth, w.API, time.Now().UTC(), w.Service
			r.taken(g)
			p := secretPart{Secret: w.Secret}
			if r.lent() {
				p.taken(g)
			}
			next, err := s.write(r, p)
			saved = r.Public(time.Now())
			return next, err
		})
	})
	if err != nil {
		return Record{}, fmt.Errorf("connecting %s: %w", w.Name, err)
	}
	return saved, s.learn(ctx, w.Name)
}

// suits compares a new grant with the connection that is there.
func (w Wanted) suits(old *Record, of who, g oauth.Grant) error {
	if err := w.replaces(old); err != nil {
		return err
	}
	if old.User != "" && of.User != "" && old.User != of.User && old.Kind == zoomapi.KindUser {
		return fmt.Errorf("it is of another user of the account: log in at Zoom as the one it is of, or take another name; it stays as it was")
	}
	if old.Account != "" && of.Account == "" {
		return fmt.Errorf("whose account the new grant is of cannot be told, since the app lacks the scope user:read:user: add it and try again; the connection stays as it was")
	}
	if lost := Missing(g.Scopes, old.Scopes); len(lost) > 0 && !w.Force && (w.Kind != KindHTTP || len(g.Scopes) > 0) {
		return fmt.Errorf("%w: %s missing: grant them, or give --force", errFewer, strings.Join(lost, ", "))
	}
	return nil
}

var errFewer = errors.New("the new grant has fewer scopes than it had")

// refusedGrant says what became of a connection whose new grant is not taken. At Zoom a
// new consent of the same person may end the grant before: whether it did is tried. One
// that has only fewer scopes is better than none then.
func (s *Store) refusedGrant(ctx context.Context, w Wanted, of who, g oauth.Grant, why error) (Record, error) {
	r, p, err := s.read(ctx, w.Name)
	if err != nil {
		return Record{}, why // there was none, or it had ended before
	}
	c, err := s.named(ctx, w.Name)
	if err == nil {
		_, err = s.tokenOf(ctx, c, p.Access)
	}
	same := r.User != "" && r.User == of.User
	switch {
	case err == nil:
		return Record{}, fmt.Errorf("%w; it stays as it was", why)
	case zoomapi.AsError(err).Outcome != zoomapi.Refused:
		return Record{}, fmt.Errorf("%w; whether the grant it had goes on could not be tried: %w", why, err)
	case !same || !errors.Is(why, errFewer):
		return Record{}, fmt.Errorf("%w; by this consent Zoom ended the grant it had: connect it again", why)
	}
	w.Force = true
	if _, err := s.save(ctx, w, of, g); err != nil {
		return Record{}, err
	}
	return Record{}, fmt.Errorf("%w; by this consent Zoom ended the grant it had, so that it has the new one now: connect it again with all scopes", why)
}

func skewed(skew time.Duration) error {
	switch {
	case skew > mostSkew:
		return fmt.Errorf("this worker's clock is %s ahead of Zoom's: set it right, then connect again; nothing was changed", skew)
	case skew < -mostSkew:
		return fmt.Errorf("this worker's clock is %s behind Zoom's: set it right, then connect again; nothing was changed", -skew)
	}
	return nil
}

// denied says why a connection is not made, and how to mend it.
func denied(w Wanted, p *oauth.Problem) error {
	zoom := w.to()
	hint := map[oauth.Why]string{
		oauth.Unreachable: zoom + " was not reached: try again",
		oauth.Garbled:     "what answered is not " + zoom + "'s authorization server: check the way to it, such as a proxy, and the host",
		oauth.BadClient:   "check the client id and secret, and that the app is active",
		oauth.BadCode:     "the code was used already, or is another app's: begin again",
		oauth.CodeExpired: "the code is too old, it lives for 5 minutes: begin again",
		oauth.BadRedirect: "add the call-back address to those that the app allows at " + zoom,
		oauth.Denied:      "the consent was denied at " + zoom + ": begin again, and allow it",
	}[p.Why]
	if p.Why == oauth.CodeExpired && w.Kind == KindHTTP {
		hint = "the code is too old: begin again, and allow it sooner"
	}
	if p.Why == oauth.BadClient && w.Service.Keyed() {
		hint = "check the key, whose it is (--client-id), the scopes, and that the account or app is active"
	}
	if hint == "" {
		hint = "check the account id, client id and secret, and that the app is active"
		if w.Kind == KindHTTP {
			hint = "check the client id, the scopes, and the app's settings"
		}
	}
	code := ""
	if p.Code != "" && !strings.Contains(p.Text, p.Code) {
		code = ", code " + p.Code
	}
	if skew := skewed(p.Skew); skew != nil && w.Kind != KindHTTP {
		hint += "; " + skew.Error()
	}
	return fmt.Errorf("connecting %s: %s (%s%s); nothing was changed", w.Name, hint, p.Text, code)
}

// whose asks Zoom whom a fresh grant speaks for; where the app may not know, that
// stays empty.
func (s *Store) whose(ctx context.Context, w Wanted, g oauth.Grant) (who, error) {
	api := zoomapi.New(zoomapi.Options{Transport: s.transport, Token: func(context.Context, string, string) (zoomapi.Token, error) {
		return zoomapi.Token{Access: g.Access, Connection: w.Name, Kind: w.Kind, API: g.API, Base: w.API}, nil
	}})
	res, err := api.Do(ctx, zoomapi.Request{Method: "GET", Path: "/users/me"})
	if err != nil {
		e := zoomapi.AsError(err)
		if e.Outcome == zoomapi.Refused && e.Status != 401 {
			return who{}, nil
		}
		return who{}, fmt.Errorf("connecting %s: asking Zoom whose account it is: %w; nothing was changed", w.Name, err)
	}
	var found who
	if json.Unmarshal(res.Body, &found) != nil {
		return who{}, fmt.Errorf("connecting %s: asking Zoom whose account it is: its answer is no JSON; nothing was changed", w.Name)
	}
	return found, nil
}

// Tested is what a test of a connection found.
type Tested struct {
	Record
	Said  string `json:"said,omitempty"`  // what Zoom said to the call, where it may not be made
	Found string `json:"found,omitempty"` // what was found out about another service
}

// Test gets a token and makes a call that reads. A call that the scopes do not
// cover proves the token too.
func (s *Store) Test(ctx context.Context, name string) (Tested, error) {
	c, err := s.named(ctx, name)
	if err != nil {
		return Tested{}, err
	}
	if c.kind == KindHTTP {
		return s.testService(ctx, c)
	}
	api := zoomapi.New(zoomapi.Options{Transport: s.transport, Token: s.Token, Renew: s.Renew})
	q := zoomapi.Request{Connection: name, Method: "GET", Path: "/users/me"}
	if c.kind == zoomapi.KindServer {
		q.Path, q.Query = "/users", url.Values{"page_size": {"1"}}
	}
	var said string
	if _, err := api.Do(ctx, q); err != nil {
		e := zoomapi.AsError(err)
		if e.Outcome != zoomapi.Refused || e.Status < 400 || e.Status == 401 || e.Code == "124" {
			return Tested{}, fmt.Errorf("testing %s: %w", name, e)
		}
		said = e.Error()
		if now, err := s.named(ctx, name); err == nil && now.record().State == NeedsReconnect {
			return Tested{}, fmt.Errorf("testing %s: %w", name, e) // no token: what Zoom said was not to the call
		}
	}
	if c, err = s.named(ctx, name); err != nil {
		return Tested{}, err
	}
	return Tested{Record: c.record().Public(time.Now()), Said: said}, nil
}

// Show returns a connection as all may see it.
func (s *Store) Show(ctx context.Context, name string) (Record, error) {
	c, err := s.named(ctx, name)
	if err != nil {
		return Record{}, err
	}
	return c.record().Public(time.Now()), nil
}

// Complete fills in what a connection that is there has, so that one need only
// name it to connect it again.
func (s *Store) Complete(ctx context.Context, w Wanted) Wanted {
	c, err := s.named(ctx, w.Name)
	if err != nil || c.stored == nil {
		return w
	}
	old := c.stored
	if w.Kind == KindHTTP || old.Kind == KindHTTP {
		return w
	}
	w.Kind, w.Account = cmp.Or(w.Kind, old.Kind), cmp.Or(w.Account, old.Account)
	w.OAuth, w.API = cmp.Or(w.OAuth, old.OAuth), cmp.Or(w.API, old.API)
	if w.ClientID != "" && w.ClientID != old.ClientID || w.Secret != "" || w.OAuth != old.OAuth || w.API != old.API {
		return w // what is stored goes nowhere but where it went before
	}
	w.ClientID = old.ClientID
	if p, err := s.reveal(old); err == nil {
		w.Secret = p.Secret
	}
	return w
}

package connections

import (
	"context"
	"sync"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/zoomapi"
)

// appTokens are those that apps have in their own name. Getting one voids no other, so
// each process has its own and none is stored.
type appTokens struct {
	mu     sync.Mutex
	tokens map[string]oauth.Grant // by client id and server
}

// AppToken returns a token of a connection's app itself, as calls about the app
// want it: event subscriptions. A server-to-server app has no other than the
// connection's.
func (s *Store) AppToken(ctx context.Context, name string) (zoomapi.Token, error) {
	return s.appToken(ctx, name, "")
}

// RenewApp returns a newer token of the app than one that Zoom refused.
func (s *Store) RenewApp(ctx context.Context, refused zoomapi.Token) (zoomapi.Token, error) {
	return s.appToken(ctx, refused.Connection, refused.Access)
}

func (s *Store) appToken(ctx context.Context, name, refused string) (zoomapi.Token, error) {
	c, err := s.find(ctx, name, "")
	if err != nil {
		return zoomapi.Token{}, err
	}
	if c.kind == zoomapi.KindServer {
		return s.tokenOf(ctx, c, refused)
	}
	app, err := s.app(c)
	if err != nil {
		return zoomapi.Token{}, of(c, err)
	}
	if app.ClientSecret == "" {
		return zoomapi.Token{}, of(c, refusedApp())
	}
	g, err := s.ownGrant(ctx, app, refused)
	if err != nil {
		return zoomapi.Token{}, of(c, err)
	}
	return zoomapi.Token{Access: g.Access, Connection: c.name, Kind: c.kind, Account: c.account, API: g.API, Base: c.api,
		Scopes: g.Scopes, Expires: g.Asked.Add(g.Life)}, nil
}

func refusedApp() *zoomapi.Error {
	return refused("its app has no client secret here, so it gets no token of its own: connect it again with the secret")
}

func (s *Store) ownGrant(ctx context.Context, app oauth.App, refused string) (oauth.Grant, error) {
	key := app.ClientID + " " + app.Server
	s.ofApps.mu.Lock()
	g := s.ofApps.tokens[key]
	s.ofApps.mu.Unlock()
	if g.Access != "" && g.Access != refused && time.Now().Before(until(g)) {
		return g, nil
	}
	g, problem := s.oauth.ForApp(ctx, app)
	if problem != nil {
		return g, failure(&connection{}, problem)
	}
	s.ofApps.mu.Lock()
	defer s.ofApps.mu.Unlock()
	if s.ofApps.tokens == nil {
		s.ofApps.tokens = map[string]oauth.Grant{}
	}
	s.ofApps.tokens[key] = g
	return g, nil
}

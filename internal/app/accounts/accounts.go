// Package accounts is what a worker process does for connected Zoom accounts
// beside calling with their tokens: it opens the connections of the configuration
// and the stored ones, and answers commands about them.
package accounts

import (
	"context"
	"net/http"
	"path/filepath"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/connections/forget"
	"zflow/internal/connections/upkeep"
	"zflow/internal/durable"
	"zflow/internal/public"
	"zflow/internal/sealed"
	"zflow/internal/settings"
)

// Config is what a worker needs for connections.
type Config struct {
	*settings.Config
	Site   public.Site // where the console takes Zoom's answers
	Keys   *sealed.Keys
	Grants *connections.Keyring
	Gate   *durable.Gate
	Log    *zap.Logger

	Transport http.RoundTripper // to Zoom's OAuth server; nil: one of its own
	Services  connections.Services
}

// Accounts are the connections of a worker process.
type Accounts struct {
	*connections.Store
	desk *desk.Desk
	ends *endings
	kept *upkeep.Keeper
	rest func() // ends the upkeep
}

// Open opens the connections and begins to answer commands, until Close.
func Open(ctx context.Context, nc *nats.Conn, js jetstream.JetStream, c Config) (*Accounts, error) {
	store, err := Connections(ctx, js, c)
	if err != nil {
		return nil, err
	}
	a := &Accounts{Store: store}
	forgetter, err := forget.Open(ctx, js, c.Gate)
	if err == nil {
		a.ends, err = follow(ctx, js, c, store, forgetter)
	}
	if err != nil {
		store.Close()
		return nil, err
	}
	a.desk, err = desk.Serve(nc, desk.Options{Store: store, Forget: forgetter, Keys: c.Keys, OAuth: c.Zoom.OAuthURL, API: c.Zoom.APIURL, Callback: c.Site.URL("/oauth/callback")})
	if err != nil {
		a.ends.close()
		store.Close()
		return nil, err
	}
	a.keep(ctx, c.Log)
	return a, nil
}

// keep renews what nobody uses, until Close.
func (a *Accounts) keep(ctx context.Context, log *zap.Logger) {
	a.kept = upkeep.New(a.Store, log)
	live, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.kept.Run(live)
	}()
	a.rest = func() {
		cancel()
		<-done
	}
}

// Connections opens the connections only.
func Connections(ctx context.Context, js jetstream.JetStream, c Config) (*connections.Store, error) {
	return connections.Open(ctx, js, connections.Options{Apps: apps(c.Config), Keys: c.Grants, Gate: c.Gate, Server: c.Zoom.OAuthURL, Transport: c.Transport, Services: c.Services})
}

// Close ends the answers under way and the fetches of tokens.
func (a *Accounts) Close() {
	a.desk.Close()
	a.ends.close()
	a.rest()
	a.Store.Close()
}

// apps are the connections of a configuration.
func apps(c *settings.Config) []connections.App {
	all := make([]connections.App, 0, len(c.Connections))
	for name, one := range c.Connections {
		all = append(all, connections.App{Name: name, AccountID: one.AccountID, ClientID: one.ClientID,
			ClientSecret: one.ClientSecret.Reveal(), OAuth: one.OAuthURL, API: one.APIURL})
	}
	return all
}

// KeysFile is where the keys lie that seal grants: beside the sealing keys.
func KeysFile(sealingKeys string) string {
	return filepath.Join(filepath.Dir(sealingKeys), "connection.keys")
}

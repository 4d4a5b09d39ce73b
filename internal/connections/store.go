package connections

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/zoomapi"
	"zflow/proto"
)

// App is a server-to-server app of a Zoom account, under the name of its
// connection.
type App struct {
	Name         string
	AccountID    string
	ClientID     string
	ClientSecret string
	OAuth        string // where its tokens come from; empty: Options.TokenURL
	API          string // where its calls go; empty: to the token's region
}

// String hides the secret.
func (a App) String() string { return "connection " + a.Name }

// GoString is String.
func (a App) GoString() string { return a.String() }

// id tells whose a stored token is.
func (a App) id() string { return a.AccountID + "/" + a.ClientID }

// Options of a Store.
type Options struct {
	Apps      []App
	Keys      *Keyring
	TokenURL  string            // empty: Zoom's
	Transport http.RoundTripper // to the token endpoint; nil: net/http's
}

// Store has the tokens of all connections.
type Store struct {
	kv       jetstream.KeyValue
	keys     *Keyring
	tokenURL string
	http     *http.Client
	byName   map[string]*connection
	names    []string
	work     sync.WaitGroup
}

// connection is one of them, with what this process knows of its token.
type connection struct {
	app     App
	turn    chan struct{} // held by whoever looks for a newer token
	current atomic.Pointer[held]
	seen    atomic.Uint64 // the highest number of a record
}

// held is a token, or an error for a while.
type held struct {
	token zoomapi.Token
	until time.Time // when either is not to be used any more
	err   *zoomapi.Error
}

// Open looks the bucket up.
func Open(ctx context.Context, js jetstream.JetStream, o Options) (*Store, error) {
	kv, err := js.KeyValue(ctx, proto.Connections)
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", proto.Connections, err)
	}
	if o.Keys == nil {
		return nil, errors.New("opening connections: no keys")
	}
	if o.TokenURL == "" {
		o.TokenURL = "https://zoom.us/oauth/token"
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true}
	}
	s := &Store{
		kv: kv, keys: o.Keys, tokenURL: o.TokenURL,
		http: &http.Client{
			Transport:     o.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		byName: make(map[string]*connection, len(o.Apps)),
	}
	for _, app := range o.Apps {
		if err := s.add(app); err != nil {
			return nil, fmt.Errorf("opening connections: %w", err)
		}
	}
	slices.Sort(s.names)
	return s, nil
}

func (s *Store) add(app App) error {
	for field, value := range map[string]string{
		"a name": app.Name, "an account id": app.AccountID, "a client id": app.ClientID, "a client secret": app.ClientSecret,
	} {
		if value == "" {
			return fmt.Errorf("connection %q has not %s", app.Name, field)
		}
	}
	if s.byName[app.Name] != nil {
		return fmt.Errorf("connection %s is there twice", app.Name)
	}
	s.byName[app.Name] = &connection{app: app, turn: make(chan struct{}, 1)}
	s.names = append(s.names, app.Name)
	return nil
}

// Close waits for the fetches under way.
func (s *Store) Close() {
	s.work.Wait()
	s.http.CloseIdleConnections()
}

// Names returns the names of all connections, sorted.
func (s *Store) Names() []string { return s.names }

// Has tells whether there is a connection of this name.
func (s *Store) Has(name string) bool { return s.byName[name] != nil }

// App returns a connection's app, without its secret.
func (s *Store) App(name string) (App, bool) {
	c := s.byName[name]
	if c == nil {
		return App{}, false
	}
	app := c.app
	app.ClientSecret = ""
	return app, true
}

// Token returns a token to call with: that of the connection of this name; without
// a name that of the account, else that of the only connection.
func (s *Store) Token(ctx context.Context, name, account string) (zoomapi.Token, error) {
	c, err := s.find(name, account)
	if err != nil {
		return zoomapi.Token{}, err
	}
	if h := c.current.Load(); h.good("") {
		return h.token, nil
	}
	return s.newer(ctx, c, "")
}

// Renew returns a newer token than one that Zoom refused.
func (s *Store) Renew(ctx context.Context, refusedToken zoomapi.Token) (zoomapi.Token, error) {
	c, err := s.find(refusedToken.Connection, "")
	if err != nil {
		return zoomapi.Token{}, err
	}
	if h := c.current.Load(); h.good(refusedToken.Access) {
		return h.token, nil
	}
	return s.newer(ctx, c, refusedToken.Access)
}

// find chooses the connection.
func (s *Store) find(name, account string) (*connection, error) {
	if name != "" {
		if c := s.byName[name]; c != nil {
			return c, nil
		}
		return nil, refused("there is no connection %q (%s)", name, s.known())
	}
	var fits []*connection
	for _, n := range s.names {
		if c := s.byName[n]; c.app.AccountID == account {
			fits = append(fits, c)
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) > 1:
		return nil, refused("several connections are of the event's account: name one at the step (%s)", s.known())
	case len(s.names) == 1:
		return s.byName[s.names[0]], nil
	}
	return nil, refused("no connection is of the event's account %q: name one at the step (%s)", account, s.known())
}

func (s *Store) known() string {
	if len(s.names) == 0 {
		return "none is configured"
	}
	return "there are: " + strings.Join(s.names, ", ")
}

// good tells whether a token may be used, and is another one than was refused.
func (h *held) good(refused string) bool {
	return h != nil && h.err == nil && h.token.Access != refused && time.Now().Before(h.until)
}

// bad is the error to repeat, if there is one.
func (h *held) bad() *zoomapi.Error {
	if h == nil || h.err == nil || !time.Now().Before(h.until) {
		return nil
	}
	return h.err
}

func (c *connection) sees(number uint64) {
	for old := c.seen.Load(); number > old && !c.seen.CompareAndSwap(old, number); {
		old = c.seen.Load()
	}
}

package connections

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/connections/oauth"
	"zflow/internal/durable"
	"zflow/internal/zoomapi"
	"zflow/proto"
)

// App is a server-to-server app of the configuration, under the name of its
// connection.
type App struct {
	Name         string
	AccountID    string
	ClientID     string
	ClientSecret string
	OAuth        string // where its tokens come from; empty: Options.Server
	API          string // where its calls go; empty: to the token's region
}

// String hides the secret.
func (a App) String() string { return "connection " + a.Name }

// GoString is String.
func (a App) GoString() string { return a.String() }

// Options of a Store.
type Options struct {
	Apps      []App // of the configuration
	Keys      *Keyring
	Gate      *durable.Gate
	Server    string            // where tokens come from, if nothing else is said; empty: Zoom's
	Transport http.RoundTripper // to Zoom; nil: one of its own
	Services  Services
}

// Services is how other services than Zoom are reached.
type Services struct {
	Transport http.RoundTripper // to their authorization servers; nil: one of its own
	// Try makes a GET that is signed, and says why the answer is none of success; nil:
	// nothing is tried.
	Try func(ctx context.Context, address string, with Credential) error
}

// Store has all connections, and the tokens to call with.
type Store struct {
	js        jetstream.JetStream
	kv        jetstream.KeyValue
	bucket    *durable.Bucket
	keys      *Keyring
	oauth     *oauth.Client
	address   string // of the authorization server
	transport http.RoundTripper
	try       func(ctx context.Context, address string, with Credential) error
	work      sync.WaitGroup
	stop      func()

	mu        sync.RWMutex
	byName    map[string]*connection
	byAccount map[string][]*connection
	owners    map[string]*owner // of server-to-server apps
	ofApps    appTokens
}

// connection is one of them. It is not changed but replaced.
type connection struct {
	name, kind, account string
	client, secret      string // the secret of one of the configuration
	server, api         string
	owner               *owner
	stored              *Record // nil: it stands in the configuration
	revision            uint64
}

// id tells whose a cached token is.
func (c *connection) id() string {
	if c.kind != KindHTTP {
		return c.account + "/" + c.client
	}
	o := c.stored.Service.OAuth
	return proto.Hash(append([]string{c.client, o.TokenURL, o.Audience, o.Subject}, o.Scopes...)...)
}

// to is what messages call the other side.
func (c *connection) to() string {
	if c.stored != nil {
		return c.stored.to()
	}
	return "Zoom"
}

// appOf is the app with the secret that a grant holds.
func (c *connection) appOf(p secretPart) oauth.App {
	if c.stored != nil {
		return c.stored.app(p)
	}
	return oauth.App{ClientID: c.client, ClientSecret: cmp.Or(p.Secret, c.secret), Server: c.server}
}

func (r *Record) app(p secretPart) oauth.App {
	return oauth.App{ClientID: r.ClientID, ClientSecret: p.Secret, Server: r.OAuth, Other: otherOf(r.Service)}
}

// Open looks the bucket up, reads all connections, and follows their changes
// until Close.
func Open(ctx context.Context, js jetstream.JetStream, o Options) (*Store, error) {
	if o.Keys == nil || o.Gate == nil {
		return nil, errors.New("opening connections: no keys, or no gate")
	}
	kv, err := js.KeyValue(ctx, proto.Connections)
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", proto.Connections, err)
	}
	bucket, err := durable.OpenBucket(ctx, js, o.Gate, proto.Connections)
	if err != nil {
		return nil, err
	}
	s := &Store{
		js: js, kv: kv, bucket: bucket, keys: o.Keys, oauth: oauth.New(o.Transport, o.Services.Transport), address: o.Server, transport: o.Transport, try: o.Services.Try,
		byName: map[string]*connection{}, byAccount: map[string][]*connection{}, owners: map[string]*owner{},
	}
	for _, app := range o.Apps {
		if err := s.add(app); err != nil {
			return nil, fmt.Errorf("opening connections: %w", err)
		}
	}
	if err := s.follow(ctx); err != nil {
		return nil, fmt.Errorf("opening connections: %w", err)
	}
	return s, nil
}

// add takes one of the configuration.
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
	s.put(&connection{
		name: app.Name, kind: zoomapi.KindServer, account: app.AccountID, client: app.ClientID, secret: app.ClientSecret,
		server: cmp.Or(app.OAuth, s.address), api: app.API,
	})
	return nil
}

// put makes a connection known, in place of what had its name; the caller holds
// the lock, or is alone.
func (s *Store) put(c *connection) {
	old := s.byName[c.name]
	s.drop(c.name)
	c.owner = s.ownerOf(c, old)
	s.byName[c.name] = c
	if c.kind == KindHTTP {
		return
	}
	s.byAccount[c.account] = append(s.byAccount[c.account], c)
}

func (s *Store) drop(name string) {
	old := s.byName[name]
	if old == nil {
		return
	}
	delete(s.byName, name)
	left := slices.DeleteFunc(slices.Clone(s.byAccount[old.account]), func(c *connection) bool { return c == old })
	if len(left) == 0 {
		delete(s.byAccount, old.account)
		return
	}
	s.byAccount[old.account] = left
}

// ownerOf is the owner of a connection's token; what it knows is of the record
// before.
func (s *Store) ownerOf(c, old *connection) *owner {
	key := "connection-" + c.name
	if c.kind == zoomapi.KindServer {
		key = "app-" + proto.Hash(c.account, c.client, c.server)
	}
	o := s.owners[key]
	if c.kind != zoomapi.KindServer && old != nil {
		o = old.owner
	}
	if o == nil || o.key != key {
		o = newOwner(key)
	}
	if c.kind == zoomapi.KindServer {
		s.owners[key] = o
	}
	if h := o.current.Load(); h != nil && (h.err != nil || c.kind != zoomapi.KindServer) {
		o.current.CompareAndSwap(h, nil)
	}
	return o
}

// shared tells whether other connections have the same token.
func (s *Store) shared(c *connection) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.ContainsFunc(s.byAccount[c.account], func(other *connection) bool {
		return other.name != c.name && other.owner == c.owner && (other.stored == nil || other.stored.State != Revoked)
	})
}

// Close waits for the fetches under way.
func (s *Store) Close() {
	s.stop()
	s.work.Wait()
	s.oauth.Close()
}

// All returns every connection as all may see it, sorted by name.
func (s *Store) All() []Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := time.Now()
	all := make([]Record, 0, len(s.byName))
	for _, c := range s.byName {
		all = append(all, c.record().Public(now))
	}
	slices.SortFunc(all, func(a, b Record) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// record is what is known of a connection, be it of the configuration or not.
func (c *connection) record() *Record {
	if c.stored != nil {
		return c.stored
	}
	r := &Record{Name: c.name, Kind: c.kind, State: Connected, Account: c.account, ClientID: c.client, Configured: true,
		Addresses: Addresses{OAuth: c.server, API: c.api}}
	if h := c.owner.current.Load(); h != nil {
		r.Scopes, r.Expires = h.scopes, h.ends
		if h.err != nil {
			r.Error = h.err.Error()
		}
	}
	return r
}

// Names returns the names of all connections, sorted.
func (s *Store) Names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, 0, len(s.byName))
	for name := range s.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Has tells whether there is a connection of this name.
func (s *Store) Has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byName[name] != nil
}

// Kind returns the kind of a connection.
func (s *Store) Kind(name string) (kind string, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c := s.byName[name]; c != nil {
		return c.kind, true
	}
	return "", false
}

// Account returns the account of Zoom that a connection is of.
func (s *Store) Account(name string) (id string, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.byName[name]
	if c == nil || c.kind == KindHTTP {
		return "", false
	}
	return c.account, true
}

// Of returns the connection that an account of Zoom is of; of several the first by
// name. Empty: there is none.
func (s *Store) Of(account string) (name string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.byAccount[account] {
		if c.kind != KindHTTP && (name == "" || c.name < name) {
			name = c.name
		}
	}
	return name
}

// Token returns a token to call with: that of the connection of this name; without
// a name that of the account, else that of the only connection.
func (s *Store) Token(ctx context.Context, name, account string) (zoomapi.Token, error) {
	c, err := s.find(ctx, name, account)
	if err != nil {
		return zoomapi.Token{}, err
	}
	return s.tokenOf(ctx, c, "")
}

// Renew returns a newer token than one that Zoom refused.
func (s *Store) Renew(ctx context.Context, refusedToken zoomapi.Token) (zoomapi.Token, error) {
	c, err := s.find(ctx, refusedToken.Connection, "")
	if err != nil {
		return zoomapi.Token{}, err
	}
	return s.tokenOf(ctx, c, refusedToken.Access)
}

func (s *Store) tokenOf(ctx context.Context, c *connection, refused string) (zoomapi.Token, error) {
	if c.stored != nil {
		if e := c.stored.stopped(); e != nil {
			return zoomapi.Token{}, of(c, e)
		}
	}
	h := c.owner.current.Load()
	if !h.good(refused) {
		var err error
		if h, err = s.newer(ctx, c, refused); err != nil {
			return zoomapi.Token{}, of(c, err)
		}
	}
	return zoomapi.Token{
		Access: h.access, Connection: c.name, Kind: c.kind, Account: c.account,
		API: h.api, Base: c.api, Scopes: h.scopes, Expires: h.ends,
	}, nil
}

// of names the connection that an error is about.
func of(c *connection, err error) *zoomapi.Error {
	named := *zoomapi.AsError(err)
	named.Message = "connection " + c.name + ": " + named.Message
	return &named
}

// app is what a connection asks the authorization server as.
func (s *Store) app(c *connection) (oauth.App, error) {
	if c.stored == nil {
		return c.appOf(secretPart{}), nil
	}
	p, err := s.reveal(c.stored)
	return c.appOf(p), err
}

// find chooses the connection to Zoom.
func (s *Store) find(ctx context.Context, name, account string) (*connection, error) {
	if name != "" {
		c, err := s.named(ctx, name)
		if err == nil && c.kind == KindHTTP {
			return nil, refused("connection %s is one to %s (kind http), and this calls Zoom: name one to Zoom at the step, or none", name, c.to())
		}
		return c, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	fits := s.byAccount[account]
	if account == "" {
		fits = nil
	}
	if whole := slices.DeleteFunc(slices.Clone(fits), func(c *connection) bool { return c.kind == zoomapi.KindUser }); len(whole) > 0 {
		fits = whole // a user's own connection cannot speak for the account
	}
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) > 1:
		return nil, refused("several connections are of the event's account: name one at the step (%s)", s.known(true))
	}
	if only := s.only(); only != nil {
		return only, nil
	}
	return nil, refused("no connection is of the event's account %q: name one at the step (%s)", account, s.known(true))
}

// only is the connection to Zoom where there is one; the caller holds the lock.
func (s *Store) only() (only *connection) {
	for _, all := range s.byAccount {
		if only != nil || len(all) > 1 {
			return nil
		}
		only = all[0]
	}
	return only
}

// named returns the connection of a name; one made a moment ago too.
func (s *Store) named(ctx context.Context, name string) (*connection, error) {
	for tried := false; ; tried = true {
		s.mu.RLock()
		c := s.byName[name]
		s.mu.RUnlock()
		if c != nil {
			return c, nil
		}
		if tried || CheckName(name) != nil {
			s.mu.RLock()
			defer s.mu.RUnlock()
			return nil, refused("there is no connection %q (%s)", name, s.known(false))
		}
		if err := s.learn(ctx, name); err != nil {
			return nil, unreachable("looking up connection %s: %s", name, err)
		}
	}
}

// mostNamed is how many names an error lists.
const mostNamed = 10

// known lists the connections, or only those to Zoom; the caller holds the lock.
func (s *Store) known(zoom bool) string {
	var names []string
	for name, c := range s.byName {
		if !zoom || c.kind != KindHTTP {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "none is there: `zflow connect` makes one"
	}
	slices.Sort(names)
	if more := len(names) - mostNamed; more > 0 {
		return fmt.Sprintf("there are: %s and %d more", strings.Join(names[:mostNamed], ", "), more)
	}
	return "there are: " + strings.Join(names, ", ")
}

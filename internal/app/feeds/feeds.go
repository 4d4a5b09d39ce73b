// Package feeds is how events come in that no webhook brought: over Zoom's WebSocket,
// and from Zoom's log and lists, compared with what came. Workers do that, since
// only they can open grants; of all workers one at a time for each app.
package feeds

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"zflow/engine/leases"
	"zflow/internal/ask"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/internal/zoomapi"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom/socket"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// Config is what a worker needs for feeds.
type Config struct {
	Apps    map[string]settings.ZoomApp
	Holder  string // the worker's id
	Tokens  Tokens
	Leases  *leases.Store
	Publish func(context.Context, *proto.Event) (sources.Ack, error)
	Key     sealed.PublicKey
	Portal  Portal
	Log     *zap.Logger
}

// Tokens give calls their tokens.
type Tokens interface {
	Token(ctx context.Context, connection, account string) (zoomapi.Token, error)
	Renew(ctx context.Context, refused zoomapi.Token) (zoomapi.Token, error)
}

// Feeds are those of a worker process.
type Feeds struct {
	Config
	nc     *nats.Conn
	stream jetstream.Stream
	marks  jetstream.KeyValue // until when an app's events were compared
	api    *zoomapi.Client
	own    *zoomapi.Client // calls in the apps' own name
	feeds  map[string]*feed
	desk   *ask.Server
}

// feed is one app's.
type feed struct {
	*Feeds
	name   string
	app    settings.ZoomApp
	socket *socket.Source // nil: none
	soon   chan struct{}  // holds one: events may have been missed

	mu   sync.Mutex
	last Compared
}

// Compared is what comparing an app's events came to so far in this process.
type Compared struct {
	At       time.Time // of the last that was complete
	Injected int       // by all
	Failed   int       // comparisons that were not complete
}

// subjects is where commands ask for feeds.
const subjects = "zflow.feed."

// Open prepares the feeds of a configuration and begins to answer commands.
func Open(ctx context.Context, nc *nats.Conn, js jetstream.JetStream, c Config) (*Feeds, error) {
	f := &Feeds{Config: c, nc: nc, feeds: map[string]*feed{}}
	var err error
	if f.stream, err = js.Stream(ctx, proto.Events); err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", proto.Events, err)
	}
	if f.marks, err = js.KeyValue(ctx, proto.Once); err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", proto.Once, err)
	}
	f.api = zoomapi.New(zoomapi.Options{Token: c.Tokens.Token, Renew: c.Tokens.Renew})
	f.own = zoomapi.New(zoomapi.Options{Token: f.ownToken, Renew: func(ctx context.Context, refused zoomapi.Token) (zoomapi.Token, error) {
		return c.Portal.Apps.RenewApp(ctx, refused)
	}})
	for name, app := range c.Apps {
		one := &feed{Feeds: f, name: name, app: app, soon: make(chan struct{}, 1)}
		if app.WebSocket != "" {
			if one.socket, err = one.open(); err != nil {
				return nil, err
			}
		}
		f.feeds[name] = one
	}
	f.desk, err = ask.Serve(nc, subjects, map[string]ask.Verb{
		"reconcile": ask.By(f.onReconcile), "subscriptions": ask.By(f.onSubscriptions), "apps": ask.By(f.onApps),
	})
	return f, err
}

func (f *Feeds) ownToken(ctx context.Context, connection, _ string) (zoomapi.Token, error) {
	return f.Portal.Apps.AppToken(ctx, connection)
}

func (f *feed) open() (*socket.Source, error) {
	return socket.New(socket.Config{
		App: f.name, URL: f.app.WebSocket, Renew: f.Tokens.Renew, Publish: f.Publish, Key: f.Key, Log: f.Log, Missed: f.missed,
		Token: func(ctx context.Context) (zoomapi.Token, error) { return f.Tokens.Token(ctx, f.app.Connection, "") },
		Most:  func() int64 { return f.nc.MaxPayload() - spare },
	})
}

// spare is what an event's message holds besides its body.
const spare = 16 << 10

// missed lets events be compared soon.
func (f *feed) missed() {
	select {
	case f.soon <- struct{}{}:
	default:
	}
}

// Run keeps the feeds until ctx ends.
func (f *Feeds) Run(ctx context.Context) {
	var work sync.WaitGroup
	for _, one := range f.feeds {
		if one.socket == nil && one.app.Reconcile == 0 {
			continue
		}
		work.Go(func() {
			f.Leases.Duty(ctx, "feed."+proto.Token(one.name), f.Holder, one.run, func(err error) {
				f.Log.Warn("a feed ended and is begun again", zap.String("app", one.name), zap.Error(err))
			})
		})
	}
	<-ctx.Done()
	work.Wait()
}

// Close ends the answers under way.
func (f *Feeds) Close() {
	f.desk.Close()
	f.api.Close()
	f.own.Close()
}

// run does what an app's feed is, while no other worker does.
func (f *feed) run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	if f.socket != nil {
		work.Go(func() { _ = f.socket.Run(ctx) }) // it ends with ctx alone
		work.Go(func() { f.tellSocket(ctx) })
	}
	f.compareAgain(ctx)
	return nil
}

// names returns the apps, sorted.
func (f *Feeds) names() []string { return slices.Sorted(maps.Keys(f.feeds)) }

// Sockets says what the WebSockets did.
func (f *Feeds) Sockets() (all []socket.Stats) {
	for _, name := range f.names() {
		if s := f.feeds[name].socket; s != nil {
			all = append(all, s.Stats())
		}
	}
	return all
}

// Compared says what comparing came to, by app.
func (f *Feeds) Compared() map[string]Compared {
	all := make(map[string]Compared, len(f.feeds))
	for name, one := range f.feeds {
		one.mu.Lock()
		all[name] = one.last
		one.mu.Unlock()
	}
	return all
}

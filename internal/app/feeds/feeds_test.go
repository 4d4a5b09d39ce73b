package feeds

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zflow/engine/leases"
	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// rig is a Zoom whose events nobody takes by webhook, and workers, in a bubble.
type rig struct {
	server *natstest.Server
	js     jetstream.JetStream
	sim    *zoomsim.Sim
	app    zoomsim.App
	keys   *sealed.Keys
	pipe   *zoomsim.Pipe
	ingest *zoom.Handler

	mu    sync.Mutex
	token string
}

// RoundTrip is an ingest that takes all and stores nothing.
func (r *rig) RoundTrip(q *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r.ingest.ServeHTTP(w, q)
	return w.Result(), nil
}

// Token and Renew are those of the app, whose new token voids the last.
func (r *rig) Token(context.Context, string, string) (zoomapi.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token == "" {
		r.token = r.sim.NewToken()
	}
	return zoomapi.Token{Access: r.token, Connection: "school", Account: r.app.AccountID, Kind: zoomapi.KindServer, Base: "http://zoom.example/v2"}, nil
}

func (r *rig) Renew(ctx context.Context, refused zoomapi.Token) (zoomapi.Token, error) {
	r.mu.Lock()
	if r.token == refused.Access {
		r.token = ""
	}
	r.mu.Unlock()
	return r.Token(ctx, "", "")
}

func play(t *testing.T, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := &rig{server: natstest.Start(t), pipe: zoomsim.NewPipe()}
		r.js = r.server.JetStream(t)
		must(t, sources.Create(t.Context(), r.js, sources.Limits{MaxBytes: 64 << 20}))
		must(t, leases.Create(t.Context(), r.js, 1))
		var err error
		r.keys, err = sealed.GenerateKeys()
		must(t, err)
		r.sim = zoomsim.New(zoomsim.Options{Client: r})
		r.app = r.sim.Apps()[0]
		r.ingest, err = zoom.NewHandler(zoom.Config{Apps: []zoom.App{{Name: "main", Secrets: []string{r.app.SecretToken}}}, Key: r.keys.Public(),
			Publish: func(context.Context, *proto.Event) (sources.Ack, error) { return sources.Ack{}, nil }})
		must(t, err)
		server := &http.Server{Handler: r.sim}
		go func() { _ = server.Serve(r.pipe) }()
		_, err = r.sim.Subscribe(t.Context(), zoomsim.Subscription{URL: "https://zflow.example/hooks/zoom/main"})
		must(t, err)
		f(t, r)
		must(t, r.sim.Close(t.Context()))
		_ = server.Close()
		_ = r.pipe.Close()
		time.Sleep(time.Minute)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// worker is a worker's feeds.
func (r *rig) worker(t *testing.T, id string, apps map[string]settings.ZoomApp) (*Feeds, func()) {
	t.Helper()
	store, err := leases.Open(t.Context(), r.js)
	must(t, err)
	f, err := Open(t.Context(), r.server.Connect(t), r.js, Config{Apps: apps, Holder: id, Tokens: r, Leases: store,
		Publish: sources.NewPublisher(r.js, r.server.Gate(t)).Publish, Key: r.keys.Public(), Log: zap.NewNop()})
	must(t, err)
	transport := r.pipe.Transport()
	for _, one := range f.feeds {
		if one.socket != nil {
			one.socket.Client = &http.Client{Transport: transport}
		}
	}
	f.api = zoomapi.New(zoomapi.Options{Token: r.Token, Renew: r.Renew, Transport: transport})
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { f.Run(ctx) })
	return f, sync.OnceFunc(func() {
		stop()
		work.Wait()
		f.Close()
		transport.CloseIdleConnections()
	})
}

func (r *rig) held(t *testing.T) uint64 {
	t.Helper()
	s, err := r.js.Stream(t.Context(), proto.Events)
	must(t, err)
	return s.CachedInfo().State.Msgs
}

func (r *rig) happen(t *testing.T) {
	t.Helper()
	_, err := r.sim.Happen(zoomsim.Event{Type: "meeting.ended"})
	must(t, err)
}

// TestOneOfTwoCompares: every hour, and when that one goes the other goes on where
// it ended.
func TestOneOfTwoCompares(t *testing.T) {
	play(t, func(t *testing.T, r *rig) {
		apps := map[string]settings.ZoomApp{"main": {AppID: r.app.ClientID, Connection: "school", Reconcile: settings.Duration(time.Hour)}}
		one, stopOne := r.worker(t, "w1", apps)
		two, stopTwo := r.worker(t, "w2", apps)
		defer stopTwo()
		for range 30 { // five hours
			r.happen(t)
			time.Sleep(10 * time.Minute)
		}
		first, second := one.Compared()["main"], two.Compared()["main"]
		if first.Injected+second.Injected < 24 || first.Injected > 0 && second.Injected > 0 {
			t.Errorf("put in by the one %d, by the other %d", first.Injected, second.Injected)
		}
		if first.Injected == 0 {
			one, two, stopOne, stopTwo = two, one, stopTwo, stopOne
		}
		stopOne()
		for range 18 {
			r.happen(t)
			time.Sleep(10 * time.Minute)
		}
		time.Sleep(time.Hour)
		if r.held(t) != 48 || two.Compared()["main"].Injected < 18 {
			t.Errorf("%d of 48 are held; the other put in %+v", r.held(t), two.Compared())
		}
	})
}

// TestAComparisonThatIsNotComplete: it is made again soon, from where the last
// complete one ended.
func TestAComparisonThatIsNotComplete(t *testing.T) {
	play(t, func(t *testing.T, r *rig) {
		f, stop := r.worker(t, "w1", map[string]settings.ZoomApp{"main": {AppID: r.app.ClientID, Connection: "school", Reconcile: settings.Duration(time.Hour)}})
		defer stop()
		time.Sleep(5 * time.Minute)
		r.sim.Inject(zoomsim.Fault{Path: "/v2/marketplace/apps/*/webhook_logs", Status: 500, Times: 3})
		r.happen(t)
		time.Sleep(time.Hour + 10*time.Minute)
		c := f.Compared()["main"]
		if c.Failed == 0 || c.Injected != 1 || time.Since(c.At) > 20*time.Minute {
			t.Errorf("%+v", c)
		}
	})
}

// TestComparingOnDemand: as the command does; wrong apps are named.
func TestComparingOnDemand(t *testing.T) {
	play(t, func(t *testing.T, r *rig) {
		_, stop := r.worker(t, "w1", map[string]settings.ZoomApp{"main": {AppID: r.app.ClientID, Connection: "school"}})
		defer stop()
		r.happen(t)
		time.Sleep(time.Hour)
		if r.held(t) != 0 {
			t.Error("compared without being asked")
		}
		nc := r.server.Connect(t)
		all, err := Reconcile(t.Context(), nc, Request{App: "main", Since: time.Now().Add(-2 * time.Hour)})
		if must(t, err); len(all) != 1 || all[0].Injected != 1 || r.held(t) != 1 {
			t.Errorf("%+v", all)
		}
		for app, want := range map[string]string{"other": `there is no app "other": zoom.apps has main`} {
			if _, err := Reconcile(t.Context(), nc, Request{App: app}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", app, err)
			}
		}
	})
}

// TestMetrics are those that the documentation names.
func TestMetrics(t *testing.T) {
	play(t, func(t *testing.T, r *rig) {
		f, stop := r.worker(t, "w1", map[string]settings.ZoomApp{"main": {AppID: r.app.ClientID, Connection: "school", WebSocket: "ws://zoom.example/ws?subscriptionId=1"}})
		defer stop()
		registry := prometheus.NewRegistry()
		must(t, registry.Register(f))
		all, err := registry.Gather()
		must(t, err)
		names := map[string]bool{}
		for _, m := range all {
			names[m.GetName()] = true
		}
		for _, want := range []string{"zflow_websocket_open", "zflow_reconcile_injected_total", "zflow_reconcile_failures_total"} {
			if !names[want] {
				t.Errorf("no %s among %v", want, names)
			}
		}
	})
}

// TestEventsOverAWebSocket: they are stored as they come; what was sent in a gap is
// put in soon after it; when its worker goes, the other connects.
func TestEventsOverAWebSocket(t *testing.T) {
	play(t, func(t *testing.T, r *rig) {
		sub, err := r.sim.Subscribe(t.Context(), zoomsim.Subscription{Socket: true})
		must(t, err)
		apps := map[string]settings.ZoomApp{"main": {AppID: r.app.ClientID, Connection: "school", WebSocket: "ws://zoom.example/ws?subscriptionId=" + sub.ID}}
		one, stopOne := r.worker(t, "w1", apps)
		two, stopTwo := r.worker(t, "w2", apps)
		defer stopTwo()
		time.Sleep(5 * time.Second)
		r.happen(t)
		time.Sleep(time.Second)
		if r.held(t) != 1 {
			t.Fatalf("%d events, %+v, %+v", r.held(t), one.Sockets(), two.Sockets())
		}
		must(t, r.sim.BreakSocket(zoomsim.SocketFault{Subscription: sub.ID, Drop: true}))
		r.happen(t) // nobody is connected
		time.Sleep(3 * time.Minute)
		if r.held(t) != 2 {
			t.Errorf("%d of 2 after a gap", r.held(t))
		}
		r.sim.VoidTokens() // as another process that fetches one
		must(t, r.sim.BreakSocket(zoomsim.SocketFault{Subscription: sub.ID, Silent: true}))
		r.happen(t)
		time.Sleep(5 * time.Minute)
		if r.held(t) != 3 {
			t.Errorf("%d of 3 after a silence", r.held(t))
		}
		if one.Sockets()[0].Connections == 0 {
			stopOne, stopTwo, two = stopTwo, stopOne, one
			defer stopTwo()
		}
		stopOne()
		r.happen(t)
		time.Sleep(3 * time.Minute)
		r.happen(t)
		time.Sleep(time.Second)
		if s := two.Sockets()[0]; r.held(t) != 5 || !s.Open || s.Connections == 0 {
			t.Errorf("%d of 5 after a worker went, %+v", r.held(t), s)
		}
	})
}

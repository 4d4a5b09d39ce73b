package feeds

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/engine/leases"
	"zflow/engine/workflow"
	"zflow/internal/connections"
	"zflow/internal/public"
	"zflow/internal/settings"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom"
	"zflow/sources/zoom/subscription"

	"go.uber.org/zap"
)

const endpointURL = "https://zflow.example/hooks/zoom/main"

// portal is a worker whose apps subscribe for workflows.
type portal struct {
	*rig
	t      *testing.T
	feeds  *Feeds
	store  *connections.Store
	flows  []*workflow.Workflow
	lost   []string // workflows that cannot be read
	public string
	calls  *failing
}

// failing lets calls of a method fail.
type failing struct {
	http.RoundTripper
	method string
}

func (f *failing) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Method == f.method && strings.HasPrefix(q.URL.Path, "/v2/") {
		return nil, context.DeadlineExceeded
	}
	return f.RoundTripper.RoundTrip(q)
}

// subscribes plays with a worker whose app main is that of the connection mine, of
// this kind.
func subscribes(t *testing.T, kind string, f func(*testing.T, *portal)) {
	t.Helper()
	play(t, func(t *testing.T, r *rig) {
		for _, s := range r.sim.Subscriptions() {
			r.sim.Unsubscribe(s.ID)
		}
		must(t, connections.Create(t.Context(), r.js, 1))
		keys, err := connections.NewKeyring(bytes.Repeat([]byte{7}, 32))
		must(t, err)
		transport := r.pipe.Transport()
		p := &portal{rig: r, t: t, public: "https://zflow.example/", calls: &failing{RoundTripper: transport}}
		p.store, err = connections.Open(t.Context(), r.js, connections.Options{Keys: keys, Gate: r.server.Gate(t), Server: "http://zoom.example", Transport: p.calls})
		must(t, err)
		r.ingest, err = zoom.NewHandler(zoom.Config{Apps: []zoom.App{{Name: "main", Secrets: []string{p.appOf(kind).SecretToken}}}, Key: r.keys.Public(),
			Publish: func(context.Context, *proto.Event) (sources.Ack, error) { return sources.Ack{}, nil }})
		must(t, err)
		p.connect("mine", kind, "host-1")
		p.open()
		f(t, p)
		p.feeds.Close()
		p.store.Close()
		transport.CloseIdleConnections()
		time.Sleep(time.Minute)
	})
}

func (p *portal) open() {
	store, err := leases.Open(p.t.Context(), p.js)
	must(p.t, err)
	site, err := public.NewSite(p.public, nil)
	must(p.t, err)
	p.feeds, err = Open(p.t.Context(), p.server.Connect(p.t), p.js, Config{
		Apps: map[string]settings.ZoomApp{"main": {Connection: "mine"}}, Holder: "w1", Tokens: p.rig, Leases: store,
		Publish: sources.NewPublisher(p.js, p.server.Gate(p.t)).Publish, Key: p.keys.Public(), Log: zap.NewNop(),
		Portal: Portal{Site: site, Apps: p.store, Workflows: func(context.Context) ([]*workflow.Workflow, []string, error) { return p.flows, p.lost, nil }},
	})
	must(p.t, err)
	p.feeds.own = zoomapi.New(zoomapi.Options{Token: p.feeds.ownToken, Renew: p.store.RenewApp, Transport: p.calls})
	time.Sleep(time.Second) // the server knows its subjects then
}

// again is the same worker with another configuration.
func (p *portal) again(public string) {
	p.feeds.Close()
	p.public = public
	p.open()
}

func (p *portal) appOf(kind string) zoomsim.App {
	all := p.sim.Apps()
	return all[slices.IndexFunc(all, func(a zoomsim.App) bool { return a.Kind == kind })]
}

func (p *portal) connect(name, kind, user string) {
	p.t.Helper()
	a := p.appOf(kind)
	w := connections.Wanted{Name: name, Kind: kind, Account: a.AccountID, ClientID: a.ClientID, Secret: a.ClientSecret, OAuth: "http://zoom.example", API: "http://zoom.example/v2"}
	if kind == zoomapi.KindServer {
		_, err := p.store.Connect(p.t.Context(), w)
		must(p.t, err)
		return
	}
	w.Account = ""
	must(p.t, p.sim.SetConsent(zoomsim.Consent{App: a.ClientID, User: user}))
	b, err := p.store.Begin(p.t.Context(), w, "http://127.0.0.1/back")
	must(p.t, err)
	q, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, b.URL, nil)
	must(p.t, err)
	res, err := p.calls.RoundTrip(q)
	must(p.t, err)
	must(p.t, res.Body.Close())
	back, err := url.Parse(res.Header.Get("Location"))
	must(p.t, err)
	_, err = p.store.Finish(p.t.Context(), connections.Answer{State: back.Query().Get("state"), Code: back.Query().Get("code")})
	must(p.t, err)
	time.Sleep(time.Second)
}

// deploys makes these the workflows: one for each, of these types.
func (p *portal) deploys(flows ...string) {
	p.flows = nil
	for _, types := range flows {
		name, list, _ := strings.Cut(types, ": ")
		p.flows = append(p.flows, &workflow.Workflow{Name: name, Triggers: []workflow.Trigger{{Source: "zoom", Types: strings.Fields(list)}}})
	}
}

func (p *portal) ask(q SubscriptionRequest) subscription.Report {
	p.t.Helper()
	all, err := Subscriptions(p.t.Context(), p.server.Connect(p.t), q)
	must(p.t, err)
	if len(all) != 1 || all[0].App != "main" {
		p.t.Fatalf("%+v", all)
	}
	return all[0]
}

func (p *portal) plan() subscription.Report {
	p.t.Helper()
	return p.ask(SubscriptionRequest{})
}
func (p *portal) apply() subscription.Report {
	p.t.Helper()
	return p.ask(SubscriptionRequest{Apply: true})
}

// holds checks which events go to the endpoint by which subscriptions of the API.
func (p *portal) holds(want ...string) {
	p.t.Helper()
	var have []string
	for _, s := range p.sim.Subscriptions() {
		if s.Source == "openapi" {
			have = append(have, strings.Join(s.Events, " "))
		}
	}
	if slices.Sort(have); !slices.Equal(have, want) {
		p.t.Errorf("holds %q, want %q", have, want)
	}
}

func (p *portal) fine(r subscription.Report, changes int) {
	p.t.Helper()
	if len(r.Problems)+len(r.Missing()) > 0 || len(r.Changes) != changes {
		p.t.Errorf("%+v", r)
	}
}

// TestWhatZoomIsToSendBesides: a worker that knows nothing of ingest's part of the
// configuration has it in its own; ingest would refuse events without it.
func TestWhatZoomIsToSendBesides(t *testing.T) {
	for name, app := range map[string]settings.ZoomApp{
		"X-Zflow":       {Connection: "mine", Header: settings.Header{Name: "x-zflow", Value: settings.NewSecret("hush")}},
		"Authorization": {Connection: "mine", Basic: settings.Basic{User: "zoom", Password: settings.NewSecret("pass")}},
	} {
		subscribes(t, zoomapi.KindServer, func(t *testing.T, p *portal) {
			p.deploys("a: meeting.ended")
			p.feeds.feeds["main"].app = app
			p.fine(p.apply(), 1)
			want := map[string]string{"X-Zflow": "hush", "Authorization": "Basic em9vbTpwYXNz"}[name]
			if s := p.sim.Subscriptions()[0]; s.Header.Get(name) != want {
				t.Errorf("%s: subscribed with %v", name, s.Header)
			}
		})
	}
}

// TestWhatIsPlannedIsDone, once, whatever kind the app is of.
func TestWhatIsPlannedIsDone(t *testing.T) {
	for _, kind := range []string{zoomapi.KindServer, zoomapi.KindUser, zoomapi.KindAdmin} {
		subscribes(t, kind, func(t *testing.T, p *portal) {
			p.deploys("a: meeting.ended", "b: meeting.started meeting.ended")
			p.flows[0].Steps = []*workflow.Step{{ID: "w", Do: &workflow.Wait{Of: []*workflow.Arrival{{Source: "zoom", Types: []string{"recording.completed"}}}}}}
			r := p.plan()
			p.fine(r, 1)
			p.holds()
			if c := r.Changes[0]; c.Do != subscription.Create || !slices.Equal(c.Added, []string{"meeting.ended", "meeting.started", "recording.completed"}) || c.Done {
				t.Errorf("%s: planned %+v", kind, c)
			}
			if r = p.apply(); !r.Changes[0].Done {
				t.Errorf("%s: %+v", kind, r)
			}
			p.holds("meeting.ended meeting.started recording.completed")
			s := p.sim.Subscriptions()[0]
			if s.URL != endpointURL || (len(s.Users) > 0) != (kind == zoomapi.KindUser) {
				t.Errorf("%s: subscribed %+v", kind, s)
			}
			p.fine(p.plan(), 0)
			p.fine(p.apply(), 0)
			if after := p.sim.Subscriptions()[0]; after.ID != s.ID {
				t.Errorf("%s: made anew though nothing changed", kind)
			}
		})
	}
}

// TestANewTypeMissesNothing: the new subscription is there before the old one ends.
func TestANewTypeMissesNothing(t *testing.T) {
	subscribes(t, zoomapi.KindServer, func(t *testing.T, p *portal) {
		p.deploys("a: meeting.ended")
		p.fine(p.apply(), 1)
		old := p.sim.Subscriptions()[0].ID
		p.deploys("a: meeting.ended", "b: meeting.started")
		since := len(p.sim.Ledger(zoomsim.Filter{}))
		p.fine(p.apply(), 1)
		p.holds("meeting.ended meeting.started")
		var order []string
		for _, e := range p.sim.Ledger(zoomsim.Filter{})[since:] {
			if strings.HasPrefix(e.Path, "/v2/") && e.Method != http.MethodGet {
				order = append(order, e.Method)
			}
		}
		if !slices.Equal(order, []string{http.MethodPost, http.MethodDelete}) {
			t.Errorf("changed by %v: events are missed in between", order)
		}
		if p.sim.Subscriptions()[0].ID == old {
			t.Error("the old one stays")
		}
		// One that cannot be made leaves the old one as it is.
		p.deploys("a: meeting.ended", "b: meeting.started", "c: user.created")
		p.calls.method = http.MethodPost
		if r := p.apply(); len(r.Problems) != 1 || r.Changes[0].Done {
			t.Errorf("%+v", r)
		}
		p.holds("meeting.ended meeting.started")
		// One that was made, and the old one could not be deleted: the next time does it.
		p.calls.method = http.MethodDelete
		if r := p.apply(); len(r.Problems) != 1 {
			t.Errorf("%+v", r)
		}
		p.holds("meeting.ended meeting.started", "meeting.ended meeting.started user.created")
		p.calls.method = ""
		p.fine(p.apply(), 1)
		p.holds("meeting.ended meeting.started user.created")
	})
}

// TestWhatNobodyNeeds is taken away only where that is asked for, and not while a
// workflow cannot be read.
func TestWhatNobodyNeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	subscribes(t, zoomapi.KindAdmin, func(t *testing.T, p *portal) {
		p.deploys("a: meeting.ended", "b: meeting.started")
		p.apply()
		p.deploys("a: meeting.ended")
		r := p.apply()
		p.fine(r, 0)
		if !slices.Equal(r.Unneeded, []string{"meeting.started"}) {
			t.Errorf("%+v", r)
		}
		p.holds("meeting.ended meeting.started")
		p.lost = []string{"b"}
		if _, err := Subscriptions(t.Context(), p.server.Connect(t), SubscriptionRequest{Prune: true}); err == nil || !strings.Contains(err.Error(), "workflow b cannot be read") {
			t.Errorf("pruned though a workflow cannot be read: %v", err)
		}
		p.lost = nil
		p.fine(p.ask(SubscriptionRequest{Apply: true, Prune: true}), 1)
		p.holds("meeting.ended")
		p.deploys()
		p.fine(p.ask(SubscriptionRequest{Apply: true, Prune: true}), 1)
		p.holds()
		p.fine(p.ask(SubscriptionRequest{Apply: true, Prune: true}), 0)
		// Another public URL: what goes to the old one is pruned too.
		p.deploys("a: meeting.ended")
		p.apply()
		p.again("https://elsewhere.example")
		if r := p.apply(); len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "still sends to "+endpointURL) {
			t.Errorf("%+v", r)
		}
		p.holds("meeting.ended", "meeting.ended")
		p.fine(p.ask(SubscriptionRequest{Apply: true, Prune: true}), 1)
		p.holds("meeting.ended")
	})
}

// TestThePortalsOwn are left as they are; what they bring is not asked for again.
func TestThePortalsOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	subscribes(t, zoomapi.KindServer, func(t *testing.T, p *portal) {
		a := p.appOf(zoomapi.KindServer)
		_, err := p.sim.Subscribe(t.Context(), zoomsim.Subscription{Name: "by hand", URL: endpointURL, Events: []string{"meeting.*"}, App: a.ClientID})
		must(t, err)
		p.deploys("a: meeting.ended user.created app_deauthorized")
		r := p.apply()
		p.fine(r, 1)
		if len(r.Covered) != 1 || r.Covered[0] != (subscription.Covered{Type: "meeting.ended", By: "by hand"}) || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "app_deauthorized") {
			t.Errorf("%+v", r)
		}
		p.holds("user.created")
		p.deploys()
		p.fine(p.ask(SubscriptionRequest{Apply: true, Prune: true}), 1)
		if all := p.sim.Subscriptions(); len(all) != 1 || all[0].Name != "by hand" {
			t.Errorf("%+v", all)
		}
	})
}

// TestATypeThatIsNotAllowed is named with its scope; the others are subscribed.
func TestATypeThatIsNotAllowed(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	subscribes(t, zoomapi.KindServer, func(t *testing.T, p *portal) {
		a := p.appOf(zoomapi.KindServer)
		_, err := p.sim.ChangeApp(a.ClientID, func(a *zoomsim.App) error { a.EventTypes = []string{"meeting.*"}; return nil })
		must(t, err)
		p.deploys("a: meeting.ended recording.completed", "b: user.created")
		for try := range 2 {
			r := p.apply()
			var said []string
			for _, l := range r.Missing() {
				said = append(said, l.Type+" "+strings.Join(l.For, ",")+" "+strings.Join(l.AnyOf, " "))
			}
			if len(said) != 2 || !strings.HasPrefix(said[0], "recording.completed a cloud_recording:read:recording:admin") || !strings.HasPrefix(said[1], "user.created b user:read:user:admin") ||
				len(r.Problems) > 0 || len(r.Changes) != 1-try {
				t.Errorf("try %d: %q, %+v", try, said, r)
			}
			p.holds("meeting.ended")
		}
		_, err = p.sim.ChangeApp(a.ClientID, func(a *zoomsim.App) error { a.EventTypes = nil; return nil })
		must(t, err)
		p.fine(p.apply(), 1)
		p.holds("meeting.ended recording.completed user.created")
	})
}

// TestWhatCannotBeDone says why, and changes nothing.
func TestWhatCannotBeDone(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	subscribes(t, zoomapi.KindServer, func(t *testing.T, p *portal) {
		says := func(want string) {
			t.Helper()
			if r := p.apply(); len(r.Problems) != 1 || !strings.Contains(r.Problems[0], want) {
				t.Errorf("says %+v, want %q", r.Problems, want)
			}
		}
		p.deploys("a: meeting.ended")
		p.again("")
		says("there is no public_url")
		p.again("https://zflow.example")
		a := p.appOf(zoomapi.KindServer)
		_, err := p.sim.ChangeApp(a.ClientID, func(a *zoomsim.App) error { a.SecretToken = "another"; return nil })
		must(t, err)
		says("ingest must answer Zoom at " + endpointURL)
		_, err = p.sim.ChangeApp(a.ClientID, func(c *zoomsim.App) error { c.SecretToken = a.SecretToken; return nil })
		must(t, err)
		for range 20 {
			_, err := p.sim.Subscribe(t.Context(), zoomsim.Subscription{URL: endpointURL, Events: []string{"user.created"}, App: a.ClientID})
			must(t, err)
		}
		says("the app has 20 event subscriptions")
		p.holds()
		p.feeds.feeds["main"].app.Connection = "nobodys"
		says("connection nobodys, which is not there")
		p.feeds.feeds["main"].app.Connection = ""
		says("zoom.apps.main has no connection")
	})
}

// TestUsersComeAndGo: each connected user of a user-level app is a subscriber; one
// whose connection was revoked goes when pruning.
func TestUsersComeAndGo(t *testing.T) {
	subscribes(t, zoomapi.KindUser, func(t *testing.T, p *portal) {
		p.deploys("a: meeting.ended")
		for _, n := range []string{"b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
			p.connect("of-"+n, zoomapi.KindUser, "host-"+n)
		}
		p.fine(p.apply(), 1)
		s := p.sim.Subscriptions()[0]
		if len(s.Users) != 12 {
			t.Errorf("subscribers %v", s.Users)
		}
		p.connect("of-m", zoomapi.KindUser, "host-m")
		r := p.apply()
		if p.fine(r, 1); !slices.Equal(r.Changes[0].Join, []string{"host-m"}) || p.sim.Subscriptions()[0].ID != s.ID || len(p.sim.Subscriptions()[0].Users) != 13 {
			t.Errorf("%+v, %+v", r, p.sim.Subscriptions())
		}
		_, _, err := p.store.Revoke(t.Context(), "of-c", "it was to go")
		must(t, err)
		time.Sleep(time.Second)
		p.fine(p.apply(), 0)
		r = p.ask(SubscriptionRequest{Apply: true, Prune: true})
		if p.fine(r, 1); !slices.Equal(r.Changes[0].Leave, []string{"host-c"}) || len(p.sim.Subscriptions()[0].Users) != 12 {
			t.Errorf("%+v, %+v", r, p.sim.Subscriptions())
		}
		p.fine(p.apply(), 0)
	})
}

// TestATriggerThatNamesAConnection is subscribed to by that connection's app alone,
// and where that is in no app of zoom.apps, by those of its account.
func TestATriggerThatNamesAConnection(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	subscribes(t, zoomapi.KindServer, func(t *testing.T, p *portal) {
		p.connect("lina", zoomapi.KindUser, "host-1")
		p.deploys("a: meeting.ended", "b: meeting.started", "c: user.created")
		p.flows[1].Triggers[0].Connections = []string{"lina"}
		p.flows[2].Triggers[0].Connections = []string{"nobody"}
		r := p.plan()
		if p.fine(r, 1); !slices.Equal(r.Changes[0].Added, []string{"meeting.ended", "meeting.started"}) {
			t.Errorf("lina is of the account, and of no app of zoom.apps: %+v", r.Changes)
		}
		p.feeds.feeds["other"] = &feed{Feeds: p.feeds, name: "other", app: settings.ZoomApp{Connection: "lina"}}
		r = p.ask(SubscriptionRequest{App: "main"})
		if p.fine(r, 1); !slices.Equal(r.Changes[0].Added, []string{"meeting.ended"}) {
			t.Errorf("lina's app subscribes by itself: %+v", r.Changes)
		}
	})
}

// TestHowAppsAre: whose events they get, and whether the WebSocket is open, whichever
// worker has it.
func TestHowAppsAre(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	subscribes(t, zoomapi.KindServer, func(t *testing.T, p *portal) {
		a := p.appOf(zoomapi.KindServer)
		s, err := p.sim.Subscribe(t.Context(), zoomsim.Subscription{Name: "socket", Socket: true, Events: []string{"meeting.ended"}, App: a.ClientID})
		must(t, err)
		main := p.feeds.feeds["main"]
		main.app.WebSocket = "ws://zoom.example/ws?subscriptionId=" + s.ID
		p.deploys("a: meeting.ended")
		p.again("")
		p.feeds.feeds["main"].app.WebSocket = main.app.WebSocket
		p.fine(p.plan(), 0) // it comes over the WebSocket: there is nothing to subscribe to
		state := func() App {
			t.Helper()
			all, err := Apps(t.Context(), p.server.Connect(t))
			must(t, err)
			return all[0]
		}
		if got := state(); got.Name != "main" || !slices.Equal(got.Accounts, []string{a.AccountID}) || got.WebSocket != "" || got.Problem != "" {
			t.Errorf("%+v", got)
		}
		one := p.feeds.feeds["main"]
		one.socket, err = one.open()
		must(t, err)
		if got := state(); got.WebSocket != SocketClosed {
			t.Errorf("nobody has opened it: %+v", got)
		}
		_, err = one.marks.Put(t.Context(), one.socketKey(), []byte(SocketOpen))
		must(t, err)
		if got := state(); got.WebSocket != SocketOpen {
			t.Errorf("another worker has opened it: %+v", got)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { one.tellSocket(ctx); close(done) }()
		time.Sleep(tellEvery)
		if got := state(); got.WebSocket != SocketClosed {
			t.Errorf("this worker has taken it over, and it is not open yet: %+v", got)
		}
		stop()
		<-done
		one.app.Connection = "nobody"
		if got := state(); !strings.Contains(got.Problem, "connection nobody, which is not there") {
			t.Errorf("%+v", got)
		}
	})
}

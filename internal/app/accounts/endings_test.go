package accounts_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"zflow/actions"
	actionszoom "zflow/actions/zoom"
	"zflow/engine/router"
	"zflow/engine/waits"
	"zflow/engine/worker"
	"zflow/internal/app"
	"zflow/internal/app/accounts"
	"zflow/internal/app/streams"
	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/connections/eavesdrop"
	"zflow/internal/connections/forget"
	"zflow/internal/natstest"
	"zflow/internal/operator"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
	"zflow/proto"
	"zflow/sources/zoom"
)

const (
	forgetAfter = time.Hour
	backTo      = "http://127.0.0.1:8765/oauth/callback"
	workflow    = `name: flow
on: [ { zoom: meeting.ended } ]
steps:
  - { id: m, uses: zoom.create_meeting, connection: lina, with: { topic: Next, duration: 30 } }
`
)

// rig is a worker with its accounts, an ingest, and Zoom, in a bubble.
type rig struct {
	*testing.T
	dir     string
	server  *natstest.Server
	js      jetstream.JetStream
	sim     *zoomsim.Sim
	pipe    *zoomsim.Pipe
	ear     *eavesdrop.Ear
	ingest  *zoom.Handler
	client  *app.Client
	desk    *desk.Client
	orders  *forget.Forgetter
	account string
	wanted  connections.Wanted
}

// RoundTrip is Zoom's way to the ingest.
func (r *rig) RoundTrip(q *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r.ingest.ServeHTTP(w, q)
	return w.Result(), nil
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// until waits for something, at most ten minutes.
func (r *rig) until(what string, is func() bool) {
	r.Helper()
	for ends := time.Now().Add(10 * time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(ends) {
			r.Fatalf("never: %s", what)
		}
	}
}

func play(t *testing.T, f func(*rig)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := &rig{T: t, dir: dir, server: natstest.Start(t, natstest.Dir(dir)), pipe: zoomsim.NewPipe()}
		r.js, r.ear = r.server.JetStream(t), eavesdrop.On(t, r.server.Connect(t))
		r.sim = zoomsim.New(zoomsim.Options{Client: r})
		web := &http.Server{Handler: r.sim}
		go func() { _ = web.Serve(r.pipe) }()
		stop := r.open()
		f(r)
		stop()
		r.must(r.sim.Close(t.Context()))
		_ = web.Close()
		_ = r.pipe.Close()
		time.Sleep(time.Minute)
	})
}

// open starts the worker.
func (r *rig) open() (stop func()) {
	ctx, gate, nc := r.Context(), r.server.Gate(r), r.server.Connect(r)
	limits := settings.Default().Streams
	limits.EventsBytes, limits.RunsBytes, limits.WakesBytes = 64<<20, 64<<20, 64<<20
	r.must(streams.Make(ctx, r.js, limits))
	keys, err := sealed.GenerateKeys()
	r.must(err)
	grants, err := connections.NewKeyring(bytes.Repeat([]byte{7}, 32))
	r.must(err)
	c := settings.Default()
	c.Zoom = settings.Zoom{OAuthURL: "http://sim", APIURL: "http://sim/v2", ForgetAfter: settings.Duration(forgetAfter)}
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(r.ear), zap.DebugLevel))
	transport := r.pipe.Transport()
	a, err := accounts.Open(ctx, nc, r.js, accounts.Config{Config: c, Keys: keys, Grants: grants, Gate: gate, Log: log, Transport: r.ear.Transport(transport)})
	r.must(err)
	r.orders, err = forget.Open(ctx, r.js, gate)
	r.must(err)
	api := zoomapi.New(zoomapi.Options{Token: a.Token, Renew: a.Renew, Transport: transport})
	registry, err := actions.NewRegistry(actionszoom.Actions(api)...)
	r.must(err)
	r.client, err = app.OpenOn(ctx, nc, app.ClientConfig{Known: app.Known(registry, nil), Gate: gate})
	r.must(err)
	r.desk = desk.NewClient(nc)
	r.listens(keys)
	waiters, err := waits.Open(ctx, r.js, gate)
	r.must(err)
	events, err := router.Open(ctx, r.js, gate, router.Stores{Waits: waiters, Wakes: r.client.Wakes}, log)
	r.must(err)
	_, problems, err := r.client.Catalog.Deploy(ctx, "flow.yaml", []byte(workflow))
	r.must(err)
	r.must(problems.Err())
	w := worker.New(worker.Config{NC: nc, Gate: gate, Catalog: r.client.Catalog, Router: events, Stores: r.client.Stores,
		Actions: registry, Keys: keys, Log: log, Outside: worker.Outside{Account: a.Account}})
	return run(w, func() {
		a.Close()
		transport.CloseIdleConnections()
	})
}

func run(w *worker.Worker, then func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Run(ctx) // it ends with ctx
	}()
	return func() {
		cancel()
		<-done
		then()
	}
}

// listens opens the ingest, and lets Zoom tell it of removals.
func (r *rig) listens(keys *sealed.Keys) {
	for _, a := range r.sim.Apps() {
		if a.Kind != zoomapi.KindUser {
			continue
		}
		r.account = a.AccountID
		r.wanted = connections.Wanted{Name: "lina", Kind: a.Kind, ClientID: a.ClientID, Secret: a.ClientSecret}
		_, err := r.sim.ChangeApp(a.ClientID, func(a *zoomsim.App) error {
			a.Deauthorization = "https://zflow.example/hooks/zoom/main"
			return nil
		})
		r.must(err)
		r.ingest, err = zoom.NewHandler(zoom.Config{Apps: []zoom.App{{Name: "main", Secrets: []string{a.SecretToken}}}, Key: keys.Public(), Publish: r.client.Publisher.Publish})
		r.must(err)
	}
}

// connect has somebody consent.
func (r *rig) connect() {
	r.Helper()
	begun, err := r.desk.Begin(r.Context(), desk.Begin{Wanted: r.wanted, Redirect: backTo})
	r.must(err)
	q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, begun.URL, nil)
	r.must(err)
	transport := r.pipe.Transport()
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(q)
	r.must(err)
	r.must(res.Body.Close())
	back, err := url.Parse(res.Header.Get("Location"))
	r.must(err)
	_, err = r.desk.Finish(r.Context(), connections.Answer{State: back.Query().Get("state"), Code: back.Query().Get("code")})
	r.must(err)
}

// happens lets an event of the account start a run, and returns how it ended.
func (r *rig) happens(id string) operator.Run {
	r.Helper()
	began := time.Now()
	_, err := r.client.Publisher.Publish(r.Context(), &proto.Event{ID: id, Type: "meeting.ended", Source: "zoom/main", Account: r.account,
		Origin: proto.FromWebhook, ContentType: "application/json", Time: began, ReceivedAt: began, Body: []byte(`{"event":"meeting.ended"}`)})
	r.must(err)
	var ended operator.Run
	r.until("the run of "+id+" ended", func() bool {
		all, err := r.client.Operator().Runs(r.Context(), operator.RunQuery{})
		r.must(err)
		for _, one := range all {
			if one.EventID == id && (one.Status == "completed" || one.Status == "failed") {
				ended = one
				return true
			}
		}
		return false
	})
	if took := time.Since(began); took > 30*time.Second {
		r.Errorf("the run of %s took %v", id, took)
	}
	return ended
}

// removed has the account remove the app, and waits until that is known.
func (r *rig) removed() {
	r.Helper()
	if gone := r.sim.Remove(zoomsim.Removal{App: r.wanted.ClientID}); len(gone) == 0 {
		r.Fatal("nothing was removed")
	}
	r.until("lina is revoked and the deletion ordered", func() bool {
		shown, err := r.desk.Show(r.Context(), "lina")
		r.must(err)
		_, ordered, err := r.orders.Order(r.Context(), r.account)
		r.must(err)
		return shown.State == connections.Revoked && ordered
	})
}

func (r *rig) held() (n uint64) {
	r.Helper()
	s, err := r.js.Stream(r.Context(), proto.Events)
	r.must(err)
	i, err := s.Info(r.Context(), jetstream.WithSubjectFilter("zflow.event.zoom."+proto.Token(r.account)+".>"))
	r.must(err)
	for _, count := range i.State.Subjects {
		n += count
	}
	return n
}

// An account removes the app at Zoom: runs that need it fail at once with one clear
// error, and go on when it is connected again, which keeps its data; else that is
// deleted when it is due, and counted. No secret can be read anywhere.
func TestDeauthorized(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	play(t, func(r *rig) {
		ctx := r.Context()
		r.connect()
		if first := r.happens("one"); first.Status != "completed" {
			r.Fatalf("%+v", first)
		}
		r.removed()
		failed := r.happens("two")
		for _, words := range []string{"connection lina: it was revoked on ", "the app was removed from the account at Zoom", "`zflow connect zoom lina`"} {
			if failed.Status != "failed" || failed.Error == nil || strings.Count(*failed.Error, words) != 1 {
				r.Errorf("%q is not once in what a run says that is %s: %v", words, failed.Status, failed.Error)
			}
		}
		r.connect()
		if _, ordered, err := r.orders.Order(ctx, r.account); ordered || err != nil {
			r.Errorf("it is connected again, and yet forgotten: %v", err)
		}
		_, err := r.client.Operator().Retry(ctx, operator.Retry{Run: failed.ID, By: "test"})
		r.must(err)
		r.until("the run went on", func() bool {
			shown, err := r.client.Operator().Show(ctx, failed.ID)
			return err == nil && shown.Status == "completed"
		})
		time.Sleep(forgetAfter + 5*time.Minute)
		if n := r.held(); n != 3 { // two of meetings, and what told of the removal
			r.Errorf("%d events are kept", n)
		}
		r.forgotten()
		for _, kind := range []string{"client secret", "code", "code_verifier", "refresh_token", "access_token"} {
			if r.ear.Kinds()[kind] == 0 {
				r.Errorf("no %s was seen: the search proves nothing", kind)
			}
		}
		r.ear.Nothing(r, r.dir)
	})
}

// forgotten removes the app for good.
func (r *rig) forgotten() {
	r.Helper()
	r.removed()
	time.Sleep(forgetAfter - 5*time.Minute)
	if n := r.held(); n != 4 {
		r.Errorf("%d events are kept until it is due", n)
	}
	time.Sleep(7 * time.Minute)
	o, _, err := r.orders.Order(r.Context(), r.account)
	if err != nil || o.Done.IsZero() || o.Events != 4 || o.Runs != 2 || r.held() != 0 {
		r.Errorf("%d events are left; %+v, %v", r.held(), o, err)
	}
	all, err := r.client.Operator().Runs(r.Context(), operator.RunQuery{})
	if len(all) != 0 || err != nil {
		r.Errorf("%d runs are left, %v", len(all), err)
	}
	if !r.ear.Heard(`"events":4,"runs":2`) {
		r.Error("the log does not say how many")
	}
}

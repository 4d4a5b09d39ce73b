package desk_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/internal/app/streams"
	"zflow/internal/ask"
	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/connections/eavesdrop"
	"zflow/internal/connections/forget"
	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
)

const backTo = "http://127.0.0.1:8765/oauth/callback"

// rig is a worker's desk, somebody who asks it, and somebody who listens.
type rig struct {
	*desk.Client
	t   *testing.T
	dir string
	nc  *nats.Conn
	sim *zoomsim.Sim
	web *httptest.Server
	ear *eavesdrop.Ear
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), sim: zoomsim.New(zoomsim.Options{})}
	r.web = httptest.NewServer(r.sim)
	t.Cleanup(r.web.Close)
	server := natstest.Start(t, natstest.Dir(r.dir))
	r.nc = server.Connect(t)
	r.Client = desk.NewClient(r.nc)
	if _, err := r.Show(t.Context(), "x"); !errors.Is(err, desk.ErrNoWorker) {
		t.Errorf("without a worker: %v", err)
	}
	r.ear = eavesdrop.On(t, server.Connect(t)) // to the server it is one who could answer
	js, gate := server.JetStream(t), server.Gate(t)
	r.must(streams.Make(t.Context(), js, settings.Streams{Replicas: 1, EventsBytes: 16 << 20, RunsBytes: 16 << 20, WakesBytes: 16 << 20}))
	sealing, err := sealed.GenerateKeys()
	r.must(err)
	grants, err := connections.NewKeyring(bytes.Repeat([]byte{7}, 32))
	r.must(err)
	store, err := connections.Open(t.Context(), js, connections.Options{Keys: grants, Gate: gate, Server: r.web.URL, Transport: r.ear.Transport(http.DefaultTransport)})
	r.must(err)
	t.Cleanup(store.Close)
	forgetter, err := forget.Open(t.Context(), js, gate)
	r.must(err)
	// On the connection of who asks: the server knows of it before it is asked.
	d, err := desk.Serve(r.nc, desk.Options{Store: store, Forget: forgetter, Keys: sealing, OAuth: r.web.URL, API: r.web.URL + "/v2"})
	r.must(err)
	t.Cleanup(d.Close)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) says(err error, words string) {
	r.t.Helper()
	if err == nil || !strings.Contains(err.Error(), words) {
		r.t.Errorf("%q is not in %v", words, err)
	}
	if err != nil {
		_, _ = r.ear.Write([]byte(err.Error()))
	}
}

// wants asks for a connection with an app of the simulator.
func (r *rig) wants(name, kind string) connections.Wanted {
	all := r.sim.Apps()
	a := all[slices.IndexFunc(all, func(a zoomsim.App) bool { return a.Kind == kind })]
	w := connections.Wanted{Name: name, Kind: kind, ClientID: a.ClientID, Secret: a.ClientSecret}
	if kind == zoomapi.KindServer {
		w.Account = a.AccountID
	}
	r.ear.Learn("client secret", a.ClientSecret)
	return w
}

// consent opens the page as a browser does.
func (r *rig) consent(page string) connections.Answer {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, page, nil)
	r.must(err)
	res, err := http.DefaultTransport.RoundTrip(q)
	r.must(err)
	r.must(res.Body.Close())
	back, err := url.Parse(res.Header.Get("Location"))
	r.must(err)
	return connections.Answer{State: back.Query().Get("state"), Code: back.Query().Get("code"), Error: back.Query().Get("error")}
}

// Each verb does its work, and nobody who listens on the wire or reads the store's
// files learns a secret.
func TestDesk(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	record, err := r.Connect(ctx, r.wants("school", zoomapi.KindServer))
	r.must(err)
	if record.State != connections.Connected || record.Account == "" || len(record.Grant) > 0 {
		t.Errorf("connected: %+v", record)
	}
	r.person(ctx)
	r.device(ctx)
	all, err := r.List(ctx)
	if len(all) != 3 || err != nil || slices.ContainsFunc(all, func(c connections.Record) bool { return len(c.Grant) > 0 }) {
		t.Errorf("listed %+v, %v", all, err)
	}
	if shown, err := r.Show(ctx, "lina"); err != nil || shown.Kind != zoomapi.KindUser || len(shown.Grant) > 0 {
		t.Errorf("shown %+v, %v", shown, err)
	}
	if _, err = r.Client.Test(ctx, "lina"); err != nil {
		t.Error(err)
	}
	done, err := r.Forget(ctx, desk.Forget{Name: "school"})
	if err != nil || done.Done.IsZero() || done.Account != record.Account {
		t.Errorf("forgot %+v, %v", done, err)
	}
	if e, err := r.Revoke(ctx, "lina"); err != nil || e.Told != "" || e.Name != "lina" {
		t.Errorf("revoked %+v, %v", e, err)
	}
	if shown, err := r.Show(ctx, "lina"); err != nil || shown.State != connections.Revoked {
		t.Errorf("shown %+v, %v", shown, err)
	}
	if e, err := r.Delete(ctx, "tv"); err != nil || e.Told != "" {
		t.Errorf("deleted %+v, %v", e, err)
	}
	_, err = r.Show(ctx, "tv")
	r.says(err, `there is no connection "tv"`)
	r.hidden()
}

// person connects somebody by a browser.
func (r *rig) person(ctx context.Context) {
	r.t.Helper()
	w := r.wants("lina", zoomapi.KindUser)
	_, err := r.Begin(ctx, desk.Begin{Wanted: w})
	r.says(err, "there is no call-back address")
	begun, err := r.Begin(ctx, desk.Begin{Wanted: w, Redirect: backTo})
	r.must(err)
	answer := r.consent(begun.URL)
	if record, err := r.Finish(ctx, answer); err != nil || record.State != connections.Connected || len(record.Scopes) == 0 {
		r.t.Errorf("finished: %+v, %v", record, err)
	}
	_, err = r.Finish(ctx, answer)
	r.says(err, "used already")
}

// device connects somebody who types a code in elsewhere.
func (r *rig) device(ctx context.Context) {
	r.t.Helper()
	slow, err := r.Begin(ctx, desk.Begin{Wanted: r.wants("tv", zoomapi.KindAdmin), Device: true})
	r.must(err)
	if p, err := r.Poll(ctx, slow.State); err != nil || p.Record != nil || p.Again <= 0 {
		r.t.Errorf("polled %+v, %v", p, err)
	}
	begun, err := r.Begin(ctx, desk.Begin{Wanted: r.wants("tv", zoomapi.KindAdmin), Device: true})
	r.must(err)
	r.must(r.sim.Approve(zoomsim.Approval{UserCode: begun.UserCode}))
	if p, err := r.Poll(ctx, begun.State); err != nil || p.Record == nil || p.Record.Name != "tv" {
		r.t.Errorf("polled %+v, %v", p, err)
	}
}

// hidden looks for each kind of secret everywhere.
func (r *rig) hidden() {
	r.t.Helper()
	for _, kind := range []string{"client secret", "code", "code_verifier", "refresh_token", "access_token", "device_code"} {
		if r.ear.Kinds()[kind] == 0 {
			r.t.Errorf("no %s was seen: the search proves nothing (%v)", kind, r.ear.Kinds())
		}
	}
	if !r.ear.Heard("zflow.connection.connect") || !r.ear.Heard("$KV.") {
		r.t.Error("nobody listened: the search proves nothing")
	}
	r.ear.Nothing(r.t, r.dir)
}

// What cannot be asked is said in words.
func TestBadRequests(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := ask.Call[any](ctx, r.nc, "zflow.connection.fetch", struct{}{})
	r.says(err, `the worker knows no request "fetch"`)
	_, err = ask.Call[any](ctx, r.nc, "zflow.connection.show", "text")
	r.says(err, "not one of this version")
	_, err = ask.Call[any](ctx, r.nc, "zflow.connection.finish", connections.Answer{State: "x", Code: "plain"})
	r.says(err, "this state is of no authorization")
	w := r.wants("school", zoomapi.KindServer)
	w.Secret = "wrong-client-secret"
	_, err = r.Connect(ctx, w)
	r.says(err, "school")
	_, err = r.Forget(ctx, desk.Forget{})
	r.says(err, "no connection")
	r.ear.Learn("client secret", w.Secret)
	r.ear.Nothing(t, r.dir)
}

// A request ends with its context.
func TestCanceled(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := r.List(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// Package late_test proves that what arrives late does no harm.
package late_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/actions"
	webrequest "zflow/actions/http"
	"zflow/actions/log"
	"zflow/engine"
	"zflow/engine/history"
	"zflow/engine/router"
	"zflow/engine/waits"
	"zflow/engine/worker"
	"zflow/internal/app"
	"zflow/internal/app/streams"
	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
	"zflow/proto"
	"zflow/sources/zoom"
	"zflow/sources/zoom/reconcile"
)

// rig is a Zoom whose deliveries go wrong, an ingest, workers and a reconciler, in
// a bubble; and a store of states outside of it.
type rig struct {
	t       *testing.T
	server  *natstest.Server
	sim     *zoomsim.Sim
	keys    *sealed.Keys
	ingest  *zoom.Handler
	client  *app.Client
	compare *reconcile.Reconciler
	store   *store

	injected int // by comparing
}

func play(t *testing.T, s *store, f func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := &rig{t: t, server: natstest.Start(t, natstest.Flusher(durable.FlusherOptions{Sweep: day, Reserve: 1})), store: s}
		var err error
		r.keys, err = sealed.GenerateKeys()
		r.must(err)
		r.must(streams.Make(t.Context(), r.server.JetStream(t), settings.Streams{
			Replicas: 1, EventsAge: settings.Duration(30 * day), EventsBytes: 64 << 20, RunsAge: settings.Duration(30 * day), RunsBytes: 64 << 20, WakesBytes: 64 << 20,
		}))
		r.client, err = app.OpenOn(t.Context(), r.server.Connect(t), app.ClientConfig{Known: app.Known(r.actions(), nil)})
		r.must(err)
		defer r.zoom()()
		f(r)
	})
}

const day = 24 * time.Hour

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// zoom starts a Zoom that sends to an ingest, and what compares with its log.
func (r *rig) zoom() (end func()) {
	pipe := zoomsim.NewPipe()
	r.sim = zoomsim.New(zoomsim.Options{Client: r})
	server := &http.Server{Handler: r.sim}
	go func() { _ = server.Serve(pipe) }()
	a, transport := r.sim.Apps()[0], pipe.Transport()
	var err error
	r.ingest, err = zoom.NewHandler(zoom.Config{Apps: []zoom.App{{Name: "main", Secrets: []string{a.SecretToken}}}, Key: r.keys.Public(), Publish: r.client.Publisher.Publish})
	r.must(err)
	api := zoomapi.New(zoomapi.Options{Transport: transport, Base: "http://zoom.example/v2", Token: func(context.Context, string, string) (zoomapi.Token, error) {
		return zoomapi.Token{Access: r.sim.NewToken(), Connection: "school", Account: a.AccountID}, nil
	}})
	stream, err := r.client.JS.Stream(r.t.Context(), proto.Events)
	r.must(err)
	r.compare = reconcile.New(reconcile.Config{App: "main", AppID: a.ClientID, Connection: "school", Account: a.AccountID, Call: api.Do,
		Publish: r.client.Publisher.Publish, Stream: stream, Key: r.keys.Public()})
	_, err = r.sim.Subscribe(r.t.Context(), zoomsim.Subscription{URL: "https://zflow.example/hooks/zoom/main"})
	r.must(err)
	return func() {
		r.must(r.sim.Close(context.Background()))
		_ = server.Close()
		_ = pipe.Close()
		transport.CloseIdleConnections()
		time.Sleep(time.Minute)
	}
}

// RoundTrip delivers what Zoom sends.
func (r *rig) RoundTrip(q *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r.ingest.ServeHTTP(w, q)
	return w.Result(), nil
}

// slow is how long a request to the store takes.
const slow = 10 * time.Second

// actions are the real ones; requests take their time, as those of runs that would
// overlap do.
func (r *rig) actions() *actions.Registry {
	requests, err := webrequest.New(webrequest.Options{Allow: []string{r.store.address}})
	r.must(err)
	a := *requests.Action()
	do := a.Do
	a.Do = func(ctx context.Context, c actions.Call) (actions.Result, error) {
		select {
		case <-time.After(slow):
			return do(ctx, c)
		case <-ctx.Done():
			return actions.Result{}, actions.Unknown("%s", ctx.Err())
		}
	}
	all, err := actions.NewRegistry(&a, log.Action())
	r.must(err)
	return all
}

// line is a worker's way to the server, to be cut as by the death of its process.
type line struct {
	net.Conn
	server *natstest.Server
}

func (l *line) InProcessConn() (_ net.Conn, err error) {
	l.Conn, err = l.server.InProcessConn()
	return l.Conn, err
}

// hand is a running worker.
type hand struct{ stop, kill func() }

func (r *rig) worker() hand {
	way := &line{server: r.server}
	nc := r.server.Connect(r.t, nats.InProcessServer(way), nats.NoReconnect())
	gate := natstest.Gate(r.t, nc)
	c, err := app.OpenOn(r.t.Context(), nc, app.ClientConfig{Known: app.Known(r.actions(), nil), Gate: gate})
	r.must(err)
	w := worker.New(worker.Config{NC: nc, Gate: gate, Catalog: c.Catalog, Router: r.router(c, gate), Stores: c.Stores, Actions: c.Known.Actions, Keys: r.keys, Log: zap.NewNop()})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Run(ctx) // one that is killed says so
	}()
	h := hand{stop: func() { cancel(); <-done }}
	h.kill = func() {
		_ = way.Conn.Close()
		nc.Close()
		w.Drain = time.Millisecond
		h.stop()
	}
	r.t.Cleanup(h.stop)
	return h
}

func (r *rig) router(c *app.Client, gate *durable.Gate) *router.Router {
	waiters, err := waits.Open(r.t.Context(), c.JS, gate)
	r.must(err)
	events, err := router.Open(r.t.Context(), c.JS, gate, router.Stores{Waits: waiters, Wakes: c.Wakes}, zap.NewNop())
	r.must(err)
	return events
}

func (r *rig) deploy(yaml string) {
	r.t.Helper()
	if _, problems, err := r.client.Catalog.Deploy(r.t.Context(), "test.yaml", []byte(yaml)); err != nil {
		r.t.Fatalf("deploying: %v\n%v", err, problems)
	}
}

// runs returns all runs of a workflow by id.
func (r *rig) runs(workflow string) map[string]*engine.Run {
	r.t.Helper()
	all := map[string]*engine.Run{}
	r.must(r.client.History.Heads(r.t.Context(), workflow, nil, func(h history.Head) error {
		all[h.Run] = engine.NewRun(h.Run)
		return nil
	}))
	for id, run := range all {
		h, err := r.client.History.Load(r.t.Context(), workflow, id)
		r.must(err)
		r.must(run.Replay(h.Appends))
	}
	return all
}

// held returns the events in EVENTS, as meeting and type, and how often each is there.
func (r *rig) held() map[string]int {
	r.t.Helper()
	stream, err := r.client.JS.Stream(r.t.Context(), proto.Events)
	r.must(err)
	all, state := map[string]int{}, stream.CachedInfo().State
	for seq := state.FirstSeq; seq <= state.LastSeq; seq++ {
		m, err := stream.GetMsg(r.t.Context(), seq)
		r.must(err)
		all[r.nameOf(m)]++
	}
	return all
}

func (r *rig) nameOf(m *jetstream.RawStreamMsg) string {
	r.t.Helper()
	e, err := proto.ReadEvent(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
	r.must(err)
	var body struct {
		TS      int64 `json:"event_ts"`
		Payload struct{ Object struct{ UUID string } }
	}
	r.must(json.Unmarshal(e.Body, &body))
	return occurrence{body.Payload.Object.UUID, e.Type, body.TS}.String()
}

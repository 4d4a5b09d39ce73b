package reconcile_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom"
	"zflow/sources/zoom/reconcile"

	"github.com/nats-io/nats.go/jetstream"
)

const secret = "secret-of-the-app"

// rig is a Zoom, an ingest and EVENTS, in a bubble.
type rig struct {
	server *natstest.Server
	js     jetstream.JetStream
	sim    *zoomsim.Sim
	app    zoomsim.App
	api    *zoomapi.Client
	keys   *sealed.Keys
	ingest atomic.Pointer[zoom.Handler] // nil: it is down
}

func play(t *testing.T, limits sources.Limits, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := &rig{server: natstest.Start(t)}
		r.js = r.server.JetStream(t)
		must(t, sources.Create(t.Context(), r.js, limits))
		var err error
		r.keys, err = sealed.GenerateKeys()
		must(t, err)
		pipe := zoomsim.NewPipe()
		r.sim = zoomsim.New(zoomsim.Options{Client: r, Apps: []zoomsim.App{{SecretToken: secret}}})
		server := &http.Server{Handler: r.sim}
		go func() { _ = server.Serve(pipe) }()
		r.app = r.sim.Apps()[0]
		transport := pipe.Transport()
		r.api = zoomapi.New(zoomapi.Options{Transport: transport, Base: "http://zoom.example/v2", Token: func(context.Context, string, string) (zoomapi.Token, error) {
			return zoomapi.Token{Access: r.sim.NewToken(), Connection: "school", Account: r.app.AccountID}, nil
		}})
		r.start(t)
		_, err = r.sim.Subscribe(t.Context(), zoomsim.Subscription{URL: "https://zflow.example/hooks/zoom/main"})
		must(t, err)
		f(t, r)
		must(t, r.sim.Close(t.Context()))
		_ = server.Close()
		_ = pipe.Close()
		transport.CloseIdleConnections()
		time.Sleep(time.Minute)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start starts ingest anew.
func (r *rig) start(t *testing.T) {
	t.Helper()
	p := sources.NewPublisher(r.js, r.server.Gate(t))
	h, err := zoom.NewHandler(zoom.Config{Apps: []zoom.App{{Name: "main", Secrets: []string{secret}}}, Key: r.keys.Public(), Publish: p.Publish})
	must(t, err)
	r.ingest.Store(h)
}

// RoundTrip delivers what Zoom sends.
func (r *rig) RoundTrip(q *http.Request) (*http.Response, error) {
	h := r.ingest.Load()
	if h == nil {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return w.Result(), nil
}

func (r *rig) reconciler(t *testing.T, change ...func(*reconcile.Config)) *reconcile.Reconciler {
	t.Helper()
	stream, err := r.js.Stream(t.Context(), proto.Events)
	must(t, err)
	c := reconcile.Config{App: "main", AppID: r.app.ClientID, Connection: "school", Account: r.app.AccountID, Call: r.api.Do,
		Publish: sources.NewPublisher(r.js, r.server.Gate(t)).Publish, Stream: stream, Key: r.keys.Public()}
	for _, f := range change {
		f(&c)
	}
	return reconcile.New(c)
}

func (r *rig) run(t *testing.T, want reconcile.Want) reconcile.Report {
	t.Helper()
	report, err := r.reconciler(t).Run(t.Context(), want)
	must(t, err)
	return report
}

func (r *rig) happen(t *testing.T, kind string) zoomsim.Happened {
	t.Helper()
	h, err := r.sim.Happen(zoomsim.Event{Type: kind})
	must(t, err)
	return h
}

// events returns what EVENTS holds, by id.
func (r *rig) events(t *testing.T) map[string][]*proto.Event {
	t.Helper()
	stream, err := r.js.Stream(t.Context(), proto.Events)
	must(t, err)
	all := map[string][]*proto.Event{}
	state := stream.CachedInfo().State
	for seq := state.FirstSeq; seq <= state.LastSeq; seq++ {
		m, err := stream.GetMsg(t.Context(), seq)
		must(t, err)
		e, err := proto.ReadEvent(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
		must(t, err)
		all[e.ID] = append(all[e.ID], e)
	}
	return all
}

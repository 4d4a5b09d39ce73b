package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/definition"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/wakes"
	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/proto"
	"zflow/sources"
)

func TestMain(m *testing.M) {
	ats.Register() // before any bubble
	code := m.Run()
	ats.Unregister()
	os.Exit(code)
}

// call is an entry of the outside world's ledger.
type call struct {
	action, run, step string
	input             map[string]any
	at                time.Time
	sealed            string
}

// world is what the actions of a test call: it keeps a ledger and does as it is told.
type world struct {
	mu      sync.Mutex
	calls   []call
	answer  func(n int, c actions.Call) (actions.Result, error) // of test.write and test.read; nil: {n}
	found   bool                                                // what a probe finds
	started chan struct{}                                       // not nil: gets a token as each call begins
}

func (w *world) do(name string) func(context.Context, actions.Call) (actions.Result, error) {
	return func(_ context.Context, c actions.Call) (actions.Result, error) {
		w.mu.Lock()
		w.calls = append(w.calls, call{action: name, step: c.Key, input: c.Input, at: time.Now()})
		n, answer, started := len(w.calls), w.answer, w.started
		w.mu.Unlock()
		if started != nil {
			started <- struct{}{}
		}
		if answer != nil {
			return answer(n, c)
		}
		return actions.Result{Output: map[string]any{"n": int64(n)}}, nil
	}
}

func (w *world) ledger() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]call(nil), w.calls...)
}

func (w *world) registry(t testing.TB) *actions.Registry {
	open := actions.Schema{Type: "object", Open: true}
	spec := func(name string, e actions.Effect) actions.Spec {
		return actions.Spec{Name: name, Summary: "Counts.", Input: open, Output: open, Effect: e, Secret: []string{"token"}}
	}
	probed := &actions.Action{Spec: spec("test.probed", actions.Write), Do: w.do("test.probed"),
		Probe: func(context.Context, actions.Call) (bool, actions.Result, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.found, actions.Result{Output: map[string]any{"probed": true}}, nil
		}}
	r, err := actions.NewRegistry(probed,
		&actions.Action{Spec: spec("test.write", actions.Write), Do: w.do("test.write")},
		&actions.Action{Spec: spec("test.put", actions.Idempotent), Do: w.do("test.put")},
		&actions.Action{Spec: spec("test.read", actions.Read), Do: w.do("test.read")})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rig is a server with workflows, and workers on it.
type rig struct {
	t       testing.TB
	server  *natstest.Server
	world   *world
	keys    *sealed.Keys
	js      jetstream.JetStream
	catalog *catalog.Catalog
	history *history.Store
	wakes   *wakes.Store
	publish *sources.Publisher
}

func newRig(t testing.TB, opts ...natstest.Option) *rig {
	t.Helper()
	keys, err := sealed.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, server: natstest.Start(t, opts...), world: &world{}, keys: keys}
	r.open()
	return r
}

// open makes the streams and opens the stores; again after a restart.
func (r *rig) open() {
	ctx := context.Background()
	r.js = r.server.JetStream(r.t)
	gate := r.server.Gate(r.t)
	r.must(sources.Create(ctx, r.js, sources.Limits{MaxBytes: 1 << 28}))
	r.must(history.Create(ctx, r.js, history.Limits{Bytes: 1 << 28}))
	r.must(wakes.Create(ctx, r.js, 1, 1<<28))
	r.must(leases.Create(ctx, r.js, 1))
	r.must(blobs.Create(ctx, r.js, 30*24*time.Hour, 1))
	r.must(catalog.Create(ctx, r.js, 1))
	s := r.stores(r.js, gate)
	r.history, r.wakes = s.History, s.Wakes
	r.catalog = r.openCatalog(r.js, gate)
	r.publish = sources.NewPublisher(r.js, gate)
}

func (r *rig) openCatalog(js jetstream.JetStream, gate *durable.Gate) *catalog.Catalog {
	c, err := catalog.Open(context.Background(), js, gate, definition.Known{Actions: r.world.registry(r.t)})
	r.must(err)
	return c
}

func (r *rig) stores(js jetstream.JetStream, gate *durable.Gate) (s Stores) {
	ctx := context.Background()
	var err error
	s.History, err = history.Open(ctx, js, gate)
	r.must(err)
	s.Wakes, err = wakes.Open(ctx, js, gate)
	r.must(err)
	s.Leases, err = leases.Open(ctx, js)
	r.must(err)
	s.Blobs, err = blobs.Open(ctx, js, gate)
	r.must(err)
	return s
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// deploy deploys a workflow; $ stands for $.
func (r *rig) deploy(yaml string) {
	r.t.Helper()
	_, problems, err := r.catalog.Deploy(context.Background(), "test.yaml", []byte(yaml))
	if err != nil {
		r.t.Fatalf("deploying: %v\n%v", err, problems)
	}
}

// hand is a running worker.
type hand struct {
	*Worker
	nc   *nats.Conn
	stop func() // drains
	kill func() // cuts it off, as a dead process is
}

// start runs a worker with a connection of its own.
func (r *rig) start(change ...func(*Config)) *hand {
	r.t.Helper()
	nc := r.server.Connect(r.t)
	gate := natstest.Gate(r.t, nc)
	js := natstest.JetStream(r.t, nc)
	c := Config{NC: nc, Gate: gate, Catalog: r.openCatalog(js, gate), Stores: r.stores(js, gate), Actions: r.world.registry(r.t),
		Keys: r.keys, Secrets: map[string]string{"slack": "xoxb-secret"}, Log: zap.NewNop()}
	for _, f := range change {
		f(&c)
	}
	h := &hand{Worker: New(c), nc: nc}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Run(ctx); err != nil {
			r.t.Errorf("worker: %v", err)
		}
	}()
	h.stop = func() { cancel(); <-done }
	h.kill = func() { nc.Close(); cancel() }
	r.t.Cleanup(h.stop)
	return h
}

// event publishes a meeting.ended and returns its id.
func (r *rig) event(n int, object map[string]any) string {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"event": "meeting.ended", "payload": map[string]any{"account_id": "acct", "object": object}})
	r.must(err)
	id := proto.EventID("default", "meeting.ended", fmt.Sprint(n))
	_, err = r.publish.Publish(context.Background(), &proto.Event{ID: id, Type: "meeting.ended", Source: "zoom/default", Account: "acct",
		Origin: proto.FromTest, Time: time.Now(), ReceivedAt: time.Now(), ContentType: "application/json", Body: body})
	r.must(err)
	return id
}

// run returns the run of a workflow for an event, as its history has it.
func (r *rig) run(workflow, event string) *engine.Run {
	r.t.Helper()
	h, err := r.history.Load(context.Background(), workflow, proto.RunID(workflow, event))
	r.must(err)
	run := engine.NewRun(proto.RunID(workflow, event))
	r.must(run.Replay(h.Appends))
	return run
}

// until waits until a run is in a state.
func (r *rig) until(workflow, event string, state engine.State) *engine.Run {
	r.t.Helper()
	sub := r.watch(workflow, event)
	for {
		if run := r.run(workflow, event); run.State == state {
			return run
		} else if run.State.Ended() {
			r.t.Fatalf("the run is %s, not %s: %v", run.State, state, run.End)
		}
		if _, err := sub.NextMsg(time.Hour); err != nil {
			r.t.Fatalf("the run is %s, not %s: %v", r.run(workflow, event).State, state, err)
		}
	}
}

// watch subscribes to a run's appends: a hint to look again.
func (r *rig) watch(workflow, event string) *nats.Subscription {
	sub, err := r.js.Conn().SubscribeSync(proto.RunFilter(workflow, proto.RunID(workflow, event)))
	r.must(err)
	r.must(r.js.Conn().Flush())
	return sub
}

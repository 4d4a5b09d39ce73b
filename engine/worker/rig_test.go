package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/definition"
	"zflow/engine/gates"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/router"
	"zflow/engine/tick"
	"zflow/engine/waits"
	"zflow/engine/wakes"
	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
)

// rig is a server with workflows, and workers on it.
type rig struct {
	t       testing.TB
	leap    func(time.Duration) // sleeps at less cost, while nobody works
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
	leap := natstest.VirtualTime(t).Leap
	r := &rig{t: t, leap: leap, server: natstest.Start(t, opts...), world: &world{}, keys: keys}
	r.create(30 * 24 * time.Hour)
	r.open()
	return r
}

// create makes the streams and buckets.
func (r *rig) create(age time.Duration) {
	ctx, js := context.Background(), r.server.JetStream(r.t)
	r.must(sources.Create(ctx, js, sources.Limits{MaxBytes: 1 << 28}))
	r.must(history.Create(ctx, js, history.Limits{Bytes: 1 << 28, Age: age}))
	r.must(wakes.Create(ctx, js, 1, 1<<28))
	r.must(leases.Create(ctx, js, 1))
	r.must(gates.Create(ctx, js, 1))
	r.must(waits.Create(ctx, js, 1))
	r.must(router.Create(ctx, js))
	r.must(blobs.Create(ctx, js, age, 1))
	r.must(catalog.Create(ctx, js, 1))
	r.must(tick.Create(ctx, js, 1))
}

// open opens the stores; again after a change of limits.
func (r *rig) open() {
	r.js = r.server.JetStream(r.t)
	gate := r.server.Gate(r.t)
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
	s.Gates, err = gates.Open(ctx, js, gate)
	r.must(err)
	s.Blobs, err = blobs.Open(ctx, js, gate)
	r.must(err)
	s.Ticks, err = tick.Open(ctx, js, gate)
	r.must(err)
	events := sources.NewPublisher(js, gate)
	s.Publish = func(ctx context.Context, e *proto.Event) error { _, err := events.Publish(ctx, e); return err }
	return s
}

func (r *rig) router(js jetstream.JetStream, gate *durable.Gate, s Stores) *router.Router {
	waiters, err := waits.Open(context.Background(), js, gate)
	r.must(err)
	events, err := router.Open(context.Background(), js, gate, router.Stores{Waits: waiters, Wakes: s.Wakes}, zap.NewNop())
	r.must(err)
	return events
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// deploy deploys a workflow.
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
	line *line
	stop func() // drains
	kill func() // cuts it off for good, as a dead process is
}

// secrets are what the worker has, as runs see them.
func (r *rig) secrets() func() map[string]any {
	sealed := map[string]any{"slack": r.keys.Public().Seal(secret)}
	return func() map[string]any { return sealed }
}

// start runs a worker with a connection of its own.
func (r *rig) start(change ...func(*Config)) *hand {
	r.t.Helper()
	h := &hand{line: &line{server: r.server}}
	nc := r.server.Connect(r.t, nats.InProcessServer(h.line))
	gate := natstest.Gate(r.t, nc)
	js := natstest.JetStream(r.t, nc)
	c := Config{NC: nc, Gate: gate, Catalog: r.openCatalog(js, gate), Stores: r.stores(js, gate), Actions: r.world.registry(r.t),
		Keys: r.keys, Secrets: r.secrets(), Log: zap.NewNop()}
	if testing.Verbose() {
		c.Log = logger()
	}
	c.Router = r.router(js, gate, c.Stores)
	for _, f := range change {
		f(&c)
	}
	h.Worker = New(c)
	if c.Alone {
		if err := h.TakeAll(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Run(ctx); err != nil && ctx.Err() == nil { // one that is stopped at once may not have begun
			r.t.Errorf("worker: %v", err)
		}
	}()
	h.stop = func() { cancel(); <-done }
	h.kill = func() {
		h.line.cut()
		nc.Close()
		h.Drain = time.Millisecond // its calls end with it
		cancel()
	}
	r.t.Cleanup(h.stop)
	return h
}

func logger() *zap.Logger {
	c := zap.NewDevelopmentConfig()
	c.DisableStacktrace, c.DisableCaller = true, true
	l, err := c.Build()
	if err != nil {
		return zap.NewNop()
	}
	return l
}

const secret = "xoxb-very-secret"

// event publishes a meeting.ended and returns its id.
func (r *rig) event(n int, object map[string]any) string {
	e := r.eventOf(n, object)
	for { // as a source does: again until it is durable
		if _, err := r.publish.Publish(context.Background(), e); err == nil {
			return e.ID
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func (r *rig) eventOf(n int, object map[string]any) *proto.Event {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"event": "meeting.ended", "payload": map[string]any{"account_id": "acct", "object": object}})
	r.must(err)
	return &proto.Event{ID: proto.EventID("default", "meeting.ended", fmt.Sprint(n)), Type: "meeting.ended", Source: "zoom/default", Account: "acct",
		Origin: proto.FromTest, Time: time.Now(), ReceivedAt: time.Now(), ContentType: "application/json", Body: body}
}

// command sends an order to a run.
func (r *rig) command(workflow, event string, c *v1.Command) {
	r.t.Helper()
	r.must(r.tryCommand(workflow, event, c))
}

func (r *rig) tryCommand(workflow, event string, c *v1.Command) error {
	return r.wakes.Command(context.Background(), workflow, proto.RunID(workflow, event), c)
}

func (r *rig) load(workflow, event string) (*history.History, error) {
	return r.history.Load(context.Background(), workflow, proto.RunID(workflow, event))
}

// run returns the run of a workflow for an event, as its history has it.
func (r *rig) run(workflow, event string) *engine.Run {
	r.t.Helper()
	h, err := r.load(workflow, event)
	r.must(err)
	return r.replay(workflow, event, h)
}

func (r *rig) replay(workflow, event string, h *history.History) *engine.Run {
	r.t.Helper()
	run := engine.NewRun(proto.RunID(workflow, event))
	r.must(run.Replay(h.Appends))
	return run
}

// patience is how long, in virtual time, a test waits for what must come.
const patience = 10 * time.Minute

// until waits until a run is in a state.
func (r *rig) until(workflow, event string, state engine.State) *engine.Run {
	r.t.Helper()
	return r.when(workflow, event, string(state), func(run *engine.Run) bool { return run.State == state })
}

// when waits until a run is as it should be.
func (r *rig) when(workflow, event, what string, is func(*engine.Run) bool) *engine.Run {
	r.t.Helper()
	for begun := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		h, err := r.load(workflow, event)
		if err != nil && time.Since(begun) < patience {
			continue // the broker is away
		}
		r.must(err)
		run := r.replay(workflow, event, h)
		switch {
		case is(run):
			return run
		case run.State.Ended(), time.Since(begun) > patience:
			r.t.Fatalf("the run is %s, not %s: %v\n%s", run.State, what, run.End, r.facts(workflow, event))
		}
	}
}

// facts tells a history in short, one append a line.
func (r *rig) facts(workflow, event string) string {
	r.t.Helper()
	h, err := r.load(workflow, event)
	r.must(err)
	var b strings.Builder
	for _, a := range h.Appends {
		for i, f := range a.Facts {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strings.TrimSpace(engine.Kind(f) + " " + f.Step))
			if s := f.GetStepStarted(); s != nil {
				fmt.Fprintf(&b, " %d", s.Attempt)
				if s.Again {
					b.WriteString(" again")
				}
			}
			if s := f.GetStepFailed(); s != nil {
				fmt.Fprintf(&b, " %d %s %s", s.Attempt, s.Class, s.Next)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// tells checks a history against what facts should say.
func (r *rig) tells(workflow, event string, want ...string) {
	r.t.Helper()
	if got := strings.TrimSpace(r.facts(workflow, event)); got != strings.Join(want, "\n") {
		r.t.Errorf("the history is\n%s\nnot\n%s", got, strings.Join(want, "\n"))
	}
}

// count is what the workers have counted together.
func count(name string, hands ...*hand) (n uint64) {
	for _, h := range hands {
		for c, v := range h.Counts() {
			if c.Name == name {
				n += v
			}
		}
	}
	return n
}

// bubble runs a test in virtual time on a rig of its own.
func bubble(t *testing.T, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newRig(t)) })
}

// eventAgain publishes an event as if the server's duplicate window had passed.
func (r *rig) eventAgain(n int, object map[string]any) string {
	r.t.Helper()
	r.must(r.tryEventAgain(n, object))
	return r.eventOf(n, object).ID
}

func (r *rig) tryEventAgain(n int, object map[string]any) error {
	e := r.eventOf(n, object)
	subject, header := e.Wire()
	delete(header, nats.MsgIdHdr)
	_, err := r.js.PublishMsg(context.Background(), &nats.Msg{Subject: subject, Header: header, Data: e.Body})
	return err
}

// acked waits until a workflow's consumer has nothing left.
func (r *rig) acked(workflow string) {
	r.t.Helper()
	c, err := r.js.Consumer(context.Background(), proto.Events, workflow)
	r.must(err)
	for begun := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		i, err := c.Info(context.Background())
		r.must(err)
		if i.NumPending == 0 && i.NumAckPending == 0 {
			return
		}
		if time.Since(begun) > time.Minute {
			r.t.Fatalf("%d events wait for %s, %d for an ack", i.NumPending, workflow, i.NumAckPending)
		}
	}
}

// drained waits until no wake, command or timer is left.
func (r *rig) drained() {
	r.t.Helper()
	for begun := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		s, err := r.js.Stream(context.Background(), proto.Wakes)
		r.must(err)
		i, err := s.Info(context.Background(), jetstream.WithSubjectFilter(">"))
		r.must(err)
		if i.State.Msgs == 0 {
			return
		}
		if time.Since(begun) > time.Minute {
			r.t.Fatalf("left in WAKES: %v", i.State.Subjects)
		}
	}
}

// Package operatortest is a real server with all that zflow keeps on it, and no
// worker, for the tests of what a person asks and orders.
package operatortest

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/actions"
	"zflow/actions/log"
	"zflow/engine"
	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/definition"
	"zflow/engine/gates"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/router"
	"zflow/engine/waits"
	"zflow/engine/wakes"
	"zflow/internal/connections"
	"zflow/internal/natstest"
	"zflow/internal/operator"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
)

// House is the server, and an operator of it.
type House struct {
	*operator.Operator
	Server *natstest.Server
	t      testing.TB
}

// New starts one.
func New(t testing.TB) *House {
	t.Helper()
	h := &House{Server: natstest.Start(t), t: t}
	js, gate, ctx := h.Server.JetStream(t), h.Server.Gate(t), context.Background()
	for _, err := range []error{
		sources.Create(ctx, js, sources.Limits{MaxBytes: 1 << 28}), history.Create(ctx, js, history.Limits{Bytes: 1 << 28}),
		wakes.Create(ctx, js, 1, 1<<28), leases.Create(ctx, js, 1), router.Create(ctx, js), blobs.Create(ctx, js, 30*24*time.Hour, 1), catalog.Create(ctx, js, 1),
		waits.Create(ctx, js, 1), gates.Create(ctx, js, 1), connections.Create(ctx, js, 1),
	} {
		h.Must(err)
	}
	registry, err := actions.NewRegistry(log.Action())
	h.Must(err)
	a := operator.Access{NC: js.Conn(), JS: js, Publisher: sources.NewPublisher(js, gate)}
	a.Catalog, err = catalog.Open(ctx, js, gate, definition.Known{Actions: registry})
	h.Must(err)
	a.History, err = history.Open(ctx, js, gate)
	h.Must(err)
	a.Wakes, err = wakes.Open(ctx, js, gate)
	h.Must(err)
	a.Blobs, err = blobs.Open(ctx, js, gate)
	h.Must(err)
	h.Operator = operator.New(a)
	return h
}

// Must ends the test on an error.
func (h *House) Must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// Deploy deploys a workflow and returns its version.
func (h *House) Deploy(src string) string {
	h.t.Helper()
	d, problems, err := h.Catalog.Deploy(context.Background(), "flow.yaml", []byte(src))
	if err != nil {
		h.t.Fatalf("deploying: %v %v", err, problems)
	}
	return d.Version
}

// Event stores the nth event of a type with a body.
func (h *House) Event(kind string, n int, body string) *proto.Event {
	h.t.Helper()
	now := time.Now()
	e := &proto.Event{ID: proto.EventID("default", kind, strconv.Itoa(n)), Type: kind, Source: "zoom/default", Account: "acct",
		Origin: proto.FromTest, Time: now, ReceivedAt: now, ContentType: "application/json", Body: []byte(body)}
	ack, err := h.Publisher.Publish(context.Background(), e)
	h.Must(err)
	e.Sequence = ack.Sequence
	return e
}

// Run writes the history of a run that an event began, with one more fact if it
// is given, and returns its id. It is in this state then.
func (h *House) Run(workflow, version, event string, state engine.State, more ...*v1.Fact) string {
	h.t.Helper()
	run := engine.NewRun(proto.RunID(workflow, event))
	now := time.Now()
	start := &v1.Fact{Claim: &v1.Claim{Worker: "w", Epoch: 1, Stream: proto.Events, Sequence: 1}, Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{
		Workflow: workflow, Version: version, Event: &v1.Event{Id: event, Type: "meeting.ended", Source: "zoom/default", Body: &v1.Value{Json: []byte("{}")}}}}}
	facts := append([]*v1.Fact{start}, more...)
	for _, f := range facts {
		_, err := run.Add(now, f)
		h.Must(err)
	}
	h.Must(h.History.Append(context.Background(), &history.Cursor{}, history.Append{Workflow: workflow, Run: run.ID(), State: string(state), Epoch: 1, Facts: facts,
		Header: nats.Header{"zflow-version": {version}, "zflow-event-id": {event}, "zflow-started-at": {now.UTC().Format(time.RFC3339Nano)}}}))
	return run.ID()
}

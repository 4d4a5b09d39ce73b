package operator

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

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
	"zflow/engine/tick"
	"zflow/engine/waits"
	"zflow/engine/wakes"
	"zflow/internal/connections"
	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
)

// rig is a real server with all that zflow keeps, and no worker on it.
type rig struct {
	*Operator
	t      testing.TB
	server *natstest.Server
	gate   *durable.Gate
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, server: natstest.Start(t)}
	js := r.server.JetStream(t)
	r.gate = r.server.Gate(t)
	ctx := context.Background()
	r.must(sources.Create(ctx, js, sources.Limits{MaxBytes: 1 << 28}))
	r.must(history.Create(ctx, js, history.Limits{Bytes: 1 << 28}))
	r.must(wakes.Create(ctx, js, 1, 1<<28))
	r.must(leases.Create(ctx, js, 1))
	r.must(router.Create(ctx, js))
	r.must(waits.Create(ctx, js, 1))
	r.must(gates.Create(ctx, js, 1))
	r.must(blobs.Create(ctx, js, 30*24*time.Hour, 1))
	r.must(catalog.Create(ctx, js, 1))
	r.must(tick.Create(ctx, js, 1))
	r.must(connections.Create(ctx, js, 1))
	a := Access{NC: js.Conn(), JS: js, Publisher: sources.NewPublisher(js, r.gate)}
	registry, err := actions.NewRegistry(log.Action())
	r.must(err)
	a.Catalog, err = catalog.Open(ctx, js, r.gate, definition.Known{Actions: registry})
	r.must(err)
	a.History, err = history.Open(ctx, js, r.gate)
	r.must(err)
	a.Wakes, err = wakes.Open(ctx, js, r.gate)
	r.must(err)
	a.Ticks, err = tick.Open(ctx, js, r.gate)
	r.must(err)
	a.Blobs, err = blobs.Open(ctx, js, r.gate)
	r.must(err)
	r.Operator = New(a)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) deploy(name string) {
	r.t.Helper()
	src := "name: " + name + "\non: [ { zoom: meeting.ended } ]\nsteps:\n  - { id: say, uses: log, with: { message: hi } }\n"
	_, problems, err := r.Catalog.Deploy(context.Background(), name+".yaml", []byte(src))
	if err != nil {
		r.t.Fatalf("deploying: %v %v", err, problems)
	}
}

// event stores the nth event of a type and returns it.
func (r *rig) event(kind string, n int) *proto.Event {
	r.t.Helper()
	now := time.Now()
	e := &proto.Event{ID: proto.EventID("default", kind, strconv.Itoa(n)), Type: kind, Source: "zoom/default", Account: "acct",
		Origin: proto.FromTest, Time: now, ReceivedAt: now, ContentType: "application/json", Body: []byte(`{"n":` + strconv.Itoa(n) + `}`)}
	ack, err := r.Publisher.Publish(context.Background(), e)
	r.must(err)
	e.Sequence = ack.Sequence
	return e
}

// tale writes a run's history, append by append.
type tale struct {
	rig    *rig
	run    *engine.Run
	cursor history.Cursor
	now    time.Time
}

func (r *rig) tale(workflow, event string) *tale {
	return &tale{rig: r, run: engine.NewRun(proto.RunID(workflow, event)), now: time.Now()}
}

// started is the fact that begins a run.
func started(workflow, event string) *v1.Fact {
	return &v1.Fact{Claim: &v1.Claim{Worker: "w1", Epoch: 1, Stream: proto.Events, Sequence: 1}, Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{
		Workflow: workflow, Version: "v1", Event: &v1.Event{Id: event, Type: "meeting.ended", Source: "zoom/default", Body: &v1.Value{Json: []byte(`{"id":1}`)}}}}}
}

func stepStarted(step string, attempt uint32, input string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: attempt, Uses: "log", Input: &v1.Value{Json: []byte(input)},
		Deadline: time.Now().Add(time.Minute).UnixNano()}}}
}

func stepCompleted(step string, attempt uint32, output string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Attempt: attempt, Output: &v1.Value{Json: []byte(output)}, Took: int64(12 * time.Millisecond), Log: []string{"a line\x1b[31m"}}}}
}

func stepFailed(step string, attempt uint32, class, next, message string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepFailed{StepFailed: &v1.StepFailed{Attempt: attempt, Class: class, Next: next, NextAt: time.Now().Add(time.Minute).UnixNano(),
		Took: int64(time.Second), Error: &v1.Error{Message: message, Status: 503, Code: "300"}}}}
}

func completed(output string) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{Output: &v1.Value{Json: []byte(output)}}}}
}

// tells appends facts in a state, with the headers that a worker writes.
func (l *tale) tells(state engine.State, facts ...*v1.Fact) *tale {
	l.rig.t.Helper()
	var failure string
	for _, f := range facts {
		_, err := l.run.Add(l.now, f)
		l.rig.must(err)
		failure = f.GetRunFailed().GetError().GetMessage()
	}
	header := map[string][]string{"zflow-version": {"v1"}, "zflow-event-id": {l.run.Start.Event.Id},
		"zflow-started-at": {l.run.Started.Format(time.RFC3339Nano)}, "zflow-error": {failure}}
	l.rig.must(l.rig.History.Append(context.Background(), &l.cursor, history.Append{Workflow: l.run.Start.Workflow, Run: l.run.ID(),
		State: string(state), Epoch: 1, Facts: facts, Header: header}))
	return l
}

// finished is a whole run that took one step.
func (r *rig) finished(workflow, event string) *tale {
	return r.tale(workflow, event).
		tells(engine.Running, started(workflow, event), stepStarted("say", 1, `{"message":"hi"}`)).
		tells(engine.Completed, stepCompleted("say", 1, `{"big":12345678901234567890}`), completed(`{"n":1}`))
}

func eventName(n int) string { return fmt.Sprintf("event-%d", n) }

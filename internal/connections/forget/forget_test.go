package forget_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/blobs"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/wakes"
	"zflow/internal/connections"
	"zflow/internal/connections/forget"
	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
)

type rig struct {
	*testing.T
	js      jetstream.JetStream
	gate    *durable.Gate
	history *history.Store
	blobs   *blobs.Store
	wakes   *wakes.Store
	forget  *forget.Forgetter
}

func newRig(t *testing.T) *rig {
	s := natstest.Start(t)
	r := &rig{T: t, js: s.JetStream(t), gate: s.Gate(t)}
	ctx := t.Context()
	r.must(sources.Create(ctx, r.js, sources.Limits{MaxAge: time.Hour, MaxBytes: 16 << 20, Replicas: 1}))
	r.must(history.Create(ctx, r.js, history.Limits{Age: 72 * time.Hour, Bytes: 16 << 20, Replicas: 1}))
	r.must(wakes.Create(ctx, r.js, 1, 16<<20))
	r.must(blobs.Create(ctx, r.js, time.Hour, 1))
	r.must(connections.Create(ctx, r.js, 1))
	r.must(leases.Create(ctx, r.js, 1))
	var err error
	r.history, err = history.Open(ctx, r.js, r.gate)
	r.must(err)
	r.blobs, err = blobs.Open(ctx, r.js, r.gate)
	r.must(err)
	r.wakes, err = wakes.Open(ctx, r.js, r.gate)
	r.must(err)
	r.forget, err = forget.Open(ctx, r.js, r.gate)
	r.must(err)
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// event stores an event of an account.
func (r *rig) event(account, id string) {
	_, err := sources.NewPublisher(r.js, r.gate).Publish(r.Context(), &proto.Event{
		ID: id, Type: "meeting.ended", Source: "zoom/default", Account: account, Origin: proto.FromWebhook,
		Time: time.Now(), ReceivedAt: time.Now(), Body: []byte(`{}`),
	})
	r.must(err)
}

// run stores a run of an account's event, with a large value.
func (r *rig) run(account, id, state, blob string) {
	ctx := r.Context()
	h, err := r.history.Load(ctx, "flow", id)
	r.must(err)
	facts := []*v1.Fact{
		{Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{Workflow: "flow", Event: &v1.Event{Id: id, Account: account, Body: &v1.Value{Blob: blob, Size: 3}}}}},
	}
	for i, f := range facts {
		f.Number = uint64(i + 1)
	}
	c := h.Cursor
	r.must(r.history.Append(ctx, &c, history.Append{Workflow: "flow", Run: id, State: state, Facts: facts}))
	r.must(r.wakes.SetTimer(ctx, "flow", id, 1, time.Now().Add(time.Hour)))
}

func (r *rig) sweep() (done []forget.Order) {
	r.Helper()
	done, err := r.forget.Sweep(r.Context())
	r.must(err)
	return done
}

func (r *rig) count(stream, subject string) (n uint64) {
	r.Helper()
	s, err := r.js.Stream(r.Context(), stream)
	r.must(err)
	i, err := s.Info(r.Context(), jetstream.WithSubjectFilter(subject))
	r.must(err)
	for _, c := range i.State.Subjects {
		n += c
	}
	return n
}

func (r *rig) put(text string) string {
	name, err := r.blobs.Put(context.Background(), []byte(text))
	r.must(err)
	return name
}

// An account's events, runs, timers and large values go, those of others stay, and
// an open run goes once it has ended.
func TestForget(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	own, shared := r.put("own"), r.put("shared")
	for _, id := range []string{"a", "b", "c"} {
		r.event("gone", "g"+id)
	}
	r.event("stays", "s")
	r.run("gone", "ended", "completed", own)
	r.run("gone", "also", "failed", shared)
	r.run("gone", "open", "waiting", own)
	r.run("stays", "other", "completed", shared)
	r.must(r.forget.Want(ctx, "gone", "test", time.Now().Add(time.Hour)))
	r.sweep()
	if n := r.count(proto.Events, "zflow.event.>"); n != 4 {
		t.Fatalf("%d events are left before it was due", n)
	}
	r.must(r.forget.Want(ctx, "gone", "test", time.Now()))
	r.sweep()
	o, there, err := r.forget.Order(ctx, "gone")
	if err != nil || !there || o.Events != 3 || o.Runs != 2 || o.Values != 0 || o.Open != 1 || !o.Done.IsZero() {
		t.Errorf("%+v, %v", o, err)
	}
	if n := r.count(proto.Wakes, "zflow.command.flow.open"); n != 1 {
		t.Errorf("%d orders to cancel", n)
	}
	h, err := r.history.Load(ctx, "flow", "open")
	r.must(err)
	end := &v1.Fact{Number: 2, Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{}}}
	r.must(r.history.Append(ctx, &h.Cursor, history.Append{Workflow: "flow", Run: "open", State: "canceled", Facts: []*v1.Fact{end}}))
	r.sweep() // whoever sweeps next carries on
	if o, _, err = r.forget.Order(ctx, "gone"); err != nil || o.Runs != 3 || o.Values != 1 || o.Done.IsZero() {
		t.Errorf("%+v, %v", o, err)
	}
	for subject, want := range map[string]uint64{"zflow.run.flow.>": 1, "zflow.run.flow.other.*": 1} {
		if n := r.count(proto.Runs, subject); n != want {
			t.Errorf("%s: %d", subject, n)
		}
	}
	if n := r.count(proto.Events, "zflow.event.zoom.stays.>"); n != 1 {
		t.Error("another account's event is gone")
	}
	if n := r.count(proto.Wakes, "zflow.timer.>"); n != 1 {
		t.Errorf("%d timers are left", n)
	}
	if _, err := r.blobs.Get(ctx, own); err == nil {
		t.Error("its own large value is left")
	}
	if _, err := r.blobs.Get(ctx, shared); err != nil {
		t.Errorf("a large value of a run that stays: %v", err)
	}
}

// Of workers that sweep at once, one carries the order out: all that was there is
// counted, and once.
func TestManySweep(t *testing.T) {
	r := newRig(t)
	const many = 40
	for i := range many {
		r.event("gone", fmt.Sprint("e", i))
		r.run("gone", fmt.Sprint("r", i), "completed", r.put(fmt.Sprint("value ", i)))
	}
	r.must(r.forget.Want(t.Context(), "gone", "test", time.Now()))
	var did atomic.Int64
	var work sync.WaitGroup
	for range 4 {
		f, err := forget.Open(t.Context(), r.js, r.gate)
		r.must(err)
		work.Go(func() {
			done, err := f.Sweep(t.Context())
			if err != nil {
				t.Error(err)
			}
			did.Add(int64(len(done)))
		})
	}
	o, err := r.forget.Do(t.Context(), "gone") // as a command would
	if err != nil || o.Done.IsZero() {
		t.Errorf("the command is told %+v, %v", o, err)
	}
	work.Wait()
	o, _, err = r.forget.Order(t.Context(), "gone")
	if err != nil || o.Events != many || o.Runs != many || o.Values != many || did.Load() > 1 {
		t.Errorf("%d did it: %+v, %v", did.Load(), o, err)
	}
}

// Who connects again in time keeps all; a doing that has begun goes on.
func TestCancel(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.must(r.forget.Want(ctx, "a", "test", time.Now().Add(time.Hour)))
	r.must(r.forget.Cancel(ctx, "a"))
	if _, there, err := r.forget.Order(ctx, "a"); there || err != nil {
		t.Error(there, err)
	}
	r.must(r.forget.Want(ctx, "a", "test", time.Now().Add(-time.Second)))
	r.must(r.forget.Cancel(ctx, "a"))
	if _, there, err := r.forget.Order(ctx, "a"); !there || err != nil {
		t.Error(there, err)
	}
	if r.forget.Want(ctx, "", "test", time.Now()) == nil {
		t.Error("whoever is nobody is forgotten")
	}
}

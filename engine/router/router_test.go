package router_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/router"
	"zflow/engine/waits"
	"zflow/engine/wakes"
	"zflow/internal/natstest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
)

// rig is a router on a server of its own, in virtual time.
type rig struct {
	*router.Router
	t      *testing.T
	server *natstest.Server
	js     jetstream.JetStream
	events *sources.Publisher
	woken  jetstream.Consumer
	stop   func()
}

func bubble(t *testing.T, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := &rig{t: t, server: natstest.Start(t)}
		js := r.server.JetStream(t)
		must(t, sources.Create(t.Context(), js, sources.Limits{MaxBytes: 1 << 26}))
		must(t, wakes.Create(t.Context(), js, 1, 1<<26))
		must(t, waits.Create(t.Context(), js, 1))
		must(t, router.Create(t.Context(), js))
		r.start()
		defer func() { r.stop() }()
		test(t, r)
	})
}

// start starts a router as a new process does.
func (r *rig) start() {
	nc := r.server.Connect(r.t)
	js, gate := natstest.JetStream(r.t, nc), natstest.Gate(r.t, nc)
	waiters, err := waits.Open(r.t.Context(), js, gate)
	must(r.t, err)
	wake, err := wakes.Open(r.t.Context(), js, gate)
	must(r.t, err)
	r.Router, err = router.Open(r.t.Context(), js, gate, router.Stores{Waits: waiters, Wakes: wake}, zap.NewNop())
	must(r.t, err)
	r.js, r.events = js, sources.NewPublisher(js, gate)
	r.woken, _, err = wake.Consumers(r.t.Context())
	must(r.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx, func(*proto.Event) {}) }()
	r.stop = func() { cancel(); <-done }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// event publishes one that is received now.
func (r *rig) event(n int, eventType, uuid string) {
	r.t.Helper()
	r.receivedAt(n, eventType, uuid, time.Now())
}

func (r *rig) receivedAt(n int, eventType, uuid string, at time.Time) {
	r.t.Helper()
	_, err := r.events.Publish(r.t.Context(), &proto.Event{ID: fmt.Sprint("e", n), Type: eventType, Source: "zoom/default", Account: "acct",
		Origin: proto.FromTest, Time: at, ReceivedAt: at, Body: fmt.Appendf(nil, `{"payload":{"object":{"uuid":%q}}}`, uuid)})
	must(r.t, err)
}

// wait is for events of a type and a meeting, received from a time on.
func wait(fact uint64, eventType, uuid string, since time.Time) engine.OpenWait {
	return engine.OpenWait{Step: "rec", WaitState: &engine.WaitState{Fact: fact, WaitStarted: &v1.WaitStarted{
		Since: since.UnixNano(),
		Of:    []*v1.Alternative{{Source: "zoom", Types: []string{eventType}, Match: []*v1.Match{{Path: "payload.object.uuid", Value: uuid}}}},
	}}}
}

func (r *rig) await(run string, w engine.OpenWait) {
	r.t.Helper()
	must(r.t, r.Await(r.t.Context(), "flow", run, w))
}

// wakes checks which runs are woken within a few seconds.
func (r *rig) wakes(want ...string) {
	r.t.Helper()
	batch, err := r.woken.Fetch(100, jetstream.FetchMaxWait(3*time.Second))
	must(r.t, err)
	got := []string{}
	for m := range batch.Messages() {
		_, run, _, err := proto.ParseWakeSubject(m.Subject())
		must(r.t, err)
		got = append(got, run)
		must(r.t, m.Ack())
	}
	slices.Sort(got)
	if !slices.Equal(got, append([]string{}, want...)) {
		r.t.Errorf("woken are %v, want %v", got, want)
	}
}

// came checks which events came for a wait, and returns what drops them.
func (r *rig) came(run string, w engine.OpenWait, want ...string) (taken func(context.Context) error) {
	r.t.Helper()
	all, taken, err := r.Arrived(r.t.Context(), "flow", run, w)
	must(r.t, err)
	got := []string{}
	for _, a := range all {
		got = append(got, a.EventID)
	}
	if !slices.Equal(got, append([]string{}, want...)) {
		r.t.Errorf("for run %s came %v, want %v", run, got, want)
	}
	return taken
}

// What came before the wait counts from its time on, what comes after is brought;
// of another meeting or type, neither.
func TestBeforeAndAfter(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.event(1, "recording.completed", "a")
		time.Sleep(time.Minute)
		since := time.Now()
		time.Sleep(time.Second)
		r.event(2, "recording.completed", "a")
		r.event(3, "recording.completed", "b")
		r.event(4, "meeting.ended", "a")
		time.Sleep(time.Second) // the router has seen them
		w := wait(7, "recording.completed", "a", since)
		r.await("r1", w)
		r.wakes("r1")
		r.came("r1", w, "e2")
		r.event(5, "recording.completed", "a")
		r.event(6, "recording.completed", "b")
		r.wakes("r1")
		r.came("r1", w, "e2", "e5")
	})
}

// An old event that is delivered again does not count, though it matches.
func TestReceivedBeforeTheWaitCounts(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		w := wait(7, "recording.completed", "a", time.Now().Add(time.Hour))
		r.await("r1", w)
		r.event(1, "recording.completed", "a")
		r.wakes("r1")
		r.came("r1", w)
	})
}

// Awaiting again changes nothing, in this process or another.
func TestAwaitAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		since := time.Now()
		r.event(1, "recording.completed", "a")
		time.Sleep(time.Second) // the router has seen it
		w := wait(7, "recording.completed", "a", since)
		r.await("r1", w)
		r.await("r1", w)
		r.wakes("r1")
		r.stop()
		r.start()
		r.await("r1", w)
		r.wakes("r1") // this process looks itself
		r.came("r1", w, "e1")
		r.event(2, "recording.completed", "a")
		r.wakes("r1")
		r.came("r1", w, "e1", "e2")
	})
}

// Events that come while no router runs are brought by the next.
func TestRouterAway(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		w := wait(7, "recording.completed", "a", time.Now())
		r.await("r1", w)
		r.stop()
		r.event(1, "recording.completed", "a")
		r.wakes()
		r.start()
		r.wakes("r1")
		r.came("r1", w, "e1")
	})
}

// What did not end the wait is dropped by whoever looked at it, and only that.
func TestTaken(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		w := wait(7, "recording.*", "a", time.Now())
		r.await("r1", w)
		r.event(1, "recording.completed", "a")
		r.wakes("r1")
		taken := r.came("r1", w, "e1")
		r.event(2, "recording.transcript_completed", "a")
		r.wakes("r1")
		must(t, taken(t.Context()))
		r.came("r1", w, "e2")
	})
}

// A wait that ended is not woken any more; another of the same run still is.
func TestDrop(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		old, now := wait(7, "recording.completed", "a", time.Now()), wait(9, "recording.completed", "a", time.Now())
		r.await("r1", old)
		r.await("r1", now)
		r.await("r2", old)
		must(t, r.Drop(t.Context(), "flow", "r1", old))
		must(t, r.Drop(t.Context(), "flow", "r1", old))
		must(t, r.Drop(t.Context(), "flow", "r2", old))
		r.event(1, "recording.completed", "a")
		r.wakes("r1")
		r.came("r1", now, "e1")
		r.came("r1", old)
	})
}

// Many events for one wait: those that had no room in its entry are found too.
func TestCrowd(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		w := wait(7, "recording.completed", "a", time.Now())
		r.await("r1", w)
		var want []string
		for n := range 100 {
			r.event(n, "recording.completed", "a")
			want = append(want, fmt.Sprint("e", n))
		}
		time.Sleep(10 * time.Second)
		taken := r.came("r1", w, want...)
		must(t, taken(t.Context()))
		r.came("r1", w)
	})
}

// A consumer that is gone is waited for; what came meanwhile is brought.
func TestConsumerGone(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		w := wait(7, "recording.completed", "a", time.Now())
		r.await("r1", w)
		must(t, r.js.DeleteConsumer(t.Context(), proto.Events, router.Consumer))
		time.Sleep(5 * time.Second)
		must(t, router.Create(t.Context(), r.js))
		time.Sleep(5 * time.Second)
		r.event(1, "recording.completed", "a")
		r.wakes("r1")
	})
}

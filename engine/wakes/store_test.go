package wakes_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/engine/wakes"
	"zflow/internal/natstest"
	v1 "zflow/proto/zflow/v1"
)

// rig is a store on a server of its own, in virtual time.
type rig struct {
	*wakes.Store
	t        *testing.T
	server   *natstest.Server
	wakes    jetstream.Consumer
	commands jetstream.Consumer
}

func bubble(t *testing.T, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := &rig{t: t, server: natstest.Start(t)}
		if err := wakes.Create(t.Context(), r.server.JetStream(t), 1, 1<<26); err != nil {
			t.Fatal(err)
		}
		r.open()
		test(t, r)
	})
}

func (r *rig) open() {
	r.t.Helper()
	var err error
	if r.Store, err = wakes.Open(r.t.Context(), r.server.JetStream(r.t), r.server.Gate(r.t)); err != nil {
		r.t.Fatal(err)
	}
	if r.wakes, r.commands, err = r.Consumers(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// next waits for a message of a consumer and acks it; "" if none comes.
func (r *rig) next(c jetstream.Consumer, wait time.Duration) (subject string, at time.Time, data []byte) {
	r.t.Helper()
	batch, err := c.Fetch(1, jetstream.FetchMaxWait(wait))
	if err != nil {
		r.t.Fatal(err)
	}
	m, ok := <-batch.Messages()
	if !ok {
		return "", time.Now(), nil
	}
	r.must(m.DoubleAck(r.t.Context()))
	return m.Subject(), time.Now(), m.Data()
}

func (r *rig) left() map[string]uint64 {
	r.t.Helper()
	s, err := r.server.JetStream(r.t).Stream(r.t.Context(), "WAKES")
	if err != nil {
		r.t.Fatal(err)
	}
	i, err := s.Info(r.t.Context(), jetstream.WithSubjectFilter(">"))
	if err != nil {
		r.t.Fatal(err)
	}
	return i.State.Subjects
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestWakeAndCommand(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.must(r.Wake(t.Context(), "flow", "run", &v1.Wake{Reason: "sweep"}))
		r.must(r.Start(t.Context(), "other", "backfill", &v1.RunStarted{Workflow: "flow", Version: "v", Event: &v1.Event{Id: "e"}}))
		r.must(r.Command(t.Context(), "flow", "run", &v1.Command{Id: "c1", Kind: "cancel", By: "me"}))
		r.must(r.Command(t.Context(), "flow", "run", &v1.Command{Id: "c1", Kind: "cancel", By: "me"}))
		subject, _, data := r.next(r.wakes, time.Second)
		w := &v1.Wake{}
		if err := proto.Unmarshal(data, w); err != nil || subject != "zflow.wake.flow.run" || w.Reason != "sweep" {
			t.Errorf("%s: %v, %v", subject, w, err)
		}
		subject, _, data = r.next(r.wakes, time.Second)
		w = &v1.Wake{}
		if err := proto.Unmarshal(data, w); err != nil || subject != "zflow.wake.flow.other" || w.Reason != "backfill" || w.Start.Version != "v" || w.Start.Event.Id != "e" {
			t.Errorf("%s: %v, %v", subject, w, err)
		}
		subject, _, data = r.next(r.commands, time.Second)
		c := &v1.Command{}
		if err := proto.Unmarshal(data, c); err != nil || subject != "zflow.command.flow.run" || c.Id != "c1" || c.By != "me" {
			t.Errorf("%s: %v, %v", subject, c, err)
		}
		if n := len(r.left()); n != 0 {
			t.Errorf("%d subjects are left: a command with an id is one, however often it is sent", n)
		}
	})
}

// A timer fires at its time, never before, and leaves nothing behind.
func TestTimers(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for _, in := range []time.Duration{time.Millisecond, 999 * time.Millisecond, 1500 * time.Millisecond, 10*time.Second + 1, 2 * time.Hour} {
			due := time.Now().Add(in)
			r.must(r.SetTimer(t.Context(), "flow", "run", 7, due))
			subject, at, data := r.next(r.wakes, in+10*time.Second)
			w := &v1.Wake{}
			if err := proto.Unmarshal(data, w); err != nil || subject != "zflow.wake.flow.run" || w.Fact != 7 || w.Reason != "timer" {
				t.Fatalf("%s: %v, %v", subject, w, err)
			}
			if late := at.Sub(due); late < 0 || late > time.Second {
				t.Errorf("a timer of %v was %v late", in, late)
			}
			if n := len(r.left()); n != 0 {
				t.Errorf("%d subjects are left", n)
			}
		}
	})
}

// Set again, a timer is replaced; those of other facts stand beside it.
func TestTimersAreReplacedAndDropped(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		begun := time.Now()
		r.must(r.SetTimer(t.Context(), "flow", "run", 1, begun.Add(5*time.Second)))
		r.must(r.SetTimer(t.Context(), "flow", "run", 2, begun.Add(20*time.Second)))
		r.must(r.SetTimer(t.Context(), "flow", "run", 1, begun.Add(40*time.Second)))
		r.must(r.SetTimer(t.Context(), "flow", "run", 3, begun.Add(10*time.Second)))
		r.must(r.DropTimer(t.Context(), "flow", "run", 3))
		r.must(r.DropTimer(t.Context(), "flow", "run", 99)) // there is none
		for _, want := range []uint64{2, 1} {
			_, at, data := r.next(r.wakes, time.Minute)
			w := &v1.Wake{}
			if err := proto.Unmarshal(data, w); err != nil || w.Fact != want {
				t.Fatalf("timer %d came after %v, not %d: %v", w.Fact, at.Sub(begun), want, err)
			}
		}
		if subject, _, _ := r.next(r.wakes, time.Minute); subject != "" {
			t.Errorf("%s came too", subject)
		}
	})
}

// A timer outlives the server, and fires late if the server was down.
func TestTimersOverARestart(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		due := time.Now().Add(time.Minute)
		r.must(r.SetTimer(t.Context(), "flow", "missed", 1, due))
		r.must(r.SetTimer(t.Context(), "flow", "later", 1, due.Add(5*time.Minute)))
		time.Sleep(10 * time.Second)
		r.server.Down()
		time.Sleep(2 * time.Minute)
		up := time.Now()
		r.server.Up(t)
		time.Sleep(time.Second)
		r.open()
		if subject, at, _ := r.next(r.wakes, time.Minute); subject != "zflow.wake.flow.missed" || at.Sub(up) > 3*time.Second {
			t.Errorf("%q came %v after the start", subject, at.Sub(up))
		}
		if subject, at, _ := r.next(r.wakes, 10*time.Minute); subject != "zflow.wake.flow.later" || at.Before(due.Add(5*time.Minute)) {
			t.Errorf("%q came at %v", subject, at)
		}
	})
}

// A stream that does not exist is an error at once.
func TestOpenWithoutStream(t *testing.T) {
	s := natstest.Start(t)
	if _, err := wakes.Open(context.Background(), s.JetStream(t), s.Gate(t)); err == nil {
		t.Error("opened nothing")
	}
}

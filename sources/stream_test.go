package sources_test

import (
	"fmt"
	"testing"
	"time"

	"zflow/internal/natstest"
	"zflow/proto"
	"zflow/sources"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// TestCreateNeedsRoomOnce: a process that starts again asks for no more room than
// the stream has.
func TestCreateNeedsRoomOnce(t *testing.T) {
	const limit = 64 << 20
	s := natstest.Start(t, natstest.Configure(func(o *server.Options) { o.JetStreamMaxStore = limit }))
	js := s.JetStream(t)
	for _, share := range []int64{60, 60, 70, 55} { // of a hundred
		if err := sources.Create(t.Context(), js, sources.Limits{MaxBytes: limit * share / 100}); err != nil {
			t.Errorf("with %d %%: %v", share, err)
		}
	}
	if err := sources.Create(t.Context(), js, sources.Limits{MaxBytes: 2 * limit}); err == nil {
		t.Error("it is larger than the disk")
	}
}

func TestCreate(t *testing.T) {
	s := natstest.Start(t)
	js := s.JetStream(t)
	for _, l := range []sources.Limits{{MaxBytes: 1 << 20}, {MaxBytes: 2 << 20, MaxAge: 48 * time.Hour}, {MaxBytes: 1 << 20, MaxAge: time.Hour}} {
		if err := sources.Create(t.Context(), js, l); err != nil {
			t.Fatal(err)
		}
		stream, err := js.Stream(t.Context(), proto.Events)
		if err != nil {
			t.Fatal(err)
		}
		c := stream.CachedInfo().Config
		age := l.MaxAge
		if age == 0 {
			age = 28 * 24 * time.Hour
		}
		if c.MaxAge != age || c.MaxBytes != l.MaxBytes || c.Duplicates != min(2*time.Hour, age) {
			t.Errorf("under %+v: %+v", l, c)
		}
		if c.Storage != jetstream.FileStorage || c.Retention != jetstream.LimitsPolicy || c.Discard != jetstream.DiscardNew ||
			c.Replicas != 1 || c.MaxConsumers != 10_000 || c.AllowDirect || c.PersistMode != jetstream.DefaultPersistMode {
			t.Errorf("not as designed: %+v", c)
		}
	}
	if c := (sources.Limits{}).Config(); c.MaxBytes != 20<<30 || c.MaxAge != 28*24*time.Hour {
		t.Errorf("defaults: %+v", c)
	}
}

// fill publishes events of 4 KiB, of a rare type at the sequences given, until the
// stream is above 90 %.
func fill(t *testing.T, p *bench, rare ...int) uint64 {
	t.Helper()
	for i := 1; ; i++ {
		e := newEvent(fmt.Sprint(i))
		e.Body = make([]byte, 4<<10)
		for _, r := range rare {
			if r == i {
				e.Type = "user.created"
			}
		}
		if _, err := p.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		stream, _ := p.js.Stream(t.Context(), proto.Events)
		if info := stream.CachedInfo(); float64(info.State.Bytes) > 0.92*float64(info.Config.MaxBytes) {
			return info.State.LastSeq
		}
	}
}

// consume makes a workflow's consumer and acknowledges n of its events.
func consume(t *testing.T, js jetstream.JetStream, name string, n int, filters ...string) {
	t.Helper()
	c, err := js.CreateConsumer(t.Context(), proto.Events, jetstream.ConsumerConfig{Durable: name, AckPolicy: jetstream.AckExplicitPolicy, FilterSubjects: filters})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		m, err := c.Next()
		if err == nil {
			err = m.DoubleAck(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestEnsureSpacePurgesOnlyWhatEveryoneHasFinished(t *testing.T) {
	const ended, created = "zflow.event.zoom.*.meeting.ended", "zflow.event.zoom.*.user.created"
	for _, c := range []struct {
		name  string
		setup func(t *testing.T, js jetstream.JetStream, last uint64)
		first uint64 // the first that is unfinished; 0: above all that is stored
		tight bool
	}{
		{"no consumer", func(*testing.T, jetstream.JetStream, uint64) {}, 1, true},
		{"nothing finished", func(t *testing.T, js jetstream.JetStream, _ uint64) { consume(t, js, "w", 0) }, 1, true},
		{"all finished", func(t *testing.T, js jetstream.JetStream, last uint64) { consume(t, js, "w", int(last)) }, 0, false},
		{"the slowest counts", func(t *testing.T, js jetstream.JetStream, last uint64) {
			consume(t, js, "fast", int(last))
			consume(t, js, "slow", 7)
		}, 8, false},
		{"the slowest counts, whichever it is", func(t *testing.T, js jetstream.JetStream, last uint64) {
			consume(t, js, "a-slow", 7)
			consume(t, js, "z-fast", int(last))
		}, 8, false},
		{"rare events do not hold up the rest", func(t *testing.T, js jetstream.JetStream, last uint64) {
			consume(t, js, "rare", 2, created) // 3 and 5; there is no other
			consume(t, js, "all", int(last))
		}, 0, false},
		{"the next rare one is kept", func(t *testing.T, js jetstream.JetStream, last uint64) {
			consume(t, js, "rare", 1, created, "zflow.event.zoom.*.user.deleted")
			consume(t, js, "most", int(last)-2, ended)
		}, 5, false},
		{"delivered is not finished", func(t *testing.T, js jetstream.JetStream, last uint64) {
			consume(t, js, "w", 9)
			c, _ := js.Consumer(t.Context(), proto.Events, "w")
			for range 20 {
				if _, err := c.Next(); err != nil {
					t.Fatal(err)
				}
			}
		}, 10, false},
		{"a back-fill that begins later", func(t *testing.T, js jetstream.JetStream, last uint64) {
			_, err := js.CreateConsumer(t.Context(), proto.Events, jetstream.ConsumerConfig{Durable: "late", AckPolicy: jetstream.AckExplicitPolicy,
				DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: last})
			if err != nil {
				t.Fatal(err)
			}
		}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newBench(t, sources.Limits{MaxBytes: 256 << 10})
			js := p.js
			last := fill(t, p, 3, 5)
			c.setup(t, js, last)
			space, err := sources.EnsureSpace(t.Context(), js)
			if err != nil {
				t.Fatal(err)
			}
			stream, _ := js.Stream(t.Context(), proto.Events)
			state := stream.CachedInfo().State
			if space.Tight() != c.tight || space.Bytes != state.Bytes || space.Purged != last-state.Msgs {
				t.Errorf("got %+v; the stream has %+v", space, state)
			}
			if c.first != 0 && (state.FirstSeq > c.first || space.Unfinished != c.first) {
				t.Errorf("event %d is the first unfinished one, not %d; the first that is left is %d", c.first, space.Unfinished, state.FirstSeq)
			}
			if !c.tight && float64(state.Bytes) < 0.7*float64(256<<10) {
				t.Errorf("more was purged than needed: %d bytes are left", state.Bytes)
			}
		})
	}
}

func TestEnsureSpaceLeavesAStreamWithRoomAlone(t *testing.T) {
	p := newBench(t, sources.Limits{MaxBytes: testBytes})
	if _, err := p.Publish(t.Context(), newEvent("a")); err != nil {
		t.Fatal(err)
	}
	space, err := sources.EnsureSpace(t.Context(), p.js)
	if err != nil || space.Purged != 0 || space.Tight() || stored(t, p.js) != 1 {
		t.Errorf("got %+v, %v", space, err)
	}
}

func TestEnsureSpaceWithoutStreamIsAnError(t *testing.T) {
	s := natstest.Start(t)
	if _, err := sources.EnsureSpace(t.Context(), s.JetStream(t)); err == nil {
		t.Error("no error")
	}
}

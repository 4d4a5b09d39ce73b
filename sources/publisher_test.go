package sources_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
	"zflow/sources"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const testBytes = 256 << 20

// bench is a server with a publisher on it.
type bench struct {
	*sources.Publisher
	server *natstest.Server
	js     jetstream.JetStream
	gate   *durable.Gate
}

func newBench(t testing.TB, l sources.Limits) *bench {
	t.Helper()
	s := natstest.Start(t)
	b := &bench{server: s, js: s.JetStream(t), gate: s.Gate(t)}
	if err := sources.Create(t.Context(), b.js, l); err != nil {
		t.Fatal(err)
	}
	b.Publisher = sources.NewPublisher(b.js, b.gate)
	return b
}

func newEvent(id string) *proto.Event {
	at := time.UnixMilli(1_790_000_000_123).UTC()
	return &proto.Event{ID: id, Type: "meeting.ended", Source: "zoom/main", Account: "acct", Origin: proto.FromWebhook,
		ContentType: "application/json", Time: at, ReceivedAt: at.Add(time.Second), Body: []byte(`{"a":1}`)}
}

func stored(t testing.TB, js jetstream.JetStream) uint64 {
	t.Helper()
	s, err := js.Stream(context.Background(), proto.Events)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

func TestPublishStoresTheEventAsItIs(t *testing.T) {
	p := newBench(t, sources.Limits{MaxBytes: testBytes})
	want := newEvent("e1")
	ack, err := p.Publish(t.Context(), want)
	if err != nil || ack != (sources.Ack{Sequence: 1}) {
		t.Fatalf("got %+v, %v", ack, err)
	}
	stream, _ := p.js.Stream(t.Context(), proto.Events)
	m, err := stream.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := proto.ReadEvent(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
	want.Sequence = 1
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v\n%v", got, want, err)
	}
}

func TestADuplicatePassesTheGateToo(t *testing.T) {
	p := newBench(t, sources.Limits{MaxBytes: testBytes})
	for i := range 3 {
		before := p.gate.Passes()
		ack, err := p.Publish(t.Context(), newEvent("same"))
		if p.gate.Passes() != before+1 {
			t.Errorf("publish %d did not pass the Gate", i)
		}
		if err != nil || ack != (sources.Ack{Sequence: 1, Duplicate: i > 0}) {
			t.Fatalf("publish %d: got %+v, %v", i, ack, err)
		}
	}
	if n := stored(t, p.js); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// TestNothingIsAcknowledgedUnflushed takes the flush service away: an event that
// is stored but not flushed must not be acknowledged, the first time or again.
func TestNothingIsAcknowledgedUnflushed(t *testing.T) {
	s := natstest.Start(t, natstest.NoFlusher)
	nc := s.Connect(t)
	f := durable.NewFlusher(nc, filepath.Join(s.Embedded().StoreDir(), "$G"), durable.FlusherOptions{Reserve: 1})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	<-f.Ready()
	js := s.JetStream(t)
	if err := sources.Create(t.Context(), js, sources.Limits{MaxBytes: testBytes}); err != nil {
		t.Fatal(err)
	}
	p := sources.NewPublisher(js, s.Gate(t))
	if _, err := p.Publish(t.Context(), newEvent("before")); err != nil {
		t.Fatal(err)
	}
	stop()
	<-ended
	for i := range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		ack, err := p.Publish(ctx, newEvent("unflushed"))
		cancel()
		if err == nil {
			t.Errorf("publish %d was acknowledged without a flush: %+v", i, ack)
		}
	}
	if n := stored(t, js); n != 2 {
		t.Errorf("%d messages: the event was to be stored, though not acknowledged", n)
	}
}

func TestAnEventNeedsItsNames(t *testing.T) {
	p := newBench(t, sources.Limits{MaxBytes: testBytes})
	for _, change := range []func(*proto.Event){
		func(e *proto.Event) { e.ID = "" }, func(e *proto.Event) { e.Type = "" }, func(e *proto.Event) { e.Source = "" },
	} {
		e := newEvent("x")
		change(e)
		if _, err := p.Publish(t.Context(), e); err == nil {
			t.Errorf("published %+v", e)
		}
	}
}

func TestWhileNATSIsAwayPublishFailsAtOnce(t *testing.T) {
	p := newBench(t, sources.Limits{MaxBytes: testBytes})
	lost := p.js.Conn().StatusChanged(nats.RECONNECTING, nats.DISCONNECTED)
	p.server.Down()
	<-lost
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := p.Publish(ctx, newEvent("away")); err == nil {
		t.Fatal("published without a server")
	}
	if ctx.Err() != nil {
		t.Error("that the server is away is noticed only at the deadline")
	}
	p.server.Up(t)
	publishUntilTaken(t, p.Publisher, newEvent("back"))
	if n := stored(t, p.js); n != 1 {
		t.Errorf("%d events are stored: what was reported as failed came after all", n)
	}
}

func TestFullStreamRefusesAndLosesNothing(t *testing.T) {
	p := newBench(t, sources.Limits{MaxBytes: 64 << 10})
	taken := uint64(0)
	var err error
	for i := 0; err == nil; i++ {
		e := newEvent(fmt.Sprint(i))
		e.Body = make([]byte, 4<<10)
		if _, err = p.Publish(t.Context(), e); err == nil {
			taken++
		}
	}
	if n := stored(t, p.js); n != taken || taken == 0 {
		t.Errorf("%d stored, %d acknowledged", n, taken)
	}
}

// TestRestartsLoseAndDoubleNothing publishes while the server is restarted again
// and again. Whoever gets an error publishes again, as Zoom does.
func TestRestartsLoseAndDoubleNothing(t *testing.T) {
	p := newBench(t, sources.Limits{MaxBytes: testBytes})
	const writers, each = 8, 60
	var done atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				publishUntilTaken(t, p.Publisher, newEvent(fmt.Sprintf("%d-%d", w, i)))
				done.Add(1)
			}
		})
	}
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()
	for next := int64(writers * each / 6); ; next += writers * each / 6 {
		if !reached(&done, next, finished) {
			break
		}
		p.server.Restart(t)
	}
	publishUntilTaken(t, p.Publisher, newEvent("0-0")) // a duplicate: the connection is there again
	if n := stored(t, p.js); n != writers*each {
		t.Errorf("%d events stored, want %d", n, writers*each)
	}
}

func publishUntilTaken(t *testing.T, p *sources.Publisher, e *proto.Event) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		_, err := p.Publish(ctx, e)
		cancel()
		if err == nil {
			return
		}
		if t.Failed() || errors.Is(t.Context().Err(), context.Canceled) {
			return
		}
	}
}

// reached waits until that many are done, or all.
func reached(done *atomic.Int64, n int64, all <-chan struct{}) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for done.Load() < n {
		select {
		case <-all:
			return false
		case <-tick.C:
		}
	}
	return true
}

func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newBench(b, sources.Limits{MaxBytes: testBytes})
			var id atomic.Int64
			b.SetParallelism(n)
			b.ReportAllocs()
			flushes := p.gate.Flushes()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					e := newEvent(fmt.Sprint(id.Add(1)))
					e.Body = make([]byte, 700)
					if _, err := p.Publish(b.Context(), e); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(p.gate.Flushes()-flushes)/float64(b.N), "flushes/op")
		})
	}
}

package zoom_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// station is a handler on a real NATS.
type station struct {
	*zoom.Handler
	server *natstest.Server
	js     jetstream.JetStream
}

func newStation(t testing.TB, s *natstest.Server) *station {
	t.Helper()
	js, gate := s.JetStream(t), s.Gate(t)
	if err := sources.Create(t.Context(), js, sources.Limits{MaxBytes: 64 << 20}); err != nil {
		t.Fatal(err)
	}
	keys, err := sealed.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	p := sources.NewPublisher(js, gate)
	h, err := zoom.NewHandler(zoom.Config{Apps: []zoom.App{{Name: "main", Secrets: []string{secret}}}, Key: keys.Public(),
		Publish: p.Publish, Room: p.Room, MaxPayload: js.Conn().MaxPayload})
	if err != nil {
		t.Fatal(err)
	}
	return &station{Handler: h, server: s, js: js}
}

func (s *station) post(body string) int {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, signed(secret, time.Now(), body))
	return w.Code
}

// ids returns the ce-id of every event stored.
func (s *station) ids(t testing.TB) []string {
	t.Helper()
	stream, err := s.js.Stream(context.Background(), proto.Events)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		m, err := stream.GetMsg(context.Background(), seq)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.Header["ce-id"][0])
	}
	return ids
}

func (s *station) count(o zoom.Outcome) int64 { return s.Stats()[0].Counts[o] }

func TestOneEventManyTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		server := natstest.Start(t)
		defer server.Stop()
		s := newStation(t, server)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				// Deliveries of one event differ in what is no part of it.
				body := strings.Replace(ended, `"topic":`, `"download_url":"https://x/`+strconv.Itoa(i)+`","topic":`, 1)
				if code := s.post(body); code != 204 {
					t.Errorf("delivery %d is answered %d", i, code)
				}
			})
		}
		wg.Wait()
		if ids := s.ids(t); len(ids) != 1 || s.count(zoom.Accepted) != 1 || s.count(zoom.Duplicate) != 49 {
			t.Fatalf("stored %v, counted %+v", ids, s.Stats()[0].Counts)
		}
		time.Sleep(85 * time.Minute) // Zoom's last retry
		if code := s.post(ended); code != 204 || len(s.ids(t)) != 1 {
			t.Errorf("at Zoom's last retry: %d, stored %v", code, s.ids(t))
		}
		time.Sleep(3 * time.Hour)
		if code := s.post(ended); code != 204 {
			t.Errorf("3 hours later: %d", code)
		}
		// Stored a second time, under the same id: the run's id takes care of it.
		if ids := s.ids(t); len(ids) != 2 || ids[0] != ids[1] {
			t.Errorf("stored %v", ids)
		}
	})
}

func TestNATSAwayLosesNothing(t *testing.T) {
	s := newStation(t, natstest.Start(t))
	if code := s.post(ended); code != 204 {
		t.Fatalf("answered %d", code)
	}
	lost := s.js.Conn().StatusChanged(nats.RECONNECTING, nats.DISCONNECTED)
	back := s.js.Conn().StatusChanged(nats.CONNECTED)
	s.server.Down()
	<-lost
	second := strings.Replace(ended, "1790002846000", "1790002846001", 1)
	start := time.Now()
	if code := s.post(second); code != 503 || time.Since(start) > 2900*time.Millisecond {
		t.Errorf("without NATS: %d after %v", code, time.Since(start))
	}
	if code := s.post(validation("x")); code != 200 {
		t.Errorf("URL validation without NATS: %d", code)
	}
	s.server.Up(t)
	<-back
	if code := s.post(second); code != 204 {
		t.Errorf("Zoom's retry: %d", code)
	}
	if code := s.post(ended); code != 204 {
		t.Errorf("the first one again: %d", code)
	}
	if ids := s.ids(t); len(ids) != 2 {
		t.Errorf("stored %v", ids)
	}
}

func TestFlushFailureIs503(t *testing.T) {
	server := natstest.Start(t, natstest.NoFlusher)
	f := durable.NewFlusher(server.Connect(t), filepath.Join(server.Embedded().StoreDir(), "$G"), durable.FlusherOptions{Reserve: 1})
	ctx, stop := context.WithCancel(t.Context())
	ended1 := make(chan error, 1)
	go func() { ended1 <- f.Run(ctx) }()
	<-f.Ready()
	s := newStation(t, server)
	if code := s.post(ended); code != 204 {
		t.Fatalf("answered %d", code)
	}
	stop()
	<-ended1
	for range 2 { // a duplicate of what is not flushed is no better
		if code := s.post(strings.Replace(ended, "1790002846000", "1790002846001", 1)); code != 503 {
			t.Errorf("without a flush: %d", code)
		}
	}
	if s.count(zoom.Accepted) != 1 {
		t.Errorf("counted %+v", s.Stats()[0].Counts)
	}
}

func TestBodyAtTheServersLimit(t *testing.T) {
	s := newStation(t, natstest.Start(t))
	for size, want := range map[int]int{1<<20 - 1: 204, 1 << 20: 204, 1<<20 + 1: 413} {
		if code := s.post(padded(size)); code != want {
			t.Errorf("%d bytes: %d, want %d", size, code, want)
		}
	}
}

func TestFullStreamIs503AndTakesEventsAgain(t *testing.T) {
	s := newStation(t, natstest.Start(t))
	if err := sources.Create(t.Context(), s.js, sources.Limits{MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	body := func(i int) string {
		return strings.Replace(padded(200<<10), "1790002846000", strconv.Itoa(1790002846000+i), 1)
	}
	taken := 0
	for s.post(body(taken)) == 204 {
		taken++
	}
	if ids := s.ids(t); len(ids) != taken || taken < 3 || s.count(zoom.Unavailable) != 1 {
		t.Fatalf("%d taken, stored %v, counted %+v", taken, ids, s.Stats()[0].Counts)
	}
	stream, _ := s.js.Stream(t.Context(), proto.Events)
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := s.post(body(taken)); code != 204 {
		t.Errorf("with room again: %d", code)
	}
}

func BenchmarkWebhook(b *testing.B) {
	s := newStation(b, natstest.Start(b))
	var mu sync.Mutex
	n := 0
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			n++
			body := strings.Replace(ended, "1790002846000", strconv.Itoa(1790002846000+n), 1)
			mu.Unlock()
			if code := s.post(body); code != 204 {
				b.Error(code)
				return
			}
		}
	})
}

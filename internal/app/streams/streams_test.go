package streams

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/internal/settings"
	"zflow/proto"
	"zflow/sources"
)

func TestStreamsFitOnTheDisk(t *testing.T) {
	want := settings.Default().Streams
	if got, smaller := Fit(want, durable.Disk{}); smaller || got != want {
		t.Error("limits changed for a disk that nobody measured")
	}
	if got, smaller := Fit(want, durable.Disk{Size: 1 << 40}); smaller || got != want {
		t.Error("limits changed for a disk that is large enough")
	}
	got, smaller := Fit(want, durable.Disk{Size: 3 << 30})
	sum := got.EventsBytes + got.RunsBytes + got.WakesBytes
	if !smaller || sum > 3<<30 || sum < 2<<30 || got.EventsBytes < 5*got.WakesBytes-10 {
		t.Errorf("on 3 GiB: %+v", got)
	}
	if got.EventsAge != want.EventsAge || got.RunsAge != want.RunsAge {
		t.Error("ages changed")
	}
}

// TestStreamsFitOnAServer: a stock server reserves what its store has, and tells
// nobody how much that is.
func TestStreamsFitOnAServer(t *testing.T) {
	store := int64(2 << 30)
	dir := t.TempDir()
	start := func() jetstream.JetStream {
		s := natstest.Start(t, natstest.NoFlusher, natstest.Dir(dir), natstest.Configure(func(o *server.Options) { o.JetStreamMaxStore = store }))
		t.Cleanup(s.Stop)
		return s.JetStream(t)
	}
	bytes := func(js jetstream.JetStream, name string) int64 {
		s, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().Config.MaxBytes
	}
	js, want := start(), settings.Default().Streams
	if err := sources.Create(t.Context(), js, sources.Limits{MaxBytes: 2 << 30}); err != nil { // ingest was first
		t.Fatal(err)
	}
	if err := MakeIn(t.Context(), js, want, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	events, runs, wakes := bytes(js, proto.Events), bytes(js, proto.Runs), bytes(js, proto.Wakes)
	if sum := events + runs + wakes; sum > store || sum < store/4 || events != runs {
		t.Errorf("limits: %d %d %d", events, runs, wakes)
	}
	// The next start finds them, and keeps them.
	if err := MakeIn(t.Context(), js, want, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	if bytes(js, proto.Events) != events || bytes(js, proto.Runs) != runs || bytes(js, proto.Wakes) != wakes {
		t.Error("the limits have changed")
	}
	store, dir = 8<<20, t.TempDir()
	err := MakeIn(t.Context(), start(), want, zap.NewNop())
	if err == nil || !strings.Contains(err.Error(), "raise its max_file_store") {
		t.Errorf("on a tiny store: %v", err)
	}
}

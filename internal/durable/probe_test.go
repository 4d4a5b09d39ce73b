package durable_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/natstest"
)

// TestRefusal: a stream that has seen a write error is told from a sound one
// without writing to either.
func TestRefusal(t *testing.T) {
	s := natstest.Start(t, natstest.NoFlusher)
	js := s.JetStream(t)
	f := durable.NewFlusher(s.Connect(t), s.Dir(), durable.FlusherOptions{})
	c := jetstream.StreamConfig{Name: "SICK", Subjects: []string{"zflow.event.>"}, MaxBytes: smallBlocks}
	create(t, js, c)
	for _, other := range []jetstream.StreamConfig{
		{Name: "SOUND"}, {Name: "NODELETE", DenyDelete: true}, {Name: "QUEUE", Retention: jetstream.WorkQueuePolicy},
	} {
		create(t, js, other)
		if why := durable.Refusal(f, t.Context(), other.Name); why != "" {
			t.Errorf("stream %s refuses: %s", other.Name, why)
		}
	}
	if _, err := js.Publish(t.Context(), "zflow.event.x", nil); err != nil {
		t.Fatal(err)
	}
	if why := durable.Refusal(f, t.Context(), "SICK"); why != "" {
		t.Errorf("before the error: refuses: %s", why)
	}

	// A file in the place of the folder: the next block cannot be made.
	msgs := filepath.Join(s.Dir(), "jetstream", "$G", "streams", "SICK", "msgs")
	if err := os.Rename(msgs, msgs+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(msgs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		_, err = js.Publish(t.Context(), "zflow.event.x", make([]byte, 10_000))
	}
	if err == nil {
		t.Fatal("the server took every message: the test proves nothing")
	}
	if why := durable.Refusal(f, t.Context(), "SICK"); !strings.Contains(why, "not a directory") {
		t.Errorf("after the error: %q, want that error", why)
	}
}

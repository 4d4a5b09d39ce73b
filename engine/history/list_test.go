package history_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/history"
	"zflow/internal/natstest"
	wire "zflow/proto"
)

// Heads finds every run's last append, also of more runs than are asked for at a
// time, each of which has more messages than subjects.
func TestHeadsAreTheLastAppendsOfAllRuns(t *testing.T) {
	s := natstest.Start(t)
	js, ctx := s.JetStream(t), context.Background()
	if err := history.Create(ctx, js, history.Limits{Bytes: 1 << 28}); err != nil {
		t.Fatal(err)
	}
	store, err := history.Open(ctx, js, s.Gate(t))
	if err != nil {
		t.Fatal(err)
	}
	const runs = 6000
	for n := range runs {
		last := "completed"
		if n%10 == 0 {
			last = "waiting"
		}
		for _, state := range []string{"running", "running", last} {
			if _, err := js.PublishAsync(wire.RunSubject("hello", fmt.Sprintf("run%d", n), state), nil, jetstream.WithStallWait(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
	}
	<-js.PublishAsyncComplete()
	for _, c := range []struct {
		workflow string
		states   []string
		want     int
	}{{"", nil, runs}, {"hello", []string{"completed"}, runs * 9 / 10}, {"", []string{"waiting"}, runs / 10}, {"hello", []string{"running"}, 0}, {"other", nil, 0}} {
		got := map[string]bool{}
		err := store.Heads(ctx, c.workflow, c.states, func(h history.Head) error { got[h.Run] = true; return nil })
		if err != nil || len(got) != c.want {
			t.Errorf("%q %v: %d runs (%v), want %d", c.workflow, c.states, len(got), err, c.want)
		}
	}
	stop := fmt.Errorf("enough")
	if err := store.Heads(ctx, "", nil, func(history.Head) error { return stop }); err != stop {
		t.Errorf("a caller that has enough gets %v", err)
	}
}

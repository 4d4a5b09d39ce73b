package history_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"zflow/engine/history"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// among stores histories of a few appends each, whose messages lie between each
// other's.
func among(t testing.TB, s *history.Store, runs, appends int) {
	t.Helper()
	cursors := make([]history.Cursor, runs)
	for n := range appends {
		for i := range cursors {
			a := history.Append{Workflow: "flow", Run: fmt.Sprint("run", i), State: "running", Epoch: 1, Facts: []*v1.Fact{skipped(uint64(n + 1))}}
			if n == appends-1 {
				a.State = "waiting"
			}
			if err := s.Append(context.Background(), &cursors[i], a); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Each run has its own appends and no other's, wherever they lie.
func TestLoadAmongOthers(t *testing.T) {
	s, _ := open(t)
	among(t, s, 7, 5)
	for i := range 7 {
		h, err := s.Load(t.Context(), "flow", fmt.Sprint("run", i))
		if err != nil || len(h.Appends) != 5 || h.Appends[4].State != "waiting" {
			t.Fatalf("run %d: %v, %v", i, h, err)
		}
		for n, sequence := range h.Sequences {
			if want := uint64(7*n + i + 1); sequence != want {
				t.Errorf("append %d of run %d is message %d, not %d", n+1, i, sequence, want)
			}
		}
	}
}

// A history is the same however it was stored: a copy that does not say behind
// which message each append was written is read from its beginning.
func TestLoadACopy(t *testing.T) {
	s, server := open(t)
	among(t, s, 3, 4)
	rewrite(t, server.JetStream(t), func(m *nats.Msg, _ uint64) { unexpecting(m) })
	h, err := reopen(t, server).Load(t.Context(), "flow", "run1")
	if err != nil || len(h.Appends) != 4 || h.Cursor.Sequence != 11 {
		t.Errorf("%v, %v", h, err)
	}
}

// What is not as it was written is found, though the history is read from its end.
func TestLoadFindsDamage(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*nats.Msg)
		refuse bool // by the server, which is told not to look
		why    string
	}{
		"an append is another run's": {func(m *nats.Msg) { m.Subject = wire.RunSubject("flow", "stranger", "running") }, true, "append 4 follows append 2"},
		"an append is altered":       {func(m *nats.Msg) { m.Data = altered(t, m.Data) }, false, "append 3 is not as it was written"},
	} {
		t.Run(name, func(t *testing.T) {
			s, server := open(t)
			among(t, s, 3, 4)
			rewrite(t, server.JetStream(t), func(m *nats.Msg, n uint64) {
				if n == 8 { // the third of run1
					c.change(m)
				}
				if c.refuse && n >= 8 {
					unexpecting(m)
				}
			})
			var damaged *history.Damaged
			if _, err := reopen(t, server).Load(t.Context(), "flow", "run1"); !errors.As(err, &damaged) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v", err)
			}
		})
	}
}

// unexpecting makes the server take a message behind any other.
func unexpecting(m *nats.Msg) {
	for name := range m.Header {
		if strings.HasPrefix(name, "Nats-Expected-") {
			m.Header.Del(name)
		}
	}
}

// BenchmarkLoadAmongMany loads a short history out of a stream of many runs.
func BenchmarkLoadAmongMany(b *testing.B) {
	s, _ := open(b)
	among(b, s, 20_000, 2)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		h, err := s.Load(context.Background(), "flow", fmt.Sprint("run", n*7919%20_000))
		if err != nil || len(h.Appends) != 2 {
			b.Fatal(len(h.Appends), err)
		}
	}
}

package history_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/engine/history"
	"zflow/internal/natstest"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// runs writes histories of four appends each, one after another in turn: message
// 1 is the first of the first run, message 2 that of the second.
func runs(t *testing.T, s *history.Store, names ...string) {
	t.Helper()
	cursors := make([]history.Cursor, len(names))
	begun := time.Now().UTC().Format(time.RFC3339Nano)
	for n, state := range []string{"running", "waiting", "running", "completed"} {
		for i, run := range names {
			fact := skipped(uint64(n + 1))
			if n == 0 {
				fact = started(1)
			}
			a := history.Append{Workflow: "flow", Run: run, State: state, Epoch: 1, Facts: []*v1.Fact{fact}, Header: nats.Header{"zflow-started-at": {begun}}}
			if err := s.Append(t.Context(), &cursors[i], a); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// rewrite makes RUNS anew as its own copy, message by message at the same
// sequences, and as nobody who keeps histories would have it: messages of it can
// be deleted, and change may alter one.
func rewrite(t *testing.T, js jetstream.JetStream, change func(*nats.Msg, uint64)) jetstream.Stream {
	t.Helper()
	old, err := js.Stream(t.Context(), wire.Runs)
	if err != nil {
		t.Fatal(err)
	}
	var all []*nats.Msg
	for n := old.CachedInfo().State.FirstSeq; n <= old.CachedInfo().State.LastSeq; n++ {
		m, err := old.GetMsg(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		copied := &nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data}
		change(copied, n)
		all = append(all, copied)
	}
	config := old.CachedInfo().Config
	config.DenyDelete = false
	if err := js.DeleteStream(t.Context(), wire.Runs); err != nil {
		t.Fatal(err)
	}
	s, err := js.CreateStream(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// altered is an append with another fact in it.
func altered(t *testing.T, data []byte) []byte {
	t.Helper()
	f := &v1.Facts{}
	if err := proto.Unmarshal(data, f); err != nil {
		t.Fatal(err)
	}
	f.Facts[0].At += 1000
	data, err := proto.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// bad lists what Verify found, a line a run, and says that Load finds the same.
func bad(t *testing.T, s *history.Store) string {
	t.Helper()
	found, err := s.Verify(t.Context(), func(uint64, uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, b := range found.Bad {
		lines = append(lines, fmt.Sprintf("%s %s at %d, aged %v: %s", b.Workflow, b.Run, b.Sequence, b.Aged, b.Why))
		var loaded *history.Damaged
		if _, err := s.Load(t.Context(), b.Workflow, b.Run); !errors.As(err, &loaded) || loaded.Sequence != b.Sequence || loaded.Aged != b.Aged {
			t.Errorf("loading what was found bad: %v", err)
		}
	}
	return strings.Join(lines, "\n")
}

func TestVerifyWholeStore(t *testing.T) {
	s, _ := open(t)
	none, err := s.Verify(t.Context(), func(uint64, uint64) { t.Error("progress over nothing") })
	if err != nil || none.Runs != 0 || none.Bad != nil {
		t.Errorf("an empty store: %+v, %v", none, err)
	}
	runs(t, s, "a", "b", "c")
	var last, of uint64
	found, err := s.Verify(t.Context(), func(done, all uint64) {
		if done != last+1 {
			t.Errorf("progress goes from %d to %d", last, done)
		}
		last, of = done, all
	})
	if err != nil || found.Runs != 3 || found.Appends != 12 || len(found.Bad) != 0 || last != 12 || of != 12 {
		t.Errorf("%+v, progress %d of %d, %v", found, last, of, err)
	}
}

// Each way to damage a store for real is found, at the message where it shows,
// and only there.
func TestVerifyDamagedStore(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, m *nats.Msg, n uint64)
		remove uint64
		want   string
	}{
		"deleted in the middle": {remove: 4, want: "flow b at 6, aged false: append 3 follows append 1"},
		"its first deleted":     {remove: 1, want: "flow a at 3, aged false: the history begins with append 2, and that begins no generation"},
		"overwritten": {change: func(t *testing.T, m *nats.Msg, n uint64) {
			if n == 5 {
				m.Data = altered(t, m.Data)
			}
		}, want: "flow a at 5, aged false: append 3 is not as it was written"},
		"overwritten, and its hash too": {change: func(t *testing.T, m *nats.Msg, n uint64) {
			if n == 5 {
				m.Data = altered(t, m.Data)
				m.Header.Del("zflow-hash")
			}
		}, want: "flow a at 7, aged false: append 3 is not the one that append 4 was written behind"},
		"its last overwritten": {change: func(t *testing.T, m *nats.Msg, n uint64) {
			if n == 8 {
				m.Data = altered(t, m.Data)
			}
		}, want: "flow b at 8, aged false: append 4 is not as it was written"},
		"two of one run": {change: func(t *testing.T, m *nats.Msg, n uint64) {
			if n == 3 || n == 7 {
				m.Data = altered(t, m.Data)
			}
		}, want: "flow a at 3, aged false: append 2 is not as it was written"},
	} {
		t.Run(name, func(t *testing.T) {
			s, server := open(t)
			runs(t, s, "a", "b")
			stream := rewrite(t, server.JetStream(t), func(m *nats.Msg, n uint64) {
				if c.change != nil {
					c.change(t, m, n)
				}
			})
			if c.remove > 0 {
				if err := stream.DeleteMsg(t.Context(), c.remove); err != nil {
					t.Fatal(err)
				}
			}
			if got := bad(t, reopen(t, server)); got != c.want {
				t.Errorf("found\n%s\nnot\n%s", got, c.want)
			}
		})
	}
}

// An altered copy that somebody appended stands behind the end, with the number of
// what it is a copy of.
func TestVerifyAppendedCopy(t *testing.T) {
	s, server := open(t)
	runs(t, s, "a")
	js := server.JetStream(t)
	stream, err := js.Stream(t.Context(), wire.Runs)
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetMsg(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: m.Subject, Data: altered(t, m.Data)}); err != nil {
		t.Fatal(err)
	}
	if got := bad(t, s); got != "flow a at 5, aged false: append 2 follows append 4" {
		t.Error(got)
	}
}

// What RUNS dropped for its age is told apart from what somebody took out, also
// where both are gone from the head of the stream.
func TestVerifyAgedStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		server := natstest.Start(t)
		js := server.JetStream(t)
		if err := history.Create(t.Context(), js, history.Limits{Bytes: 1 << 26, Age: 24 * time.Hour}); err != nil {
			t.Fatal(err)
		}
		s := reopen(t, server)
		append := func(run, state string, c *history.Cursor, header nats.Header) {
			fact := skipped(c.Number + 1)
			if c.Number == 0 {
				fact = started(1)
			}
			if err := s.Append(t.Context(), c, history.Append{Workflow: "flow", Run: run, State: state, Facts: []*v1.Fact{fact}, Header: header}); err != nil {
				t.Fatal(err)
			}
		}
		now := func() nats.Header {
			return nats.Header{"zflow-started-at": {time.Now().UTC().Format(time.RFC3339Nano)}}
		}
		purge := func(opts ...jetstream.StreamPurgeOpt) {
			stream, err := js.Stream(t.Context(), wire.Runs)
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.Purge(t.Context(), opts...); err != nil {
				t.Fatal(err)
			}
		}
		var old, young history.Cursor
		oldHeader := now()
		append("old", "waiting", &old, oldHeader)
		time.Sleep(23 * time.Hour)
		youngHeader := now()
		append("young", "waiting", &young, youngHeader)
		append("old", "running", &old, oldHeader)
		append("old", "completed", &old, oldHeader)
		append("young", "completed", &young, youngHeader)
		if got := bad(t, s); got != "" {
			t.Errorf("before anything aged: %s", got)
		}
		time.Sleep(2 * time.Hour)
		if got := bad(t, s); got != "flow old at 3, aged true: the history begins with append 2, and that begins no generation" {
			t.Errorf("after the first append aged: %s", got)
		}
		purge(jetstream.WithPurgeSubject(wire.RunSubject("flow", "old", "running")))
		if got := bad(t, s); got != "flow old at 4, aged false: the history begins with append 3, and that begins no generation" {
			t.Errorf("after one behind the head was taken out: %s", got)
		}
		purge(jetstream.WithPurgeSequence(5))
		if got := bad(t, s); got != "flow young at 5, aged false: the history begins with append 2, and that begins no generation" {
			t.Errorf("after a purge of the head: %s", got)
		}
	})
}

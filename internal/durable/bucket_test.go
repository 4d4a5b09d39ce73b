package durable_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/natstest"
)

const tries = "TRIES"

func openBucket(t testing.TB, s *natstest.Server) *durable.Bucket {
	t.Helper()
	must(t, durable.CreateBucket(t.Context(), s.JetStream(t), tries, "for tests", 1))
	b, err := durable.OpenBucket(t.Context(), s.JetStream(t), s.Gate(t), tries)
	must(t, err)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func value(t testing.TB, b *durable.Bucket, key string) string {
	t.Helper()
	e, err := b.Get(context.Background(), key)
	must(t, err)
	return string(e.Value)
}

func to(text string) func([]byte) ([]byte, error) {
	return func([]byte) ([]byte, error) { return []byte(text), nil }
}

func TestBucketSwaps(t *testing.T) {
	s := natstest.Start(t)
	b := openBucket(t, s)
	ctx := t.Context()
	none, err := b.Get(ctx, "a.b")
	if err != nil || none.Value != nil {
		t.Fatalf("an entry that is not there: %v, %v", none, err)
	}
	must(t, b.Swap(ctx, "a.b", none, []byte("1"), 0))
	if err := b.Swap(ctx, "a.b", none, []byte("2"), 0); !errors.Is(err, durable.ErrConflict) {
		t.Errorf("made twice: %v", err)
	}
	one, err := b.Get(ctx, "a.b")
	must(t, err)
	must(t, b.Swap(ctx, "a.b", one, []byte("2"), 0))
	if err := b.Swap(ctx, "a.b", one, nil, 0); !errors.Is(err, durable.ErrConflict) || value(t, b, "a.b") != "2" {
		t.Errorf("removed behind a change: %v", err)
	}
	must(t, b.Change(ctx, "a.b", func([]byte) ([]byte, error) { return nil, nil }))
	gone, err := b.Get(ctx, "a.b")
	if err != nil || gone.Value != nil {
		t.Errorf("a removed entry is %q, %v", gone.Value, err)
	}
	must(t, b.Swap(ctx, "a.b", gone, nil, 0)) // nothing to do
	must(t, b.Swap(ctx, "a.b", gone, []byte("3"), 0))
	stream, err := s.JetStream(t).Stream(ctx, "KV_"+tries)
	must(t, err)
	if stream.CachedInfo().Config.AllowDirect {
		t.Error("what decides is read from the leader")
	}
}

// A removed entry leaves a marker, for a while; an entry may have a life too.
func TestBucketForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := natstest.Start(t)
		b := openBucket(t, s)
		must(t, b.Change(t.Context(), "a", to("1")))
		must(t, b.Change(t.Context(), "a", to("")))
		none, err := b.Get(t.Context(), "b")
		must(t, err)
		must(t, b.Swap(t.Context(), "b", none, []byte("2"), time.Hour))
		must(t, b.Change(t.Context(), "c.1", to("3")))
		must(t, b.Remove(t.Context(), "c.1"))
		must(t, b.Remove(t.Context(), "c.1"))
		left := func() uint64 {
			stream, err := s.JetStream(t).Stream(t.Context(), "KV_"+tries)
			must(t, err)
			return stream.CachedInfo().State.Msgs
		}
		if n := left(); n != 2 {
			t.Errorf("%d messages are left, want the marker and the entry with a life", n)
		}
		time.Sleep(3 * time.Minute)
		if n := left(); n != 1 || value(t, b, "b") != "2" {
			t.Errorf("%d messages are left, want the entry with a life", n)
		}
		must(t, b.Change(t.Context(), "a", to("4"))) // as if it had never been
		time.Sleep(time.Hour)
		if n := left(); n != 1 || value(t, b, "a") != "4" {
			t.Errorf("%d messages are left, want the new entry", n)
		}
	})
}

func TestBucketBelow(t *testing.T) {
	b := openBucket(t, natstest.Start(t))
	for _, key := range []string{"a.1", "a.2", "a.2.x", "ab.1", "b.1"} {
		must(t, b.Change(t.Context(), key, to("x")))
	}
	keys, err := b.Below(t.Context(), "a")
	if err != nil || len(keys) != 2 || !strings.HasPrefix(keys[0], "a.") || !strings.HasPrefix(keys[1], "a.") || keys[0] == keys[1] {
		t.Errorf("%v, %v", keys, err)
	}
	if keys, err = b.Below(t.Context(), "none"); err != nil || len(keys) != 0 {
		t.Errorf("%v, %v", keys, err)
	}
}

// Rivals in one process and in others lose no change of each other.
func TestBucketRivals(t *testing.T) {
	s := natstest.Start(t)
	var group sync.WaitGroup
	const processes, each, times = 4, 8, 5
	for range processes {
		b := openBucket(t, s)
		for range each {
			group.Go(func() {
				for range times {
					err := b.Durably(context.Background(), func() error {
						return b.Change(context.Background(), "n", func(old []byte) ([]byte, error) {
							n, _ := strconv.Atoi(string(old))
							return strconv.AppendInt(nil, int64(n+1), 10), nil
						})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	if n := value(t, openBucket(t, s), "n"); n != strconv.Itoa(processes*each*times) {
		t.Errorf("%s of %d changes are there", n, processes*each*times)
	}
}

// Who always loses gives up, with an error that says so; who is canceled at once.
func TestBucketGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		b := openBucket(t, natstest.Start(t))
		times := 0
		err := b.Durably(t.Context(), func() error { times++; return durable.ErrConflict })
		if !errors.Is(err, durable.ErrConflict) || !strings.Contains(err.Error(), "giving up after 100 tries") || times != 100 {
			t.Errorf("after %d tries: %v", times, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("stop")
		err = b.Durably(ctx, func() error { cancel(stop); return durable.ErrConflict })
		if !errors.Is(err, stop) {
			t.Errorf("canceled: %v", err)
		}
		wrong := errors.New("wrong")
		if err := b.Durably(t.Context(), func() error { return wrong }); !errors.Is(err, wrong) {
			t.Errorf("another error: %v", err)
		}
	})
}

// What was read before a restart is not replaced after it: its revision may be
// another's by then. Durably reads again.
func TestBucketOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := natstest.Start(t)
		b := openBucket(t, s)
		must(t, b.Change(t.Context(), "a", to("1")))
		e, err := b.Get(t.Context(), "a")
		must(t, err)
		s.Restart(t)
		time.Sleep(time.Second)
		if err := b.Swap(t.Context(), "a", e, []byte("2"), 0); !errors.Is(err, durable.ErrChanged) || value(t, b, "a") != "1" {
			t.Errorf("swapped over a restart: %v", err)
		}
		times := 0
		must(t, b.Durably(t.Context(), func() error {
			if times++; times == 1 { // its writing is done, its flush is not
				must(t, b.Change(t.Context(), "a", to("3")))
				s.Restart(t)
				time.Sleep(time.Second)
			}
			return nil
		}))
		if times != 2 {
			t.Errorf("done %d times, want again after the restart", times)
		}
	})
}

// While one changes a key, others of the process wait, and can be canceled.
func TestBucketWaitsInLine(t *testing.T) {
	b := openBucket(t, natstest.Start(t))
	ctx, cancel := context.WithCancel(t.Context())
	err := b.Change(t.Context(), "a", func([]byte) ([]byte, error) {
		cancel()
		return []byte("1"), b.Change(ctx, "a", to("2"))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a second change at once: %v", err)
	}
}

func TestOpenABucketThatIsNotThere(t *testing.T) {
	s := natstest.Start(t)
	if _, err := durable.OpenBucket(t.Context(), s.JetStream(t), s.Gate(t), "NONE"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("opened: %v", err)
	}
}

// BenchmarkBucketChange is one durable change after another.
func BenchmarkBucketChange(b *testing.B) {
	s := openBucket(b, natstest.Start(b))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		must(b, s.Durably(context.Background(), func() error {
			return s.Change(context.Background(), "a", to(strconv.Itoa(n)))
		}))
	}
}

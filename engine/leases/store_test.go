package leases_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"zflow/engine/leases"
	"zflow/internal/natstest"
)

func bubble(t *testing.T, test func(*testing.T, *leases.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := natstest.Start(t)
		if err := leases.Create(t.Context(), s.JetStream(t), 1); err != nil {
			t.Fatal(err)
		}
		store, err := leases.Open(t.Context(), s.JetStream(t))
		if err != nil {
			t.Fatal(err)
		}
		test(t, store)
	})
}

// there says whether a worker's lease is there.
func there(t *testing.T, s *leases.Store, worker string) bool {
	t.Helper()
	_, ok, err := s.Get(t.Context(), worker)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLease(t *testing.T) {
	bubble(t, func(t *testing.T, s *leases.Store) {
		if there(t, s, "w1") {
			t.Error("a lease that was never put is there")
		}
		must(t, s.Put(t.Context(), "w1"))
		must(t, s.Put(t.Context(), "w2"))
		put := time.Now()
		if at, ok, err := s.Get(t.Context(), "w1"); !ok || err != nil || at.Sub(put).Abs() > time.Second {
			t.Errorf("put at %v, found from %v, %v", put, at, err)
		}
		must(t, s.Delete(t.Context(), "w2"))
		if there(t, s, "w2") {
			t.Error("a lease that was given back is there")
		}
		must(t, s.Delete(t.Context(), "nobody"))
	})
}

// A lease lasts for its age after the last put, and not much longer.
func TestLeaseAges(t *testing.T) {
	bubble(t, func(t *testing.T, s *leases.Store) {
		for range 20 {
			must(t, s.Put(t.Context(), "w1"))
			time.Sleep(1500 * time.Millisecond)
			if !there(t, s, "w1") {
				t.Fatal("a lease that is renewed is gone")
			}
		}
		must(t, s.Put(t.Context(), "w1"))
		time.Sleep(leases.Age - 200*time.Millisecond)
		if !there(t, s, "w1") {
			t.Error("a lease is gone before its age")
		}
		time.Sleep(1500 * time.Millisecond)
		if there(t, s, "w1") {
			t.Error("a lease is there after its age")
		}
	})
}

func TestClear(t *testing.T) {
	bubble(t, func(t *testing.T, s *leases.Store) {
		must(t, s.Clear(t.Context())) // nothing
		must(t, s.Put(t.Context(), "w1"))
		left := func(ctx context.Context) error { return s.Clear(ctx) }
		held, err := s.While(t.Context(), "sweep", "w1", left)
		if must(t, err); !held {
			t.Error("not held")
		}
		if there(t, s, "w1") {
			t.Error("a lease is left")
		}
		if held, err := s.While(t.Context(), "sweep", "w2", nothing); !held || err != nil {
			t.Errorf("a lock is left: %v, %v", held, err)
		}
	})
}

// A mark stays, long after any lease.
func TestMark(t *testing.T) {
	bubble(t, func(t *testing.T, s *leases.Store) {
		done, err := s.Done(t.Context(), "sweep.S1")
		if done || err != nil {
			t.Errorf("before: %v, %v", done, err)
		}
		must(t, s.Mark(t.Context(), "sweep.S1"))
		must(t, s.Mark(t.Context(), "sweep.S1"))
		time.Sleep(time.Hour)
		if done, err = s.Done(t.Context(), "sweep.S1"); !done || err != nil {
			t.Errorf("after: %v, %v", done, err)
		}
		if done, err = s.Done(t.Context(), "sweep.S2"); done || err != nil {
			t.Errorf("another: %v, %v", done, err)
		}
	})
}

// A mark has a life of its own: the bucket has no age, since a once may be for years.
func TestAMarkIsNotForEver(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	must(t, leases.Create(t.Context(), js, 1))
	s, err := leases.Open(t.Context(), js)
	must(t, err)
	must(t, s.Mark(t.Context(), "sweep.S1"))
	stream, err := js.Stream(t.Context(), "KV_ONCE")
	must(t, err)
	m, err := stream.GetLastMsgForSubject(t.Context(), "$KV.ONCE.sweep.S1")
	must(t, err)
	if life, err := time.ParseDuration(m.Header.Get("Nats-TTL")); err != nil || life != 60*24*time.Hour || stream.CachedInfo().Config.MaxAge != 0 {
		t.Errorf("a mark lives for %q, the bucket's age is %v", m.Header.Get("Nats-TTL"), stream.CachedInfo().Config.MaxAge)
	}
}

// What decides is read from the leader: the buckets have no direct get.
func TestNoDirectGet(t *testing.T) {
	s := natstest.Start(t)
	js := s.JetStream(t)
	must(t, leases.Create(context.Background(), js, 1))
	for _, name := range []string{"KV_LEASES", "KV_ONCE"} {
		stream, err := js.Stream(context.Background(), name)
		must(t, err)
		if stream.CachedInfo().Config.AllowDirect {
			t.Errorf("%s allows direct gets", name)
		}
	}
}

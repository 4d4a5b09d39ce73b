package waits_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"zflow/engine/waits"
)

// However many register, drop and route at once, in several processes, at one entry:
// who stays has every arrival, and nobody who left comes back.
func TestManyAtOneEntry(t *testing.T) {
	r := newRig(t)
	workers := []*waits.Store{r.worker(), r.worker(), r.worker()}
	stays := []waits.Waiter{waiter("s0", 1, "x", "id", "1"), waiter("s1", 1, "x", "id", "1")}
	r.register(stays...)
	const rivals = 30
	var group sync.WaitGroup
	for i := range rivals {
		s := workers[i%len(workers)]
		group.Go(func() {
			if err := route(s, uint64(i+1)); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			w := waiter(fmt.Sprint("goes", i), 1, "x", "id", "1")
			if err := s.Register(context.Background(), w); err != nil {
				t.Error(err)
			}
			if err := s.Drop(context.Background(), w); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	r.comes(1000, "x", `{"id":1}`, "s0", "s1")
	for _, w := range stays {
		got, err := r.Arrivals(t.Context(), w)
		must(t, err)
		slices.Sort(got.Sequences)
		if len(got.Sequences) != rivals+1 || got.Sequences[rivals-1] != rivals {
			t.Errorf("%d of %d arrivals are there: %v", len(got.Sequences), rivals+1, got)
		}
	}
}

// route is what the router does with an event.
func route(s *waits.Store, sequence uint64) error {
	entries, err := s.Match(context.Background(), "zoom", "x", []byte(`{"id":1}`))
	if err == nil {
		_, err = s.Arrive(context.Background(), sequence, entries...)
	}
	return err
}

// An event is either before the last sequence that is read after the registration,
// or it is brought: whoever looks through the former misses none.
func TestNoEventFallsBetween(t *testing.T) {
	r := newRig(t)
	router, last := r.worker(), atomic.Uint64{}
	for round := range 20 {
		w := waiter("a", uint64(round), "x", "id", "1")
		w.Match[fmt.Sprint("new", round)] = "2" // a set of paths of its own
		first := last.Load()
		routed := make(chan error)
		go func() {
			var err error
			for range 10 {
				sequence := last.Add(1) // stored, then routed
				body := fmt.Sprintf(`{"id":1,"new%d":2}`, round)
				entries, matched := router.Match(context.Background(), "zoom", "x", []byte(body))
				if err = matched; err == nil {
					_, err = router.Arrive(context.Background(), sequence, entries...)
				}
				if err != nil {
					break
				}
			}
			routed <- err
		}()
		r.register(w)
		seen := last.Load()
		must(t, <-routed)
		got, err := r.Arrivals(t.Context(), w)
		must(t, err)
		for sequence := max(seen, first) + 1; sequence <= last.Load(); sequence++ {
			if !slices.Contains(got.Sequences, sequence) {
				t.Errorf("event %d is behind %d, and was not brought: %v", sequence, seen, got.Sequences)
			}
		}
	}
}

// BenchmarkRouteNothing is the router with an event that nobody waits for.
func BenchmarkRouteNothing(b *testing.B) {
	r := newRig(b)
	r.register(waiter("a", 1, "x", "id", "2"))
	for n := uint64(1); b.Loop(); n++ {
		must(b, route(r.Store, n))
	}
}

// BenchmarkWait is a wait from its beginning to its end.
func BenchmarkWait(b *testing.B) {
	r := newRig(b)
	w := waiter("a", 1, "x", "id", "1")
	for n := uint64(1); b.Loop(); n++ {
		r.register(w)
		must(b, route(r.Store, n))
		must(b, r.Drop(context.Background(), w))
	}
}

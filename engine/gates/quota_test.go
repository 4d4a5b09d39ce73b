package gates_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Many workers take at once: as many as may are told yes, and in the next minute
// again.
func TestTake(t *testing.T) {
	r := newRig(t)
	at := time.Date(2026, 3, 1, 10, 0, 59, 0, time.UTC)
	for _, minute := range []time.Time{at, at.Add(time.Second)} {
		var taken atomic.Int64
		var all sync.WaitGroup
		for range 3 {
			w := r.worker()
			for range 10 {
				all.Go(func() {
					ok, err := w.Take(t.Context(), "flow", minute, 7)
					if err != nil {
						t.Error(err)
					}
					if ok {
						taken.Add(1)
					}
				})
			}
		}
		all.Wait()
		if n := taken.Load(); n != 7 {
			t.Errorf("%d of 30 were told yes, 7 may be", n)
		}
	}
	if ok, err := r.Take(t.Context(), "other", at, 1); !ok || err != nil {
		t.Errorf("another workflow: %v, %v", ok, err)
	}
}

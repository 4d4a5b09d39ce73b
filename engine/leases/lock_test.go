package leases_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"zflow/engine/leases"
	"zflow/internal/natstest"
)

func nothing(context.Context) error { return nil }

// TestWhile: one at a time, for as long as it takes, and free at once afterwards.
func TestWhile(t *testing.T) {
	bubble(t, func(t *testing.T, s *leases.Store) {
		held, err := s.While(t.Context(), "sweep", "w1", func(ctx context.Context) error {
			for range 10 {
				time.Sleep(leases.Age / 2)
				if held, err := s.While(ctx, "sweep", "w2", nothing); held || err != nil {
					t.Errorf("taken by another: %v, %v", held, err)
				}
				if held, err := s.While(ctx, "other", "w2", nothing); !held || err != nil {
					t.Errorf("another lock: %v, %v", held, err)
				}
			}
			return ctx.Err()
		})
		if !held || err != nil {
			t.Fatalf("held %v, %v", held, err)
		}
		failure := errors.New("broken")
		if held, err = s.While(t.Context(), "sweep", "w2", func(context.Context) error { return failure }); !held || !errors.Is(err, failure) {
			t.Errorf("after it was given back: %v, %v", held, err)
		}
	})
}

// TestALockThatIsLost: whoever cannot renew ends before another may begin, and
// does not take the other's lock away.
func TestALockThatIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, s *leases.Store) {
		var ended, begun time.Time
		var work sync.WaitGroup
		work.Go(func() {
			_, err := s.While(t.Context(), "sweep", "w1", func(ctx context.Context) error {
				time.Sleep(time.Second)
				must(t, s.Clear(t.Context())) // the server forgets it
				<-ctx.Done()
				ended = time.Now()
				time.Sleep(leases.Age / 2) // an end that takes its time
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		time.Sleep(5 * time.Second)
		held, err := s.While(t.Context(), "sweep", "w2", func(ctx context.Context) error {
			begun = time.Now()
			time.Sleep(2 * leases.Age)
			return ctx.Err()
		})
		if !held || err != nil {
			t.Errorf("the next: %v, %v", held, err)
		}
		work.Wait()
		if ended.IsZero() || begun.IsZero() || ended.Sub(begun) > 0 {
			t.Errorf("the first ended at %v, the second began at %v", ended, begun)
		}
	})
}

// TestALockOfAServerThatIsAway: its holder gives it up before the server, back
// again, may give it to another.
func TestALockOfAServerThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		server := natstest.Start(t)
		js := server.JetStream(t)
		must(t, leases.Create(t.Context(), js, 1))
		s, err := leases.Open(t.Context(), js)
		must(t, err)
		begun := time.Now()
		_, err = s.While(t.Context(), "sweep", "w1", func(ctx context.Context) error {
			server.Down()
			<-ctx.Done()
			return nil
		})
		if took := time.Since(begun); took >= leases.Age {
			t.Errorf("it was held %v after the last renewal, %v", took, err)
		}
	})
}

// TestDuty: one of three does it; when that one goes, another takes over.
func TestDuty(t *testing.T) {
	bubble(t, func(t *testing.T, s *leases.Store) {
		var at, most, turns atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		for _, name := range []string{"w1", "w2", "w3"} {
			work.Go(func() {
				s.Duty(ctx, "feed", name, func(ctx context.Context) error {
					turns.Add(1)
					most.Store(max(most.Load(), at.Add(1)))
					defer at.Add(-1)
					select {
					case <-ctx.Done():
					case <-time.After(20 * time.Second):
					}
					return errors.New("ended")
				}, func(error) {})
			})
		}
		time.Sleep(110 * time.Second)
		stop()
		work.Wait()
		if most.Load() != 1 || turns.Load() < 5 {
			t.Errorf("%d at once, %d turns", most.Load(), turns.Load())
		}
	})
}

//go:build unix

package e2e

import (
	"context"
	"flag"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"
)

var soakSeed = flag.Uint64("soak.seed", 1, "of the soak test's random points")

// soakSize is how much a soak does.
type soakSize struct {
	brokers, workers int // restarts
	flows, atOnce    int
	up               time.Duration // between restarts of the broker, about
}

var (
	soakFull  = soakSize{brokers: 100, workers: 50, flows: 60, atOnce: 12, up: 1500 * time.Millisecond}
	soakShort = soakSize{brokers: 6, workers: 4, flows: 8, atOnce: 8, up: 1500 * time.Millisecond}

	soakWhole = flag.Bool("soak.full", false, "100 restarts of the broker, 50 of workers, 60 workflows")
)

// Workflows are deployed, deployed anew, rolled back, paused, resumed and pruned
// while the broker and all workers but one are restarted, by SIGTERM or SIGKILL.
// Each change holds within 5 s of the broker's time on the worker that nobody
// restarts: a new version is what new runs have, a paused or pruned workflow
// begins none, a resumed one begins them again. At the end every accepted event
// has its run, the consumers are those that the design names, the doctor finds
// nothing, and the oldest worker has not grown.
func TestSoak(t *testing.T) {
	t.Parallel()
	size, limit := soakShort, 2*time.Minute
	if *soakWhole {
		size, limit = soakFull, 12*time.Minute
	}
	// A deadline would be that of each request: one that the broker's end left
	// without an answer would wait for it.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer time.AfterFunc(limit, cancel).Stop()
	t.Logf("seed %d", *soakSeed)
	begun := time.Now()
	s, err := startSoak(ctx, !*soakWhole)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if stuck := s.close(t.Failed()); len(stuck) > 0 {
			t.Errorf("these did not stop when asked to: %v", stuck)
		}
	}()
	before, err := s.weight(ctx, s.workers[0])
	if err != nil {
		t.Fatal(err)
	}
	lives := s.trouble(ctx, size)
	t.Logf("the changes took %v; the slowest that held did after %v of the broker's time: %s",
		time.Since(begun).Round(time.Second), s.slowest.Round(time.Millisecond), s.slowestWhat)
	s.finish(ctx, lives)
	after := s.settled(ctx, before)
	s.tell(t, lives)
	t.Logf("worker-a at first: %v; at last: %v", before, after)
	t.Logf("all took %v", time.Since(begun).Round(time.Second))
}

// trouble lets the workflows live while processes are restarted.
func (s *soak) trouble(ctx context.Context, size soakSize) (lives []*soakLife) {
	random := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(*soakSeed, stream)) }
	var all, living sync.WaitGroup
	all.Go(func() { s.restartBroker(ctx, random(1), size) })
	all.Go(func() { s.restartWorkers(ctx, random(2), size) })
	slots := make(chan struct{}, size.atOnce)
	for n := range size.flows {
		l := newSoakLife(s, n)
		lives = append(lives, l)
		living.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := l.live(ctx, random(100+uint64(n))); err != nil {
				s.fault("%v", err)
			}
		})
	}
	living.Wait()
	all.Wait()
	return lives
}

// restartBroker ends the broker again and again; it starts again by itself.
func (s *soak) restartBroker(ctx context.Context, r *rand.Rand, size soakSize) {
	for range size.brokers {
		<-time.After(size.up/2 + time.Duration(r.Int64N(int64(size.up))))
		life, how := s.broker.life(), soakSignal(r)
		s.clock.stop()
		s.broker.signal(how)
		for ctx.Err() == nil && (s.broker.life() == life || !s.answers(ctx)) {
			<-time.After(10 * time.Millisecond)
		}
		s.clock.start()
		s.restarts["broker, "+how.String()]++
	}
}

// restartWorkers ends the workers but the first.
func (s *soak) restartWorkers(ctx context.Context, r *rand.Rand, size soakSize) {
	every := time.Duration(size.brokers) * (size.up + 500*time.Millisecond) / time.Duration(size.workers)
	for n := range size.workers {
		w, how := s.workers[1+n%2], soakSignal(r)
		select {
		case <-time.After(every/2 + time.Duration(r.Int64N(int64(every)))):
		case <-ctx.Done():
			return
		}
		w.signal(how)
		s.mu.Lock()
		s.restarts[w.name+", "+how.String()]++
		s.mu.Unlock()
	}
}

func soakSignal(r *rand.Rand) syscall.Signal {
	return []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}[r.IntN(2)]
}

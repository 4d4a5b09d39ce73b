//go:build unix

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// procWeight is what a worker process has: what grows where something is not
// given back.
type procWeight struct {
	goroutines, subscriptions, files int
	heap                             uint64 // that is in use, after a collection
}

// weigh tells the process's weight each time it is asked to, by SIGUSR1.
func (t *procTeller) weigh(nc *nats.Conn) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	for range asked {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		files, _ := os.ReadDir("/dev/fd") // none where there is no such folder
		fmt.Fprintln(t.log, "weight", runtime.NumGoroutine(), nc.NumSubscriptions(), len(files), m.HeapAlloc)
	}
}

// weight asks a worker for its weight.
func (s *procStarter) weight(ctx context.Context, w *process) (procWeight, error) {
	before := len(s.weights(w))
	w.signal(syscall.SIGUSR1)
	for {
		if all := s.weights(w); len(all) > before {
			return all[before], nil
		}
		select {
		case <-ctx.Done():
			return procWeight{}, fmt.Errorf("weighing %s: %w", w.name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *procStarter) weights(w *process) (all []procWeight) {
	text, _ := os.ReadFile(s.logOf(w.name, w.life())) // there is none at first
	for line := range strings.Lines(string(text)) {
		var p procWeight
		n, _ := fmt.Sscanf(line, "weight %d %d %d %d\n", &p.goroutines, &p.subscriptions, &p.files, &p.heap)
		if n == 4 {
			all = append(all, p)
		}
	}
	return all
}

// outgrew says in what a worker has grown beyond reason.
func (p procWeight) outgrew(before procWeight) error {
	if p.goroutines > before.goroutines+20 || p.subscriptions > before.subscriptions+10 || p.files > before.files+5 || p.heap > before.heap+32<<20 {
		return fmt.Errorf("the worker that nobody restarted has grown from %v to %v", before, p)
	}
	return nil
}

func (p procWeight) String() string {
	return fmt.Sprintf("%d goroutines, %d subscriptions, %d files, %.1f MiB", p.goroutines, p.subscriptions, p.files, float64(p.heap)/(1<<20))
}

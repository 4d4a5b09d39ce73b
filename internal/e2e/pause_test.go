//go:build unix

package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var pauseWhole = flag.Bool("pause.full", false, "pauses of up to 40 s, not 9")

// pauseWarmUp is how long the load runs before a fault, pauseAfter how long after it.
const (
	pauseWarmUp = 3 * time.Second
	pauseAfter  = 6 * time.Second
	pausePace   = 200 * time.Millisecond
)

// A worker is stopped, the broker is stopped, and the broker is killed and started
// again, for a while, under load. No attempt is called twice; no call begins later
// than 4 s after the renewal and the append that allowed it were sent, but where
// the process is stopped between the check and the write; each later attempt
// follows a recorded unknown; no worker that can renew loses a run.
func TestPause(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name string
		hit  func(*procRig, time.Duration)
	}{
		{"worker stopped", func(r *procRig, d time.Duration) { r.workers[0].pause(d) }},
		{"broker stopped", func(r *procRig, d time.Duration) { r.broker.pause(d) }},
		{"broker killed", func(r *procRig, d time.Duration) {
			r.broker.kill()
			<-time.After(d)
			r.broker.revive()
		}},
	}
	lengths := []time.Duration{9, 1}
	if *pauseWhole {
		lengths = []time.Duration{40, 12, 9, 5, 1}
	}
	// Each has a broker of its own; they wait more than they work. What a test's
	// own parallelism allows would be as many as there are processors.
	var all []*pauseTry
	for i, d := range lengths {
		for j, f := range faults {
			p := &pauseTry{name: fmt.Sprintf("%s %d s", f.name, d), done: make(chan struct{})}
			all = append(all, p)
			go p.run(t.Context(), uint64(10*i+j), func(r *procRig) { f.hit(r, d*time.Second) })
		}
	}
	for _, p := range all {
		t.Run(p.name, p.report)
	}
}

// pauseTry is one fault on a rig of its own.
type pauseTry struct {
	name  string
	done  chan struct{}
	err   error
	audit *procAudit
	dir   string
}

func (p *pauseTry) run(ctx context.Context, seed uint64, hit func(*procRig)) {
	defer close(p.done)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	r, err := startProcRig(ctx, seed, pauseLatency)
	if err != nil {
		p.err = err
		return
	}
	p.dir = r.dir
	p.audit, p.err = r.underLoad(ctx, hit)
	stuck := r.close(p.err != nil || len(p.audit.faults) > 0)
	if p.err == nil && len(stuck) > 0 {
		p.err = fmt.Errorf("these did not stop when asked to: %v", stuck)
	}
}

// underLoad publishes before, during and after a fault and looks at what came of
// it. The fault meets the first worker in the middle of a call.
func (r *procRig) underLoad(ctx context.Context, hit func(*procRig)) (*procAudit, error) {
	var victim string
	for _, w := range r.workers[:2] {
		id, err := r.up(ctx, w)
		if err != nil {
			return nil, err
		}
		if victim == "" {
			victim = id
		}
	}
	over, stop := context.WithCancel(ctx)
	defer stop()
	events := make(chan int)
	go func() { events <- r.publishUntil(ctx, over.Done()) }()
	<-time.After(pauseWarmUp)
	if err := r.api.inCall(ctx, victim); err != nil {
		return nil, err
	}
	hit(r)
	<-time.After(pauseAfter)
	stop()
	r.load.waitFor(ctx, <-events)
	if err := r.finished(ctx); err != nil {
		return nil, fmt.Errorf("%w\nworker-a:\n%s\nworker-b:\n%s\nmore in %s", err, r.tail("worker-a", 10), r.tail("worker-b", 10), r.dir)
	}
	return r.audit(ctx)
}

// publishUntil publishes events until it is over, and says how many.
func (r *procRig) publishUntil(ctx context.Context, over <-chan struct{}) (n int) {
	tick := time.NewTicker(pausePace)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.load.publish(ctx, n)
			n++
		case <-over:
			return n
		}
	}
}

// pauseLatency makes one call in four last long enough to meet a pause.
func pauseLatency(r *rand.Rand) time.Duration {
	if r.IntN(4) == 0 {
		return 500*time.Millisecond + time.Duration(r.Int64N(int64(3*time.Second)))
	}
	return 5*time.Millisecond + time.Duration(r.Int64N(int64(50*time.Millisecond)))
}

func (p *pauseTry) report(t *testing.T) {
	<-p.done
	if p.err != nil {
		t.Fatal(p.err)
	}
	t.Logf("seen:%s", p.audit)
	if err := p.audit.err(); err != nil {
		t.Errorf("%v\nmore in %s", err, p.dir)
	}
}

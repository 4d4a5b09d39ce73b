//go:build unix

package e2e

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	killSeed  = flag.Uint64("kill.seed", 1, "of the kill test's random points")
	killWhole = flag.Bool("kill.full", false, "2,000 runs, killed for 90 s")
)

// Workers and broker are killed at random points under load, and started again at
// once or some seconds later. Every accepted event has exactly one run, every run
// is finished, no recorded step ran twice, and a call that happened twice is
// marked unknown, then decided, in its history. The workflows use the whole
// language: what is called, kept in line, done at once, awaited, undone, asked.
func TestKill(t *testing.T) {
	t.Parallel()
	runs, pace, kills := 350, 50*time.Millisecond, 14*time.Second
	switch {
	case *killWhole:
		runs, kills = 2000, 90*time.Second
	case testing.Short():
		runs, pace, kills = 200, 20*time.Millisecond, 5*time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(runs)*pace+2*time.Minute)
	defer cancel()
	started := time.Now()
	r, err := startProcRig(ctx, *killSeed, killLatency)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		closing := time.Now()
		defer func() { t.Logf("stopping took %v", time.Since(closing).Round(time.Second)) }()
		if stuck := r.close(t.Failed()); len(stuck) > 0 {
			t.Errorf("these did not stop when asked to, see %s: %v", r.dir, stuck)
		}
	}()
	r.load.order = procAll
	begun := time.Now()
	t.Logf("all is up after %v", time.Since(started).Round(time.Second))
	go r.publish(ctx, runs, pace)
	n := r.killAround(ctx, rand.New(rand.NewPCG(*killSeed, 2)), kills)
	t.Logf("%d kills in %v", n, time.Since(begun).Round(time.Second))
	r.load.waitFor(ctx, runs)
	t.Logf("%d events accepted after %v", runs, time.Since(begun).Round(time.Second))
	r.report(ctx, t)
	t.Logf("all took %v", time.Since(begun).Round(time.Second))
}

// killLatency is short for most calls, and long enough for some that a kill meets them.
func killLatency(r *rand.Rand) time.Duration {
	if r.IntN(100) < 15 {
		return 200*time.Millisecond + time.Duration(r.Int64N(int64(600*time.Millisecond)))
	}
	return time.Millisecond + time.Duration(r.Int64N(int64(40*time.Millisecond)))
}

// publish publishes events at a pace.
func (r *procRig) publish(ctx context.Context, runs int, pace time.Duration) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := range runs {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.load.publish(ctx, n)
		}
	}
}

// waitFor waits until so many events are accepted.
func (l *procLoad) waitFor(ctx context.Context, events int) {
	for len(l.runs()) < events && ctx.Err() == nil {
		<-time.After(20 * time.Millisecond)
	}
}

// killAround kills one, several or all for a time and starts them again; it
// returns how many it killed.
func (r *procRig) killAround(ctx context.Context, random *rand.Rand, long time.Duration) (n int) {
	groups := [][]*process{r.workers[:1], r.workers[1:], r.workers, {r.broker}, {r.broker, r.workers[0], r.workers[1]}}
	shares := []int{0, 0, 0, 1, 1, 1, 2, 3, 3, 3, 4}
	for end := time.Now().Add(long); time.Now().Before(end) && ctx.Err() == nil; {
		<-time.After(300*time.Millisecond + time.Duration(random.Int64N(int64(min(long/4, 3*time.Second)))))
		group := groups[shares[random.IntN(len(shares))]]
		for _, p := range group {
			p.kill()
			n++
		}
		if random.IntN(2) == 0 {
			<-time.After(time.Duration(random.Int64N(int64(min(long/5, 4*time.Second)))))
		}
		for _, p := range group {
			p.revive()
		}
	}
	return n
}

// report waits until all runs have ended, and says what is wrong with them.
func (r *procRig) report(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := r.finished(ctx); err != nil {
		t.Errorf("%v\nworker-a:\n%s\nworker-b:\n%s\nbroker:\n%s\nmore in %s", err, r.tail("worker-a", 10), r.tail("worker-b", 10), r.tail("broker", 10), r.dir)
		return
	}
	a, err := r.audit(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	for _, p := range append(r.workers, r.broker) {
		a.counts[p.name+" started"] = len(p.lives)
		a.counts[p.name+" ended by itself"] = p.byItself()
	}
	a.counts["publishes that failed"] = r.load.tries
	t.Logf("seen:%s", a)
	if err := a.err(); err != nil {
		t.Errorf("%v\nmore in %s", err, r.dir)
	}
}

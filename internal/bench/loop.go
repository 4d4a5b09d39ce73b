package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zflow/internal/bench/load"
	"zflow/internal/bench/stage"
	wire "zflow/proto"
)

const (
	loopName  = "loop"
	loopEvent = "bench.loop"
)

// atOnce is how many iterations go on at a time.
const atOnce = 50

// looped is a workflow of one loop of calls to the stage.
func (b *bench) looped(iterations int) string {
	return fmt.Sprintf(`name: %s
on: [ { event: %s } ]
steps:
  - id: each
    for_each: ${{ 1..%d }}
    at_once: %d
    uses: http.request
    on_unknown: retry
    with: { method: POST, url: %q, json: { n: "${{ item }}" } }
output: ${{ len(steps.each.output) }}
`, loopName, loopEvent, iterations, atOnce, b.url+stage.Path)
}

// loop measures how long a run of many iterations takes.
func (b *bench) loop(ctx context.Context, s *Scenario) (err error) {
	n := b.Sizes.Iterations
	s.About = fmt.Sprintf("a run of %d iterations, %d at once, each a call of %v", n, atOnce, b.Sizes.Latency)
	p, err := b.startPair(ctx, s.Name, b.looped(n))
	defer func() { err = errors.Join(err, p.end()) }()
	if err != nil {
		return err
	}
	var times []time.Duration
	var cpu time.Duration
	for i := range 3 {
		b.say("loop: run %d of 3", i+1)
		before, err := p.cpu()
		if err != nil {
			return err
		}
		took, err := b.lap(ctx, p, fmt.Sprintf("lap-%d", i), n)
		if err != nil {
			return err
		}
		after, err := p.cpu()
		if err != nil {
			return err
		}
		times, cpu = append(times, took), cpu+after-before
	}
	took := load.SpreadOf(times)
	s.figure("from the event to the end, p50 of 3", took.P50/1000, "s")
	s.figure("slowest", took.Max/1000, "s")
	s.figure("the calls alone", (time.Duration((n+atOnce-1)/atOnce) * b.Sizes.Latency).Seconds(), "s")
	s.figure("CPU of worker and server", cpu.Seconds()/3, "s")
	b.report.aim(fmt.Sprintf("a run of %d iterations, %d at once", n, atOnce), "< 3 s", fmt.Sprintf("%.2f s", took.P50/1000), took.P50 < 3000)
	return nil
}

// lap runs the loop once.
func (b *bench) lap(ctx context.Context, p *pair, key string, n int) (time.Duration, error) {
	b.stage.Set(b.Sizes.Latency, 0)
	begun := time.Now()
	e := appEvent(loopEvent, key, []byte(`{}`))
	if _, err := p.client.Publisher.Publish(ctx, e); err != nil {
		return 0, err
	}
	state, err := p.ended(ctx, loopName, wire.RunID(loopName, e.ID))
	if err != nil {
		return 0, err
	}
	took := time.Since(begun)
	if calls, most := b.stage.Seen(); state != "completed" || calls != n || most > atOnce {
		return 0, fmt.Errorf("the loop is %s after %d calls, %d at once: not %d, %d at once", state, calls, most, n, atOnce)
	}
	return took, nil
}

// ended waits for a run's end and returns its state.
func (p *pair) ended(ctx context.Context, workflow, run string) (string, error) {
	for {
		h, err := p.client.History.Head(ctx, workflow, run)
		if err != nil {
			return "", err
		}
		if h.State != "" && h.State != "running" && h.State != "waiting" {
			return h.State, nil
		}
		if err := wait(ctx, 5*time.Millisecond); err != nil {
			return "", fmt.Errorf("waiting for the end of run %s: %w", run, err)
		}
	}
}

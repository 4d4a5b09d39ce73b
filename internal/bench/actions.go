package bench

import (
	"context"
	"fmt"
	"time"

	"zflow/internal/bench/action"
	"zflow/internal/bench/stage"
)

// code measures code steps: what a call costs beyond the code itself.
func (b *bench) code(ctx context.Context, s *Scenario) error {
	s.About = "code that returns nothing, in a pool of two processes of Node.js; called as a worker does, in the process that measures"
	b.say("code: an empty step")
	c, err := action.MeasureCode(ctx, b.Length)
	if err != nil {
		return err
	}
	s.About += " (Node.js " + c.Node + ")"
	const mib = 1 << 20
	micro := func(d time.Duration) float64 { return float64(d.Microseconds()) }
	s.figure("first call, slowest of 5 pools", micro(c.Cold)/1000, "ms")
	s.figure("one call after another, p50", micro(c.Warm.P50), "µs")
	s.figure("one call after another, p99", micro(c.Warm.P99), "µs")
	s.figure("calls by two at a time", c.PerSecond, "/s")
	s.figure("memory of a process", float64(c.Memory)/mib, "MiB")
	b.report.aim("code step, warm call, p50", "< 300 µs", fmt.Sprintf("%.0f µs", micro(c.Warm.P50)), c.Warm.P50 < 300*time.Microsecond)
	b.report.aim("code steps a second, two at a time", "≥ 3000/s", fmt.Sprintf("%.0f/s", c.PerSecond), c.PerSecond >= 3000)
	b.report.aim("code step, first call", "< 400 ms", fmt.Sprintf("%.0f ms", micro(c.Cold)/1000), c.Cold < 400*time.Millisecond)
	if c.Memory > 0 {
		b.report.aim("memory of a process for code", "< 60 MiB", fmt.Sprintf("%.0f MiB", float64(c.Memory)/mib), c.Memory < 60*mib)
	}
	return nil
}

// request measures what http.request adds to a call.
func (b *bench) request(ctx context.Context, s *Scenario) error {
	s.About = "http.request, beside the same call made by hand, in turns; one at a time, in the process that measures"
	b.stage.Set(0, 0)
	b.say("request: http.request, and by hand")
	r, err := action.MeasureRequest(ctx, b.url+stage.Path, b.Length)
	if err != nil {
		return err
	}
	micro := func(d time.Duration) float64 { return float64(d.Microseconds()) }
	s.figure("http.request, p50", micro(r.Action.P50), "µs")
	s.figure("http.request, p99", micro(r.Action.P99), "µs")
	s.figure("by hand, p50", micro(r.ByHand.P50), "µs")
	s.figure("by hand, p99", micro(r.ByHand.P99), "µs")
	more := r.Action.P50 - r.ByHand.P50
	b.report.aim("what http.request adds, p50", "< 60 µs", fmt.Sprintf("%.0f µs", micro(more)), more < 60*time.Microsecond)
	return nil
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/internal/bench/load"
	"zflow/internal/bench/long"
	wire "zflow/proto"
)

const (
	longFacts = 1000 // of the history that is read
	longLoop  = 499  // iterations that make as many facts
	coreTries = 40
)

// core measures what the core takes by itself: to read a long history, and to
// decide in a long workflow.
func (b *bench) core(ctx context.Context, s *Scenario) (err error) {
	s.About = fmt.Sprintf("reading a history of %d facts, and decisions in a workflow of %d steps, in the process that measures", longFacts, long.Steps)
	p, err := b.startPair(ctx, s.Name, b.looped(longLoop))
	defer func() { err = errors.Join(err, p.end()) }()
	if err != nil {
		return err
	}
	b.stage.Set(0, 0)
	e := appEvent(loopEvent, "long", []byte(`{}`))
	if _, err := p.client.Publisher.Publish(ctx, e); err != nil {
		return err
	}
	run := wire.RunID(loopName, e.ID)
	if _, err := p.ended(ctx, loopName, run); err != nil {
		return err
	}
	if err := b.reading(ctx, s, p, run); err != nil {
		return err
	}
	return b.deciding(ctx, s, p.client.Known)
}

// reading loads a run from RUNS and folds it, many times.
func (b *bench) reading(ctx context.Context, s *Scenario, p *pair, run string) error {
	b.say("core: reading a long history")
	var whole, folding []time.Duration
	facts := uint64(0)
	for range coreTries {
		begun := time.Now()
		h, err := p.client.History.Load(ctx, loopName, run)
		if err != nil {
			return err
		}
		loaded := time.Now()
		r := engine.NewRun(run)
		if err := r.Replay(h.Appends); err != nil {
			return err
		}
		whole, folding, facts = append(whole, time.Since(begun)), append(folding, time.Since(loaded)), r.Facts
	}
	all := load.SpreadOf(whole)
	s.figure("facts in the history", float64(facts), "")
	s.figure("loaded and folded, p50", all.P50, "ms")
	s.figure("loaded and folded, p99", all.P99, "ms")
	s.figure("folded, p50", load.SpreadOf(folding).P50, "ms")
	b.report.aim(fmt.Sprintf("loading and folding %d facts, p50", facts), "< 20 ms", fmt.Sprintf("%.1f ms", all.P50), all.P50 < 20)
	return nil
}

// deciding plays runs of a hundred steps, each of which names the one before.
func (b *bench) deciding(ctx context.Context, s *Scenario, known definition.Known) error {
	b.say("core: deciding")
	flow, problems := definition.Parse("long.yaml", []byte(long.Flow()), known)
	if flow == nil {
		return problems.Err()
	}
	var each []time.Duration
	for range coreTries {
		took, err := long.Decide(flow)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		each = append(each, took)
	}
	took := load.SpreadOf(each)
	s.figure(fmt.Sprintf("a decision, %d steps, p50 of runs", long.Steps), 1000*took.P50, "µs")
	b.report.aim(fmt.Sprintf("a decision in a workflow of %d steps", long.Steps), "< 50 µs", fmt.Sprintf("%.0f µs", 1000*took.P50), took.P50 < .05)
	return nil
}

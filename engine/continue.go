package engine

import (
	"time"

	v1 "zflow/proto/zflow/v1"
)

// Continue returns the fact that begins a new generation of the run, so that
// the appends before it may age away. It is to be applied and appended.
func (r *Run) Continue(now time.Time) *v1.Fact {
	kept := make([]*v1.Fact, 0, len(r.history.kept))
	for _, f := range r.history.kept {
		if !r.overtaken(f) {
			kept = append(kept, r.placed(f))
		}
	}
	return r.fact(now, &v1.Fact{Kind: &v1.Fact_RunContinued{RunContinued: &v1.RunContinued{
		Generation: r.history.generation + 1, Facts: kept}}})
}

// overtaken says that the state no longer needs a fact: claims before the last,
// and timers that no longer stand.
func (r *Run) overtaken(f *v1.Fact) bool {
	switch k := f.Kind.(type) {
	case *v1.Fact_RunClaimed:
		return f.Claim != r.Claim
	case *v1.Fact_TimerSet:
		return r.Timers[f.Number] == nil && k.TimerSet.Reason != reasonSleep
	case *v1.Fact_TimerFired:
		return r.Steps[f.Step] == nil
	}
	return false
}

// continued replaces the run by what the new generation says of it.
func (r *Run) continued(f *v1.Fact, c *v1.RunContinued) error {
	if r.Start != nil && f.Number != r.Facts+1 {
		return r.illegal(f, "facts before it are missing")
	}
	fresh := NewRun(r.id)
	for _, old := range c.Facts {
		if old.Kind == nil {
			return &UnknownFact{r.id, old.Number}
		}
		if err := fresh.fold(old); err != nil {
			return err
		}
		fresh.note(old)
	}
	if fresh.Start == nil {
		return r.illegal(f, "it holds no run_started")
	}
	for c := range r.history.carriers {
		fresh.history.carriers[c] = true
	}
	if at := time.Unix(0, f.At).UTC(); at.After(fresh.At) {
		fresh.At = at
	}
	fresh.Facts, fresh.State = f.Number, r.State
	fresh.history.generation, fresh.history.begun = c.Generation, time.Unix(0, f.At).UTC()
	*r = *fresh
	return nil
}

// GenerationBegan returns when the oldest append that the run depends on was made.
func (r *Run) GenerationBegan() time.Time {
	if r.history.begun.IsZero() {
		return r.Started
	}
	return r.history.begun
}

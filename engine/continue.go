package engine

import (
	"slices"
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

// Kept returns the facts that the state rests on, in order.
func (r *Run) Kept() []*v1.Fact { return slices.Clone(r.history.kept) }

// MostFacts is how many facts a generation has at most before the next one begins.
const MostFacts = 10_000

// Outgrown says that a new generation is to begin, since this one has so many
// facts as the workflow's limits allow.
func (r *Run) Outgrown(l Limits) bool {
	most := uint64(MostFacts)
	if l.Facts > 0 {
		most = uint64(l.Facts)
	}
	return r.Facts-r.history.from >= most
}

// Postpone lets this generation have as many facts again.
func (r *Run) Postpone() { r.history.from = r.Facts }

// overtaken says that the state no longer needs a fact: claims before the last,
// timers that no longer stand, and how a step
// came to complete, unless a person had a say in it.
func (r *Run) overtaken(f *v1.Fact) bool {
	switch k := f.Kind.(type) {
	case *v1.Fact_RunClaimed:
		return f.Claim != r.Claim
	case *v1.Fact_StepStarted, *v1.Fact_StepFailed:
		s := r.Steps[f.Step]
		return s != nil && s.Status == StepCompleted && f.Number < s.done && !r.history.asked[f.Step]
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
	fresh.Facts, fresh.State, fresh.Parked = f.Number, r.State, true // timers may stand from before
	fresh.history.from, fresh.history.generation, fresh.history.begun = f.Number, c.Generation, time.Unix(0, f.At).UTC()
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

package engine

import (
	"maps"
	"slices"
	"time"

	v1 "zflow/proto/zflow/v1"
)

// Reasons of a timer and of a failed run.
const (
	reasonSleep   = "sleep"
	reasonRetry   = "retry"
	reasonStep    = "step"
	reasonTimeout = "timeout"
	reasonPoison  = "poison"
	reasonTrigger = "trigger"
	reasonOutput  = "output"
	reasonStop    = "stop"
	reasonFinally = "finally"
	reasonLimit   = "limit"
	reasonWait    = "wait"
	reasonRemind  = "remind"
)

// Begin starts a run: it applies run_started, and run_failed where what the trigger
// asks could not be evaluated, and returns them to be appended.
func (r *Run) Begin(now time.Time, start *v1.RunStarted, claim *v1.Claim, triggerErr error) ([]*v1.Fact, error) {
	f := r.fact(now, &v1.Fact{Claim: claim, Kind: &v1.Fact_RunStarted{RunStarted: start}})
	facts := []*v1.Fact{f}
	if err := r.Apply(f); err != nil {
		return nil, err
	}
	if triggerErr != nil {
		failed := r.fact(now, &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{
			Reason: reasonTrigger, Error: &v1.Error{Message: triggerErr.Error()}}}})
		facts = append(facts, failed)
		return facts, r.Apply(failed)
	}
	return facts, nil
}

// Fail ends a run that cannot go on, for a reason outside of its steps.
func (r *Run) Fail(now time.Time, reason, message string) (*v1.Fact, error) {
	f := r.fact(now, &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: reason, Error: &v1.Error{Message: message}}}})
	return f, r.Apply(f)
}

// Add applies a fact that came from outside (a claim, a command, a fired timer),
// numbered and dated, and returns it to be appended.
func (r *Run) Add(now time.Time, f *v1.Fact) (*v1.Fact, error) {
	f = r.fact(now, f)
	return f, r.Apply(f)
}

// Due returns the fact of the timer, or of the run's deadline, that is due; nil
// if none is. It is not applied.
func (r *Run) Due(now time.Time) *v1.Fact {
	if r.State.Ended() {
		return nil
	}
	for _, number := range slices.Sorted(maps.Keys(r.Timers)) {
		if t := r.Timers[number]; !t.Due.After(now) {
			f := timerFired(number)
			f.Step = t.Step
			return f
		}
	}
	if end := r.Start.GetDeadline(); r.Ending == nil && end != 0 && end <= now.UnixNano() {
		return timerFired(0)
	}
	return nil
}

// fact numbers and dates a fact; the run's clock never goes back.
func (r *Run) fact(now time.Time, f *v1.Fact) *v1.Fact {
	if r.At.After(now) {
		now = r.At
	}
	f.Number, f.At = r.Facts+1, now.UnixNano()
	return f
}

func timerSet(due time.Time, reason string) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_TimerSet{TimerSet: &v1.TimerSet{Due: due.UnixNano(), Reason: reason}}}
}

func timerFired(timer uint64) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_TimerFired{TimerFired: &v1.TimerFired{Timer: timer}}}
}

// add applies a fact and keeps it for the append.
func (d *decider) add(step string, f *v1.Fact) error {
	f.Step = step
	f = d.run.fact(d.turn.Now, f)
	d.out.Facts = append(d.out.Facts, f)
	return d.run.Apply(f)
}

func (d *decider) fail(reason, step string, why *v1.Error) error {
	return d.add("", &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: reason, Step: step, Error: why}}})
}

// failedBefore records that a step failed before it could begin an attempt.
func (d *decider) failedBefore(path, doing string, err error) error {
	return d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: &v1.StepFailed{
		Class: classFinal, Next: string(PolicyFail), Error: &v1.Error{Message: doing + ": " + err.Error()}}}})
}

package engine

import (
	"time"

	"zflow/engine/steppath"
	v1 "zflow/proto/zflow/v1"
)

// complete folds that a step has its output.
func (r *Run) complete(f *v1.Fact, s *StepState, output *v1.Value) {
	s.Status, s.Ended, s.Output, s.Error, s.done = StepCompleted, time.Unix(0, f.At).UTC(), output, nil, f.Number
	s.output = decoded{}
}

// inside folds that a block or a loop began.
func (r *Run) inside(s *StepState, f *v1.Fact, deadline int64) {
	s.Status, s.Begun, s.Limit = StepInside, time.Unix(0, f.At).UTC(), moment(deadline)
}

// moment is a time in a fact; 0: none.
func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// dropBelow folds that nothing goes on below a step that failed.
func (r *Run) dropBelow(path string, at time.Time) {
	if s := r.Steps[path]; s.Block || s.Loop != nil {
		for p, s := range r.live {
			if p != path && steppath.Within(p, path) {
				r.drop(p, s, at)
			}
		}
	}
	r.dropTimers(path)
}

// drop folds that a step does not go on.
func (r *Run) drop(path string, s *StepState, at time.Time) {
	if s.Status != StepOpen {
		s.Status, s.Ended = StepCanceled, at
		r.dropTimers(path)
		delete(r.live, path)
	}
}

// ending folds that the run's own steps are over: those that neither ended nor
// have an open attempt go no further.
func (r *Run) ending(f *v1.Fact, k *v1.RunEnding, at time.Time) error {
	if r.Ending != nil {
		return r.illegal(f, "it is ending already")
	}
	r.Ending = k
	for path, s := range r.live {
		r.drop(path, s, at)
	}
	return nil
}

// asks says that the wait is for a person.
func (w *WaitState) asks() bool { return w != nil && w.Approval != nil }

func (r *Run) waitEnded(f *v1.Fact, s *StepState, k *v1.WaitEnded) error {
	if s.Status != StepWaiting || s.Wait == nil {
		return r.illegal(f, "step "+f.Step+" does not wait")
	}
	r.complete(f, s, k.Output)
	s.Outcome = k.Outcome
	if k.Failed {
		s.Status, s.Error = StepFailed, &v1.Error{Message: "nothing came in time"}
	}
	if k.Outcome != outcomeTimeout {
		r.takeSignal(s.Wait, k.Outcome)
	}
	r.dropTimers(f.Step)
	return nil
}

// Outcomes of a wait besides the names of its alternatives.
const (
	outcomeArrived = "arrived"
	outcomeTimeout = "timeout"
)

// takeSignal removes the signal that ended a wait.
func (r *Run) takeSignal(w *WaitState, outcome string) {
	for _, a := range w.Of {
		if a.Signal == "" || outcomeOf(a) != outcome {
			continue
		}
		for i, s := range r.signals {
			if s.Name == a.Signal {
				r.signals = append(r.signals[:i:i], r.signals[i+1:]...)
				return
			}
		}
	}
}

// outcomeOf is what a wait brings that an alternative ends.
func outcomeOf(a *v1.Alternative) string {
	if a.Name == "" {
		return outcomeArrived
	}
	return a.Name
}

func (r *Run) callStarted(f *v1.Fact, s *StepState, k *v1.CallStarted) {
	s.Status, s.Begun, s.Call, s.Limit = StepWaiting, time.Unix(0, f.At).UTC(), k, moment(k.Deadline)
	if !k.Wait {
		r.complete(f, s, nil)
	}
}

func (r *Run) callEnded(f *v1.Fact, s *StepState, k *v1.CallEnded) error {
	if s.Status != StepWaiting || s.Call == nil {
		return r.illegal(f, "step "+f.Step+" waits for no run")
	}
	r.complete(f, s, k.Output)
	s.Outcome = k.State
	if State(k.State) != Completed {
		s.Status, s.Error = StepFailed, k.Error
	}
	r.dropTimers(f.Step)
	return nil
}

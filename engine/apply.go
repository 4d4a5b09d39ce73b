package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "zflow/proto/zflow/v1"
)

// UnknownFact is the error about a fact that this version of zflow does not know;
// such a run is left to a newer one.
type UnknownFact struct {
	Run    string
	Number uint64
}

func (e *UnknownFact) Error() string {
	return fmt.Sprintf("reading run %s: fact %d is of a kind that this version of zflow does not know", e.Run, e.Number)
}

// Replay applies the appends of a loaded history in order.
func (r *Run) Replay(appends []*v1.Facts) error {
	for _, a := range appends {
		for _, f := range a.Facts {
			if err := r.Apply(f); err != nil {
				return err
			}
		}
		if !r.State.Ended() {
			r.State = State(a.State)
			r.Parked = r.Parked || r.State == Waiting
		}
	}
	return nil
}

// Apply folds one fact into the run. A fact that cannot follow is an error that
// names the run and the fact, and leaves the run as it was.
func (r *Run) Apply(f *v1.Fact) error {
	if c := f.GetRunContinued(); c != nil {
		return r.continued(f, c)
	}
	switch {
	case f.Kind == nil:
		return &UnknownFact{r.id, f.Number}
	case r.Start == nil && f.GetRunStarted() == nil:
		return r.illegal(f, "the run has not started")
	case r.Start != nil && f.GetRunStarted() != nil:
		return r.illegal(f, "the run has started already")
	case r.State.Ended() && f.GetRunRetried() == nil:
		return r.illegal(f, "the run has ended")
	case f.Number != r.Facts+1:
		return r.illegal(f, fmt.Sprintf("the fact before it is %d", r.Facts))
	}
	if err := r.fold(f); err != nil {
		return err
	}
	r.note(f)
	return nil
}

// note keeps what is common to all facts.
func (r *Run) note(f *v1.Fact) {
	r.track(f.Step)
	r.Facts = f.Number
	r.history.kept = append(r.history.kept, f)
	if at := time.Unix(0, f.At).UTC(); at.After(r.At) {
		r.At = at
	}
	if f.Claim != nil {
		r.Claim, r.State = f.Claim, Running
		r.history.carriers[carrier{f.Claim.Stream, f.Claim.Sequence}] = true
	}
}

func (r *Run) illegal(f *v1.Fact, why string) error {
	return fmt.Errorf("reading run %s: fact %d (%s) cannot follow: %s", r.id, f.Number, Kind(f), why)
}

func (r *Run) fold(f *v1.Fact) error {
	at := time.Unix(0, f.At).UTC()
	switch k := f.Kind.(type) {
	case *v1.Fact_RunStarted:
		r.Start, r.Started, r.State = k.RunStarted, at, Running
	case *v1.Fact_RunClaimed:
		if len(r.open) > 0 {
			r.history.lost++
		}
	case *v1.Fact_RunCompleted:
		r.end(f, Completed, at)
	case *v1.Fact_RunFailed:
		r.end(f, Failed, at)
	case *v1.Fact_RunCanceled:
		r.end(f, Canceled, at)
	case *v1.Fact_RunEnding:
		return r.ending(f, k.RunEnding, at)
	case *v1.Fact_RunRetried:
		return r.retried(f, k.RunRetried)
	case *v1.Fact_SignalReceived:
		r.signals = append(r.signals, k.SignalReceived)
		r.history.commands[k.SignalReceived.Command] = true
	case *v1.Fact_GateQueued:
		r.Gate = &Gate{GateQueued: k.GateQueued, Place: k.GateQueued.Place}
	case *v1.Fact_GateEntered:
		return r.gateEntered(f, k.GateEntered)
	case *v1.Fact_TimerSet:
		return r.timerSet(f, k.TimerSet)
	case *v1.Fact_TimerFired:
		r.timerFired(k.TimerFired, at)
	case *v1.Fact_CancelRequested:
		r.Cancel = k.CancelRequested
		r.history.commands[k.CancelRequested.Command] = true
	default:
		return r.foldStep(f, r.Step(f.Step), at)
	}
	return nil
}

// end folds that nothing goes on. The timers that stand are for the shell to take
// back.
func (r *Run) end(f *v1.Fact, state State, at time.Time) {
	r.End, r.State = f, state
	for path, s := range r.live {
		if s.Status != StepOpen { // of which nobody knows
			s.Status, s.Ended = StepCanceled, at
			delete(r.live, path)
		}
	}
}

func (r *Run) timerSet(f *v1.Fact, t *v1.TimerSet) error {
	if t.Reason == reasonSleep {
		if err := r.follows(f, r.Step(f.Step)); err != nil {
			return err
		}
	}
	r.setTimer(f.Number, &Timer{Due: time.Unix(0, t.Due).UTC(), Step: f.Step, Reason: t.Reason})
	if t.Reason == reasonSleep {
		s := r.Step(f.Step)
		s.Status, s.Timer, s.Begun, s.NextAt = StepSleeping, f.Number, time.Unix(0, f.At).UTC(), time.Unix(0, t.Due).UTC()
	}
	return nil
}

func (r *Run) timerFired(t *v1.TimerFired, at time.Time) {
	timer := r.Timers[t.Timer]
	r.dropTimer(t.Timer)
	if timer != nil && timer.Reason == reasonSleep {
		if s := r.Step(timer.Step); s.Status == StepSleeping {
			s.Status, s.Ended = StepCompleted, at
			r.track(timer.Step)
		}
	}
}

func (r *Run) foldStep(f *v1.Fact, s *StepState, at time.Time) error {
	if err := r.follows(f, s); err != nil {
		return err
	}
	s.reused = f.Number <= r.Start.GetReplay().GetFacts()+1 // run_started is before them
	switch k := f.Kind.(type) {
	case *v1.Fact_StepStarted:
		return r.stepStarted(f, s, k.StepStarted)
	case *v1.Fact_StepSkipped:
		s.Status, s.Ended = StepSkipped, at
	case *v1.Fact_StepCompleted:
		r.complete(f, s, k.StepCompleted.Output)
		s.Attempt = max(s.Attempt, k.StepCompleted.Attempt) // a new generation has no start of it
		r.outcome(f.Step)
	case *v1.Fact_StepFailed:
		r.stepFailed(f, s, k.StepFailed)
	case *v1.Fact_ValueSet:
		r.complete(f, s, k.ValueSet.Value)
	case *v1.Fact_BranchChosen:
		r.inside(s, f, k.BranchChosen.Deadline)
		s.Block, s.Branch = true, k.BranchChosen.Branch
	case *v1.Fact_LoopStarted:
		r.inside(s, f, k.LoopStarted.Deadline)
		if k.LoopStarted.Items != nil { // else it goes on with the list that it had
			s.Loop = &LoopState{Items: k.LoopStarted.Items, Count: int(k.LoopStarted.Count)}
		}
	case *v1.Fact_WaitStarted:
		s.Status, s.Begun, s.Wait = StepWaiting, at, &WaitState{f.Number, k.WaitStarted}
	case *v1.Fact_WaitEnded:
		return r.waitEnded(f, s, k.WaitEnded)
	case *v1.Fact_CallStarted:
		r.callStarted(f, s, k.CallStarted)
	case *v1.Fact_CallEnded:
		return r.callEnded(f, s, k.CallEnded)
	case *v1.Fact_ApprovalGiven:
		r.history.commands[k.ApprovalGiven.Command] = true
		return r.approved(f, s, k.ApprovalGiven)
	default:
		return &UnknownFact{r.id, f.Number}
	}
	return nil
}

func (r *Run) stepStarted(f *v1.Fact, s *StepState, k *v1.StepStarted) error {
	if k.Again && s.Attempt == k.Attempt && (s.Status == StepOpen || s.Status == StepProbing) {
		if s.Status == StepOpen { // not called yet: it has its time from here
			s.Begun, s.Deadline = time.Unix(0, f.At).UTC(), time.Unix(0, k.Deadline).UTC()
		}
		return nil
	}
	if k.Attempt != s.Attempt+1 || s.Status == StepOpen {
		return r.illegal(f, fmt.Sprintf("step %s is at attempt %d, %s", f.Step, s.Attempt, s.Status))
	}
	s.Status, s.Attempt, s.Start = StepOpen, k.Attempt, k
	s.Begun, s.Deadline = time.Unix(0, f.At).UTC(), time.Unix(0, k.Deadline).UTC()
	s.epoch, s.NextAt = r.Epoch(), time.Time{}
	if k.Input != nil {
		s.Input, s.reads = k.Input, nil
	}
	return nil
}

func (r *Run) stepFailed(f *v1.Fact, s *StepState, k *v1.StepFailed) {
	s.Ended, s.Error, s.NextAt = time.Unix(0, f.At).UTC(), k.Error, time.Unix(0, k.NextAt).UTC()
	s.output, s.Attempt = decoded{}, max(s.Attempt, k.Attempt) // a replay has no start of it
	s.Unknown = s.Unknown || k.Class == classUnknown
	switch Policy(k.Next) {
	case PolicyRetry:
		s.Status = StepRetrying
	case PolicyProbe:
		s.Status, s.Probes = StepProbing, s.Probes+1
	case PolicyAsk:
		s.Status = StepAsking
	default:
		s.Status = StepFailed
		r.dropBelow(f.Step, s.Ended)
	}
	if k.Class != classUnknown {
		r.outcome(f.Step)
	}
}

// outcome notes that an attempt ended: the run makes progress, and the timers of
// its step are overtaken.
func (r *Run) outcome(step string) {
	r.history.lost = 0
	r.dropTimers(step)
}

func (r *Run) approved(f *v1.Fact, s *StepState, k *v1.ApprovalGiven) error {
	if s.Status == StepWaiting && s.Wait.asks() {
		if !slices.Contains(s.Wait.Approval.Choices, k.Choice) {
			return r.illegal(f, fmt.Sprintf("step %s can be answered with %s", f.Step, strings.Join(s.Wait.Approval.Choices, ", ")))
		}
		r.complete(f, s, k.Output)
		s.Outcome = k.Choice
		r.dropTimers(f.Step)
		return nil
	}
	if s.Status != StepAsking {
		return r.illegal(f, fmt.Sprintf("step %s asks for nothing, it is %s", f.Step, s.Status))
	}
	switch k.Choice {
	case ChoiceRetry:
		s.Status, s.NextAt = StepRetrying, time.Unix(0, f.At).UTC()
	case ChoiceDone:
		r.complete(f, s, k.Output)
	case ChoiceFail:
		s.Status = StepFailed
	default:
		return r.illegal(f, "step "+f.Step+" can be answered with retry, done, fail")
	}
	r.dropTimers(f.Step)
	r.history.asked[f.Step] = true
	return nil
}

// Choices of an approval about an unknown attempt.
const (
	ChoiceRetry = "retry" // it did not happen: try again
	ChoiceDone  = "done"  // it happened: go on
	ChoiceFail  = "fail"
)

// Kind returns the wire name of a fact's kind, such as step_started.
func Kind(f *v1.Fact) string {
	m := f.ProtoReflect()
	if field := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind")); field != nil {
		return string(field.Name())
	}
	return "unknown"
}

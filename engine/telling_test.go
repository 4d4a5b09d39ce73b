package engine_test

import (
	"fmt"
	"strings"
	"time"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// keep notes an append and says what is in it.
func (s *story) keep(facts []*v1.Fact) {
	if len(facts) == 0 {
		return
	}
	s.appends = append(s.appends, &v1.Facts{Facts: facts, State: string(s.run.State)})
	for _, f := range facts {
		s.say(fmt.Sprintf("%2d %s %s", f.Number, clock(f.At), strings.TrimSpace(engine.Kind(f)+" "+f.Step+detail(f))))
	}
}

// detail is what a fact says besides its kind and its step.
func detail(f *v1.Fact) string {
	d := ""
	if f.Claim != nil {
		d = fmt.Sprintf(" (epoch %d)", f.Claim.Epoch)
	}
	for _, of := range []func(*v1.Fact) string{ofRun, ofStep, ofInside, ofWait, ofCommand} {
		d += of(f)
	}
	return strings.TrimRight(d, " ")
}

func ofRun(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_RunFailed:
		return fmt.Sprintf(" %s %s: %s", k.RunFailed.Reason, k.RunFailed.Step, k.RunFailed.Error.GetMessage())
	case *v1.Fact_RunEnding:
		return fmt.Sprintf(" %s %s %s", k.RunEnding.State, k.RunEnding.Reason, k.RunEnding.Step)
	case *v1.Fact_RunCanceled:
		return " " + k.RunCanceled.Why
	case *v1.Fact_RunCompleted:
		return fmt.Sprintf(" %s", k.RunCompleted.Output.GetJson())
	case *v1.Fact_RunContinued:
		return fmt.Sprintf(" with %d facts", len(k.RunContinued.Facts))
	}
	return ""
}

func ofStep(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_StepStarted:
		return fmt.Sprintf(" attempt %d", k.StepStarted.Attempt)
	case *v1.Fact_StepCompleted:
		return fmt.Sprintf(" %s", k.StepCompleted.Output.GetJson())
	case *v1.Fact_StepFailed:
		at := ""
		if k.StepFailed.NextAt != 0 {
			at = " at " + clock(k.StepFailed.NextAt)
		}
		return fmt.Sprintf(" %s, %s%s: %s", k.StepFailed.Class, k.StepFailed.Next, at, k.StepFailed.Error.GetMessage())
	case *v1.Fact_StepSkipped:
		return ", since " + k.StepSkipped.Why
	case *v1.Fact_TimerSet:
		return fmt.Sprintf(" for %s until %s", k.TimerSet.Reason, clock(k.TimerSet.Due))
	case *v1.Fact_TimerFired:
		return fmt.Sprintf(" of %d", k.TimerFired.Timer)
	case *v1.Fact_ValueSet:
		return fmt.Sprintf(" %s", k.ValueSet.Value.GetJson())
	}
	return ""
}

func ofInside(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_BranchChosen:
		return " " + k.BranchChosen.Branch + until(k.BranchChosen.Deadline)
	case *v1.Fact_LoopStarted:
		return fmt.Sprintf(" over %s", k.LoopStarted.Items.GetJson()) + until(k.LoopStarted.Deadline)
	case *v1.Fact_CallStarted:
		wait := ""
		if !k.CallStarted.Wait {
			wait = ", without waiting"
		}
		return fmt.Sprintf(" of %s with %s%s%s", k.CallStarted.Workflow, k.CallStarted.Inputs.GetJson(), wait, until(k.CallStarted.Deadline))
	case *v1.Fact_CallEnded:
		return fmt.Sprintf(" %s %s", k.CallEnded.State, k.CallEnded.Output.GetJson())
	}
	return ""
}

func ofWait(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_WaitStarted:
		return waitsFor(k.WaitStarted) + until(k.WaitStarted.Deadline)
	case *v1.Fact_WaitEnded:
		failed := ""
		if k.WaitEnded.Failed {
			failed = ", which fails the step"
		}
		return fmt.Sprintf(" %s %s%s", k.WaitEnded.Outcome, k.WaitEnded.Output.GetJson(), failed)
	}
	return ""
}

// waitsFor says what a wait is for.
func waitsFor(w *v1.WaitStarted) string {
	if a := w.Approval; a != nil {
		asks := fmt.Sprintf(" asks %s %q, %s", a.To, a.Message, strings.Join(a.Choices, " or "))
		if a.Fields != nil {
			asks += fmt.Sprintf(", with %s", a.Fields.Json)
		}
		return asks
	}
	var all []string
	for _, a := range w.Of {
		of := strings.TrimSpace(a.Source + " " + strings.Join(a.Types, " or "))
		if a.Signal != "" {
			of = "signal " + a.Signal
		}
		for _, m := range a.Match {
			of += " where " + m.Path + " is " + m.Value
		}
		if a.Name != "" {
			of = a.Name + ": " + of
		}
		all = append(all, of)
	}
	return " for " + strings.Join(all, ", or ")
}

func ofCommand(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_SignalReceived:
		return fmt.Sprintf(" %s %s", k.SignalReceived.Name, k.SignalReceived.Data.GetJson())
	case *v1.Fact_ApprovalGiven:
		return fmt.Sprintf(" %s %s", k.ApprovalGiven.Choice, k.ApprovalGiven.Output.GetJson())
	case *v1.Fact_CancelRequested:
		if k.CancelRequested.Now {
			return " now"
		}
	case *v1.Fact_RunRetried:
		for path, with := range k.RunRetried.With {
			return fmt.Sprintf(" with %s=%s", path, with.Json)
		}
	}
	return ""
}

// until is a deadline, where there is one.
func until(deadline int64) string {
	if deadline == 0 {
		return ""
	}
	return ", until " + clock(deadline)
}

func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("2/15:04:05.999") }

// asleep says why a parked run would never wake.
func asleep(r *engine.Run) string {
	if r.State != engine.Waiting || len(r.Timers) > 0 || len(r.Waits()) > 0 || r.Ending == nil && r.Start.Deadline != 0 || r.Queued() {
		return ""
	}
	for _, s := range r.Steps {
		if s.Status == engine.StepAsking || s.Status == engine.StepWaiting {
			return ""
		}
	}
	return "it is parked, and nothing will wake it"
}

package operator

import (
	"fmt"
	"strings"
	"time"

	v1 "zflow/proto/zflow/v1"
)

// describe says in one line what a fact says, without its time and step.
func describe(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_RunStarted:
		return "run started by " + k.RunStarted.GetEvent().GetType()
	case *v1.Fact_RunClaimed:
		return "worker lost: the run is taken over"
	case *v1.Fact_RunContinued:
		return fmt.Sprintf("history renewed: generation %d", k.RunContinued.Generation)
	case *v1.Fact_RunCompleted:
		return "run completed"
	case *v1.Fact_RunFailed:
		return "run failed" + orNothing(" (%s)", k.RunFailed.Reason) + orNothing(": %s", errorText(k.RunFailed.Error))
	case *v1.Fact_RunCanceled:
		return "run canceled" + orNothing(": %s", k.RunCanceled.Why)
	case *v1.Fact_RunEnding:
		return "the steps are over: the run will be " + k.RunEnding.State + orNothing(": %s", errorText(k.RunEnding.Error))
	case *v1.Fact_RunRetried:
		return "run retried" + orNothing(" by %s", k.RunRetried.By) + orNothing(" with version %s", k.RunRetried.Version)
	case *v1.Fact_SignalReceived:
		return "signal " + oneLine(k.SignalReceived.Name) + orNothing(" from %s", k.SignalReceived.By)
	case *v1.Fact_GateQueued:
		return "queued at gate " + oneLine(k.GateQueued.Gate) + orNothing(" for %s", k.GateQueued.Key)
	case *v1.Fact_GateEntered:
		return "entered gate " + oneLine(k.GateEntered.Gate)
	case *v1.Fact_TimerSet:
		return describeTimer(k.TimerSet)
	case *v1.Fact_TimerFired:
		return "timer fired"
	case *v1.Fact_CancelRequested:
		return "cancel requested" + orNothing(" by %s", k.CancelRequested.By) + orNothing(": %s", k.CancelRequested.Reason)
	case *v1.Fact_ApprovalGiven:
		return k.ApprovalGiven.Choice + " chosen" + orNothing(" by %s", k.ApprovalGiven.By) + orNothing(": %s", k.ApprovalGiven.Comment)
	}
	return describeStep(f)
}

// describeBlock is about steps that call nothing.
func describeBlock(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_ValueSet:
		return "value set"
	case *v1.Fact_BranchChosen:
		return "begun" + orNothing(": %s", k.BranchChosen.Branch)
	case *v1.Fact_LoopStarted:
		return fmt.Sprintf("loop over %d items", k.LoopStarted.Count)
	case *v1.Fact_WaitStarted:
		return describeWait(k.WaitStarted)
	case *v1.Fact_WaitEnded:
		return "the wait ended: " + oneLine(k.WaitEnded.Outcome)
	case *v1.Fact_CallStarted:
		return "calls workflow " + k.CallStarted.Workflow + ", run " + k.CallStarted.Run
	case *v1.Fact_CallEnded:
		return "the called run is " + k.CallEnded.State + orNothing(": %s", errorText(k.CallEnded.Error))
	}
	return "a fact that this version of zflow does not know"
}

func describeWait(w *v1.WaitStarted) string {
	s := "waits for " + awaited(w)
	if w.Deadline != 0 {
		s += " until " + instant(w.Deadline).Format(time.RFC3339)
	}
	return s
}

// awaited says what ends a wait.
func awaited(w *v1.WaitStarted) string {
	what := make([]string, 0, len(w.Of))
	for _, a := range w.Of {
		if a.Signal != "" {
			what = append(what, "signal "+a.Signal)
		}
		what = append(what, a.Types...)
	}
	if w.Approval != nil {
		what = append(what, strings.Join(w.Approval.Choices, " or ")+orNothing(" by %s", w.Approval.To))
	}
	return oneLine(strings.Join(what, ", "))
}

func describeStep(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_StepStarted:
		s := fmt.Sprintf("attempt %d started: %s", k.StepStarted.Attempt, k.StepStarted.Uses)
		if k.StepStarted.Again {
			s += " (renewed before the call)"
		}
		return s
	case *v1.Fact_StepCompleted:
		s := "completed"
		if k.StepCompleted.Took > 0 {
			s += " in " + Took(time.Duration(k.StepCompleted.Took))
		}
		if k.StepCompleted.Probed {
			s = "found completed by a probe"
		}
		return s
	case *v1.Fact_StepFailed:
		return describeFailure(k.StepFailed)
	case *v1.Fact_StepSkipped:
		return "skipped" + orNothing(": %s", k.StepSkipped.Why)
	}
	return describeBlock(f)
}

func describeTimer(t *v1.TimerSet) string {
	due := instant(t.Due).Format(time.RFC3339)
	switch t.Reason {
	case "sleep":
		return "sleeps until " + due
	case "retry":
		return "waits until " + due + " for the next attempt"
	}
	return "timer set for " + due + orNothing(" (%s)", t.Reason)
}

func describeFailure(f *v1.StepFailed) string {
	s := fmt.Sprintf("attempt %d failed", f.Attempt)
	switch {
	case f.Attempt == 0:
		s = "failed before its first attempt"
	case f.Class == "unknown":
		s = fmt.Sprintf("attempt %d has an unknown outcome", f.Attempt)
	case f.Class == "absent":
		s = fmt.Sprintf("attempt %d had not happened", f.Attempt)
	}
	if f.Took > 0 {
		s += " after " + Took(time.Duration(f.Took))
	}
	return s + orNothing(": %s", errorText(f.Error)) + nextText(f)
}

// nextText says what follows a failure.
func nextText(f *v1.StepFailed) string {
	switch f.Next {
	case "retry":
		return "; next attempt at " + instant(f.NextAt).Format(time.RFC3339)
	case "probe":
		return "; a probe finds out what happened"
	case "ask":
		return "; a person decides what happened"
	}
	return ""
}

func errorText(e *v1.Error) string {
	if e == nil {
		return ""
	}
	s := strings.TrimSpace(e.Message)
	switch {
	case e.Status != 0 && e.Code != "":
		s += fmt.Sprintf(" (status %d, code %s)", e.Status, e.Code)
	case e.Status != 0:
		s += fmt.Sprintf(" (status %d)", e.Status)
	case e.Code != "":
		s += fmt.Sprintf(" (code %s)", e.Code)
	}
	return oneLine(s)
}

// oneLine keeps what others wrote from moving the terminal's cursor.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

func orNothing(format, text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(format, oneLine(text))
}

// Took is a duration for people: 1.2 s, 340 ms, 3 h 20 min.
func Took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

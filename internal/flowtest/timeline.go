package flowtest

import (
	"fmt"
	"time"

	"zflow/engine"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

// Timeline tells the run's facts, one a line, by the time since the test began.
func (s *Seen) Timeline() []string {
	lines := []string{}
	for _, f := range s.Facts {
		line := fmt.Sprintf("%-10s %s", "+"+since(s.Started, f.At), engine.Kind(f))
		if f.Step != "" {
			line += " " + f.Step
		}
		if more := details(f); more != "" {
			line += ": " + sealed.Mask(more)
		}
		lines = append(lines, line)
	}
	return lines
}

// since is a time after the beginning, as exact as matters at its distance.
func since(begun time.Time, at int64) string {
	d := time.Unix(0, at).Sub(begun)
	exact := time.Millisecond
	if d > time.Minute {
		exact = time.Second
	}
	return d.Round(exact).String()
}

func details(f *v1.Fact) string {
	switch k := f.Kind.(type) {
	case *v1.Fact_StepStarted:
		return fmt.Sprintf("attempt %d of %s %s", k.StepStarted.Attempt, k.StepStarted.Uses, short(k.StepStarted.Input))
	case *v1.Fact_StepCompleted:
		return short(k.StepCompleted.Output)
	case *v1.Fact_StepFailed:
		return fmt.Sprintf("attempt %d, %s: %s; next: %s", k.StepFailed.Attempt, k.StepFailed.Class, k.StepFailed.Error.GetMessage(), k.StepFailed.Next)
	case *v1.Fact_StepSkipped:
		return k.StepSkipped.Why
	case *v1.Fact_ValueSet:
		return short(k.ValueSet.Value)
	case *v1.Fact_BranchChosen:
		return k.BranchChosen.Branch
	case *v1.Fact_WaitEnded:
		return k.WaitEnded.Outcome
	case *v1.Fact_TimerSet:
		return k.TimerSet.Reason + " until " + stamp(time.Unix(0, k.TimerSet.Due))
	case *v1.Fact_ApprovalGiven:
		return k.ApprovalGiven.Choice
	case *v1.Fact_SignalReceived:
		return k.SignalReceived.Name
	case *v1.Fact_RunFailed:
		return k.RunFailed.Reason + " " + k.RunFailed.Step + ": " + k.RunFailed.Error.GetMessage()
	case *v1.Fact_RunCanceled:
		return k.RunCanceled.Why
	case *v1.Fact_RunCompleted:
		return short(k.RunCompleted.Output)
	}
	return ""
}

// short is a value's beginning.
func short(v *v1.Value) string {
	const most = 160
	raw := []rune(string(v.GetJson()))
	if len(raw) > most {
		return string(raw[:most]) + "…"
	}
	return string(raw)
}

package engine

import (
	"fmt"
	"slices"

	v1 "zflow/proto/zflow/v1"
)

// Statuses in which a fact about a step can follow. docs/state_machine.md shows
// what comes of each.
var (
	notBegun  = []Status{""}
	begins    = []Status{"", StepRetrying}
	opens     = []Status{"", StepInside}                        // inside: with a new time, after a retry of the run
	completes = []Status{"", StepOpen, StepProbing, StepInside} // not begun: a stop
	fails     = []Status{"", StepOpen, StepProbing, StepInside, StepWaiting}
	waits     = []Status{StepWaiting}
	asks      = []Status{StepWaiting, StepAsking}
)

// follows refuses a fact that the step's status does not allow.
func (r *Run) follows(f *v1.Fact, s *StepState) error {
	var in []Status
	switch k := f.Kind.(type) {
	case *v1.Fact_StepStarted:
		if k.StepStarted.Again {
			return nil // an attempt under way, which is looked at there
		}
		in = begins
	case *v1.Fact_StepSkipped, *v1.Fact_ValueSet, *v1.Fact_WaitStarted, *v1.Fact_CallStarted, *v1.Fact_TimerSet:
		in = notBegun
	case *v1.Fact_BranchChosen, *v1.Fact_LoopStarted:
		in = opens
	case *v1.Fact_StepCompleted:
		in = completes
	case *v1.Fact_StepFailed:
		in = fails
	case *v1.Fact_WaitEnded, *v1.Fact_CallEnded:
		in = waits
	case *v1.Fact_ApprovalGiven:
		in = asks
	default:
		return nil
	}
	if !slices.Contains(in, s.Status) {
		return r.illegal(f, fmt.Sprintf("step %s is %s", f.Step, s.says()))
	}
	return nil
}

// says is the status, for people.
func (s *StepState) says() string {
	if s.Status == "" {
		return "not reached"
	}
	return string(s.Status)
}

package engine

import (
	"slices"
	"strings"

	v1 "zflow/proto/zflow/v1"
)

// CallOut is another workflow's run that a step has called.
type CallOut struct {
	Step string
	*v1.CallStarted
	Over    bool // the step has ended, or waits for nothing
	Dropped bool // the step ended before the called run did
}

// Calls returns what the run has called, by the steps' paths: not what another did,
// whose outcome it goes on from.
func (r *Run) Calls() []CallOut {
	var all []CallOut
	for path, s := range r.Steps {
		if s.Call == nil || s.reused {
			continue
		}
		c := CallOut{Step: path, CallStarted: s.Call, Over: s.Status != StepWaiting}
		c.Dropped = c.Over && c.Wait && s.Outcome == ""
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b CallOut) int { return strings.Compare(a.Step, b.Step) })
	return all
}

package operator

import (
	"context"
	"maps"
	"slices"
	"time"

	"zflow/engine"
	"zflow/engine/poll"
	"zflow/engine/tick"
	"zflow/engine/workflow"
)

// Tick is when a workflow looks for events by itself.
type Tick struct {
	Plan string    `json:"plan"` // poll every 15m0s
	Last time.Time `json:"last,omitzero"`
	Next time.Time `json:"next"`
}

// Fire is a time at which a schedule starts a run.
type Fire struct {
	At       time.Time `json:"at"` // by the clocks of the schedule's zone
	Schedule string    `json:"schedule"`
}

// nextFires is how many a workflow is shown with.
const nextFires = 5

// Fires are the next times of a workflow's schedules, those of all together.
func Fires(def *engine.Workflow, after time.Time, most int) (all []Fire) {
	for len(all) < most {
		var next Fire
		for _, t := range def.Triggers {
			if t.Source != workflow.SourceSchedule {
				continue
			}
			at := t.Ticks.Next(after)
			if !at.IsZero() && (next.At.IsZero() || at.Before(next.At)) {
				next = Fire{At: at, Schedule: t.Ticks.Plan}
			}
		}
		if next.At.IsZero() {
			return all
		}
		all, after = append(all, next), next.At
	}
	return all
}

// Poll is how the polls of a workflow go.
type Poll = poll.Status

// addTicks tells when a workflow's ticks are, and how its polls go.
func (o *Operator) addTicks(ctx context.Context, w *WorkflowDetail) error {
	if o.Ticks == nil {
		return nil
	}
	plans, err := tick.PlansOf(ctx, o.Ticks, w.Name)
	if err != nil || len(plans) == 0 {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		w.Ticks = append(w.Ticks, Tick{Plan: name, Last: plans[name].Last, Next: plans[name].Next})
	}
	status, err := poll.StatusOf(ctx, o.Ticks, w.Name)
	if err == nil {
		w.Polls = &status
	}
	return err
}

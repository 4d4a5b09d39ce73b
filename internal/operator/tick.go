package operator

import (
	"context"
	"maps"
	"slices"
	"time"

	"zflow/engine/poll"
	"zflow/engine/tick"
)

// Tick is when a workflow looks for events by itself.
type Tick struct {
	Plan string    `json:"plan"` // poll every 15m0s
	Last time.Time `json:"last,omitzero"`
	Next time.Time `json:"next"`
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

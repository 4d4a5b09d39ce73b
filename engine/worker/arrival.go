package worker

import (
	"context"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// arrival returns the fact that ends a wait for which an event came; nil if none
// did that the wait wants.
func (w *Worker) arrival(ctx context.Context, r *engine.Run, m *message) (*v1.Fact, error) {
	open := r.Waits()
	if len(open) == 0 {
		return nil, nil
	}
	def, err := w.definition(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, o := range open {
		came, taken, err := w.Router.Arrived(ctx, r.Start.Workflow, r.ID(), o)
		if err != nil {
			return nil, err
		}
		for _, a := range came {
			if f, err := r.Arrive(def, w.now(m, r.At), a); f != nil || err != nil {
				return f, err
			}
		}
		if len(came) > 0 {
			if err := taken(ctx); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// awaitEvents registers the waits that stand, and drops those that ended.
func (w *Worker) awaitEvents(ctx context.Context, r *engine.Run) error {
	for _, o := range r.Waits() {
		if err := w.Router.Await(ctx, r.Start.Workflow, r.ID(), o); err != nil {
			return err
		}
	}
	return w.dropWaits(ctx, r)
}

// dropWaits drops the registrations of waits that ended.
func (w *Worker) dropWaits(ctx context.Context, r *engine.Run) error {
	for _, o := range r.WaitsOver() {
		if err := w.Router.Drop(ctx, r.Start.Workflow, r.ID(), o); err != nil {
			return err
		}
	}
	return nil
}

package worker

import "context"

// takeAll is what a worker does first that has the server for itself: no lease is
// anyone's, and what is unacknowledged was handed to one that is gone, so it comes
// again now and not after its ack wait.
func (w *Worker) takeAll(ctx context.Context) error {
	if err := w.Stores.Leases.Clear(ctx); err != nil {
		return err
	}
	if err := w.Stores.Wakes.Redeliver(ctx); err != nil {
		return err
	}
	return w.Catalog.Redeliver(ctx)
}

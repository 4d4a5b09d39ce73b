package worker

import "context"

// TakeAll is for a worker that has the server for itself, before it runs and
// before anybody deploys: no lease is anyone's, and what is unacknowledged was
// handed to one that is gone, so it comes again now and not after its ack wait.
// A server may never answer for a consumer that is being made meanwhile.
func (w *Worker) TakeAll(ctx context.Context) error {
	if err := w.Stores.Leases.Clear(ctx); err != nil {
		return err
	}
	if err := w.Stores.Wakes.Redeliver(ctx); err != nil {
		return err
	}
	return w.Catalog.Redeliver(ctx)
}

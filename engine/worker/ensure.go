package worker

import (
	"context"
	"time"

	"zflow/engine"
)

// ensure puts what a parked run waits for into WAKES: its timers, and a wake for
// what the run as a whole is due for. Doing it again changes nothing.
func (w *Worker) ensure(ctx context.Context, r *engine.Run) error {
	whole := w.renewal(r)
	if end := r.Start.Deadline; end != 0 && end < whole.UnixNano() {
		whole = time.Unix(0, end)
	}
	covered := false
	for fact, t := range r.Timers {
		if err := w.Stores.Wakes.SetTimer(ctx, r.Start.Workflow, r.ID(), fact, t.Due); err != nil {
			return err
		}
		covered = covered || t.Due.Before(whole)
	}
	if covered {
		return nil // that wake comes first, and this is looked at again then
	}
	return w.Stores.Wakes.SetTimer(ctx, r.Start.Workflow, r.ID(), 0, whole)
}

// close does what an ended run still owes: its end is durable, then the timers
// that its history names are taken back, then the message is acked.
func (w *Worker) close(ctx context.Context, l *loaded, m *message) error {
	if err := w.closing(ctx, l); err != nil {
		return err
	}
	w.ack(m)
	return nil
}

func (w *Worker) closing(ctx context.Context, l *loaded) error {
	if err := w.Stores.History.Pass(ctx, &l.cursor); err != nil {
		return err
	}
	if !l.run.Parked {
		return nil
	}
	for fact := range l.run.Timers {
		if err := w.Stores.Wakes.DropTimer(ctx, l.run.Start.Workflow, l.run.ID(), fact); err != nil {
			return err
		}
	}
	return w.Stores.Wakes.DropTimer(ctx, l.run.Start.Workflow, l.run.ID(), 0)
}

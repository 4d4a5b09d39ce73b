package worker

import (
	"context"
	"time"

	"zflow/engine"
)

// ensure puts what a parked run waits for where it is looked for: what comes first
// of its timers and of what the run as a whole is due for into WAKES, and what it
// needs of others to them. Doing it again changes nothing.
func (w *Worker) ensure(ctx context.Context, l *loaded) error {
	if err := w.reachOut(ctx, l); err != nil {
		return err
	}
	if l.run.Queued() {
		if err := w.keepInLine(ctx, l); err != nil {
			return err
		}
	}
	return w.setTimer(ctx, l.run)
}

// setTimer sets the one timer of a parked run.
func (w *Worker) setTimer(ctx context.Context, r *engine.Run) error {
	whole := w.renewal(r)
	if end := r.Start.Deadline; end != 0 && end < whole.UnixNano() {
		whole = time.Unix(0, end)
	}
	first := uint64(0)
	for fact, t := range r.Timers {
		if t.Due.Before(whole) || t.Due.Equal(whole) && fact < first {
			first, whole = fact, t.Due
		}
	}
	return w.Stores.Wakes.SetTimer(ctx, r.Start.Workflow, r.ID(), first, whole) // the others are looked at then
}

// reachOut tells others what the run needs of them: runs that it calls, events
// that it waits for. What it says is durable first.
func (w *Worker) reachOut(ctx context.Context, l *loaded) error {
	if len(l.run.Calls()) == 0 && len(l.run.Waits()) == 0 {
		return nil
	}
	if err := w.Stores.History.Pass(ctx, &l.cursor); err != nil {
		return err
	}
	if err := w.startCalls(ctx, l.run); err != nil {
		return err
	}
	return w.awaitEvents(ctx, l.run)
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
	if w.Ended != nil {
		w.Ended(l.run)
	}
	if err := w.tellParent(ctx, l.run); err != nil {
		return err
	}
	if err := w.startCalls(ctx, l.run); err != nil {
		return err
	}
	if err := w.dropWaits(ctx, l.run); err != nil {
		return err
	}
	if l.run.Gate != nil {
		if err := w.line().Leave(ctx, l.run); err != nil {
			return err
		}
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

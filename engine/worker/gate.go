package worker

import (
	"context"
	"time"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/engine/queue"
	v1 "zflow/proto/zflow/v1"
)

// line is where runs with a concurrency key stand. Rule 9.
func (w *Worker) line() *queue.Queue {
	return &queue.Queue{Gates: w.Stores.Gates, History: w.Stores.History, Wakes: w.Stores.Wakes, Gate: w.Gate}
}

// queuedAt returns the sequence of the last append that queued a run, 0 if none did.
func queuedAt(h *history.History) uint64 {
	for i := len(h.Appends) - 1; i >= 0; i-- {
		for _, f := range h.Appends[i].Facts {
			if f.GetGateQueued() != nil {
				return h.Sequences[i]
			}
		}
	}
	return 0
}

// queue begins a run that waits at its gate: nobody owns it yet, so that the event
// is not kept and the next one can queue behind it.
func (w *Worker) queue(ctx context.Context, m *message, begun *v1.RunStarted, queued *v1.Fact) (*owned, error) {
	l := &loaded{run: engine.NewRun(m.run)}
	facts, err := l.run.Begin(w.now(m, time.Time{}), begun, nil, nil)
	if err != nil {
		return nil, err
	}
	o, err := w.getInLine(ctx, l, m, facts, queued)
	if err == nil {
		w.counts.add("runs_started", m.workflow)
	}
	return o, err
}

// queueAgain is queue for a run that is retried: at the tail.
func (w *Worker) queueAgain(ctx context.Context, l *loaded, m *message, def *engine.Workflow, again *v1.Fact) (*owned, error) {
	again, err := l.run.Add(w.now(m, l.run.At), again)
	if err != nil {
		return nil, err
	}
	queued, broken := queue.Queued(def, l.run.Start.Event)
	if broken == nil {
		return w.getInLine(ctx, l, m, []*v1.Fact{again}, queued)
	}
	failed, err := l.run.Fail(w.now(m, l.run.At), "trigger", broken.Error())
	if err != nil {
		return nil, err
	}
	if err := w.append(ctx, l, []*v1.Fact{again, failed}); err != nil {
		return nil, err
	}
	return nil, w.close(ctx, l, m)
}

// getInLine appends what queues a run, behind facts that are applied already.
func (w *Worker) getInLine(ctx context.Context, l *loaded, m *message, facts []*v1.Fact, queued *v1.Fact) (*owned, error) {
	if err := w.flushed(ctx, m); err != nil {
		return nil, err
	}
	queued, err := l.run.Add(w.now(m, l.run.At), queued)
	if err != nil {
		return nil, err
	}
	l.run.State, l.run.Parked = engine.Waiting, true
	if err := w.append(ctx, l, append(facts, queued)); err != nil {
		return nil, err
	}
	return w.resume(ctx, l, m)
}

// inLine is about a run that waits at its gate: it has its place there, and enters
// if it can and the message may carry it; else it is woken to.
func (w *Worker) inLine(ctx context.Context, l *loaded, m *message) (*owned, error) {
	inside, err := w.stand(ctx, l)
	switch {
	case err != nil:
		return nil, err
	case inside && m.wake != nil && !l.run.WasCarriedBy(m.stream, m.sequence):
		return w.own(ctx, l, m, queue.Entered(l.run))
	case inside:
		err = w.nudge(ctx, l.run)
	case queue.Skips(l.run):
		return nil, w.refuse(ctx, l, m)
	}
	if err != nil {
		return nil, err
	}
	if err := w.setTimer(ctx, l.run); err != nil {
		return nil, err
	}
	return nil, w.done(ctx, l, m)
}

// keepInLine is inLine without a message: whatever follows comes with a wake.
func (w *Worker) keepInLine(ctx context.Context, l *loaded) error {
	inside, err := w.stand(ctx, l)
	if err != nil || !inside && !queue.Skips(l.run) {
		return err
	}
	return w.nudge(ctx, l.run)
}

// stand makes sure that a queued run has its place, and says whether it may enter.
func (w *Worker) stand(ctx context.Context, l *loaded) (inside bool, err error) {
	if err := w.Stores.History.Pass(ctx, &l.cursor); err != nil {
		return false, err
	}
	return w.line().Ensure(ctx, l.run)
}

func (w *Worker) nudge(ctx context.Context, r *engine.Run) error {
	return w.Stores.Wakes.Wake(ctx, r.Start.Workflow, r.ID(), &v1.Wake{Reason: "gate"})
}

// refuse ends a run that skips and has found its gate full. Rule 16.
func (w *Worker) refuse(ctx context.Context, l *loaded, m *message) error {
	f, err := l.run.Add(w.now(m, l.run.At), queue.Full(l.run))
	if err != nil {
		return err
	}
	if err := w.append(ctx, l, []*v1.Fact{f}); err != nil {
		return err
	}
	w.counts.add("runs_canceled", m.workflow)
	return w.close(ctx, l, m)
}

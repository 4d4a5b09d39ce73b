package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/engine/worker/command"
	"zflow/internal/pause"
	"zflow/proto"
)

// handle does all that a message asks for, and carries the run if it became ours.
func (w *Worker) handle(ctx context.Context, m *message, e catalog.Entry) {
	if m.run == proto.None {
		w.onTick(ctx, m)
		return
	}
	load := !m.first || m.event == nil
	for w.handleOnce(ctx, m, e, load) == claimLost {
		load = true // the message is about a run that exists
	}
}

// handleOnce lets no other message about the run in until a claim that this one
// makes is in the history: a worker holds a run once.
func (w *Worker) handleOnce(ctx context.Context, m *message, e catalog.Entry, load bool) verdict {
	defer w.recovered(m)
	leave, ok := w.busy.Enter(ctx, m.run)
	if !ok {
		return settled
	}
	defer leave()
	// A server that forgot what it has delivered delivers it as if for the first time:
	// a start would put itself in the place of the run in memory.
	load = load || w.holding(m.run) != nil
	o := w.settle(ctx, m, e, load)
	if o == nil {
		return settled
	}
	o.claimed = leave
	w.hold(o)
	return w.carry(ctx, o)
}

// recovered reports a panic; the message comes again, as after a crash.
func (w *Worker) recovered(m *message) {
	if p := recover(); p != nil {
		w.counts.add("panics", m.workflow)
		w.Log.Error("handling a message panicked", zap.String("run_id", m.run), zap.String("workflow", m.workflow),
			zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
	}
}

// settle repeats what a message asks for until it is done, or is better left to
// its redelivery.
func (w *Worker) settle(ctx context.Context, m *message, e catalog.Entry, load bool) *owned {
	for wait := time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		o, err := w.about(ctx, m, e, load)
		if err == nil {
			return o
		}
		if !w.worthTrying(ctx, m, err) {
			return nil
		}
		if !errors.Is(err, history.ErrConflict) {
			pause.For(ctx, wait)
		}
		load = true
	}
}

// worthTrying says whether to try again after an error, and reports it if not.
func (w *Worker) worthTrying(ctx context.Context, m *message, err error) bool {
	log := w.Log.With(zap.String("workflow", m.workflow), zap.String("run_id", m.run), zap.Error(err))
	switch {
	case ctx.Err() != nil:
		return false
	case unreadable(err):
		w.counts.add("runs_unreadable", m.workflow)
		log.Error("a run is left alone")
		w.leaveAlone(m)
		return false
	case time.Since(m.asked) > ackWithin || w.Gate.Mark() != m.mark:
		log.Warn("a message is left to its redelivery")
		return false
	}
	return true
}

// leaveAlone leaves a message to a newer program. One of a workflow whose events go
// in order would block them all if it came back late: this worker pulls no more of
// them, until the workflow is deployed again.
func (w *Worker) leaveAlone(m *message) {
	switch {
	case m.ordered != nil:
		w.counts.add("workflows_left", m.workflow)
		m.ordered()
	case w.Gate.Mark() == m.mark:
		_ = m.NakWithDelay(30 * time.Second) // lost: it comes sooner
	}
}

// unreadable says that trying again will not help this program: the run is for a
// newer one, or for a person.
func unreadable(err error) bool {
	var unknown *engine.UnknownFact
	var damaged *history.Damaged
	return errors.As(err, &unknown) || errors.As(err, &damaged) || errors.Is(err, blobs.ErrMissing) ||
		errors.Is(err, errVersion) || errors.Is(err, command.ErrUnknown) || errors.Is(err, catalog.ErrNewer)
}

var (
	errVersion = errors.New("its version of the workflow cannot be read")
)

// loaded is a run as it stands in the history.
type loaded struct {
	run    *engine.Run
	cursor history.Cursor
}

func (w *Worker) load(ctx context.Context, workflow, run string) (*loaded, error) {
	h, err := w.Stores.History.Load(ctx, workflow, run)
	if err != nil {
		return nil, err
	}
	for _, a := range h.Appends {
		if err := w.fetchBlobs(ctx, a.Facts); err != nil {
			return nil, err
		}
	}
	r := engine.NewRun(run)
	if err := r.Replay(h.Appends); err != nil {
		return nil, err
	}
	r.QueuedAt(queuedAt(h))
	return &loaded{r, h.Cursor}, nil
}

// about decides what a message means for its run. Not nil: this worker owns the
// run now, by a claim that is still to be appended with the first facts.
func (w *Worker) about(ctx context.Context, m *message, e catalog.Entry, load bool) (*owned, error) {
	if !load {
		return w.startEvent(ctx, m, e)
	}
	l, err := w.load(ctx, m.workflow, m.run)
	if err != nil {
		return nil, err
	}
	switch {
	case l.cursor.Number == 0 && m.event != nil:
		return w.startEvent(ctx, m, e)
	case l.cursor.Number == 0 && m.wake.GetStart() != nil:
		return w.startCalled(ctx, m)
	case l.cursor.Number == 0:
		w.ack(m) // about a run that a power failure took, or that never was
		return nil, nil
	case l.run.State.Ended():
		return w.ended(ctx, l, m)
	case l.run.State == engine.Waiting:
		return w.resume(ctx, l, m)
	case l.run.Queued() && m.event != nil: // those behind it must not get in line before it
		return w.inLine(ctx, l, m)
	case l.run.Claim.GetWorker() == w.id:
		return w.mine(ctx, l, m)
	}
	return w.foreign(ctx, l, m)
}

// mine is about a running run whose last claim names this worker.
func (w *Worker) mine(ctx context.Context, l *loaded, m *message) (*owned, error) {
	carrier := l.run.CarriedBy(m.stream, m.sequence)
	if o := w.holding(m.run); o != nil && o.owns(l.run, w.id) {
		if carrier {
			o.renewed(m)
			return nil, nil
		}
		return nil, w.tell(ctx, l, m)
	}
	if carrier { // the claim was never answered, or a power failure took what followed
		return w.claim(ctx, l, m, nil)
	}
	return nil, w.tell(ctx, l, m)
}

// definition returns the workflow of a run, in the run's own version.
func (w *Worker) definition(ctx context.Context, r *engine.Run) (*engine.Workflow, error) {
	def, err := w.Catalog.Workflow(ctx, r.Start.Workflow, r.Start.Version)
	if errors.Is(err, catalog.ErrNoVersion) {
		return nil, fmt.Errorf("loading run %s: %w: %w", r.ID(), errVersion, err)
	}
	return def, err
}

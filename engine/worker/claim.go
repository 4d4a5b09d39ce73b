package worker

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/worker/lease"
	v1 "zflow/proto/zflow/v1"
)

// errNotNow says that a claim must not be appended: the lease or the message is
// too old. The message is tried again while it is young enough, else it is left.
var errNotNow = errors.New("no claim may be made now: the lease or the message is too old")

// mayClaim waits until the message is durable and checks that it may be claimed.
func (w *Worker) mayClaim(ctx context.Context, m *message) error {
	if err := w.flushed(ctx, m); err != nil {
		return err
	}
	if !w.claimable(m) {
		return errNotNow
	}
	return nil
}

func (w *Worker) claimOf(m *message, epoch uint64) *v1.Claim {
	return &v1.Claim{Worker: w.id, Epoch: epoch, Stream: m.stream, Sequence: m.sequence}
}

// claim makes this worker the owner of a running run in place of one that is
// lost, together with the fact that the message brings, if any.
func (w *Worker) claim(ctx context.Context, l *loaded, m *message, brings *v1.Fact) (*owned, error) {
	claimed := &v1.Fact{Kind: &v1.Fact_RunClaimed{RunClaimed: &v1.RunClaimed{From: l.run.Claim.GetWorker()}}}
	return w.own(ctx, l, m, claimed, brings)
}

// own takes a loaded run with facts of which the first is the claim.
func (w *Worker) own(ctx context.Context, l *loaded, m *message, facts ...*v1.Fact) (*owned, error) {
	def, err := w.definition(ctx, l.run)
	if err != nil {
		return nil, err
	}
	if err := w.mayClaim(ctx, m); err != nil {
		return nil, err
	}
	facts[0].Claim = w.claimOf(m, l.run.Epoch()+1)
	now := w.now(m, l.run.At)
	var added []*v1.Fact
	for _, f := range facts {
		if f == nil {
			continue
		}
		f, err := l.run.Add(now, f)
		if err != nil {
			return nil, err
		}
		added = append(added, f)
	}
	o := newOwned(m, l.run, def, added)
	o.cursor = l.cursor
	return o, nil
}

// resume is about a parked run: what the message brings, or what is due, is
// recorded together with the claim of the message. Rules 2, 6 and 7.
func (w *Worker) resume(ctx context.Context, l *loaded, m *message) (*owned, error) {
	now := w.now(m, l.run.At)
	brings, err := w.brings(ctx, l.run, m)
	if err != nil {
		return nil, err
	}
	news := brings != nil
	if brings == nil {
		brings = l.run.Due(now)
	}
	if brings == nil {
		if err := w.renewHistory(ctx, l, now); err != nil {
			return nil, err
		}
		if l.run.Queued() {
			return w.inLine(ctx, l, m)
		}
		if err := w.ensure(ctx, l); err != nil {
			return nil, err
		}
		return nil, w.done(ctx, l, m)
	}
	if l.run.WasCarriedBy(m.stream, m.sequence) || m.command != nil && !news {
		if err := w.Stores.Wakes.Wake(ctx, m.workflow, m.run, &v1.Wake{Reason: "carrier"}); err != nil {
			return nil, err
		}
		return nil, w.done(ctx, l, m)
	}
	return w.own(ctx, l, m, brings)
}

// tell records what a message brings to a run that its owner works on, and
// hints to the owner if that is a cancel. Rule 7.
func (w *Worker) tell(ctx context.Context, l *loaded, m *message) error {
	brings, err := w.brings(ctx, l.run, m)
	if err != nil {
		return err
	}
	if brings != nil && brings.GetTimerFired() == nil { // its owner sees by itself what is due

		f, err := l.run.Add(w.now(m, l.run.At), brings)
		if err != nil {
			return err
		}
		l.run.State = engine.Running
		if err := w.append(ctx, l, []*v1.Fact{f}); err != nil {
			return err
		}
	}
	if err := w.done(ctx, l, m); err != nil {
		return err
	}
	if brings != nil || l.run.Cancel != nil {
		w.hintOwner(l.run)
	}
	return nil
}

// done acks a message once all that was written because of it is durable.
func (w *Worker) done(ctx context.Context, l *loaded, m *message) error {
	if err := w.Stores.History.Pass(ctx, &l.cursor); err != nil {
		return err
	}
	w.ack(m)
	return nil
}

// foreign is about a running run that another worker's claim owns. Rule 4.
func (w *Worker) foreign(ctx context.Context, l *loaded, m *message) (*owned, error) {
	owner := l.run.Claim.GetWorker()
	there, err := w.leaseFor(ctx, owner, m)
	if errors.Is(err, errTooLate) {
		return nil, nil // the message comes again
	}
	if err != nil {
		return nil, err
	}
	if there {
		if l.run.CarriedBy(m.stream, m.sequence) {
			return nil, nil // its owner works on it: the message comes again
		}
		return nil, w.tell(ctx, l, m)
	}
	if !l.run.CarriedBy(m.stream, m.sequence) && l.run.WasCarriedBy(m.stream, m.sequence) {
		return nil, w.done(ctx, l, m)
	}
	brings, err := w.brings(ctx, l.run, m)
	if err != nil {
		return nil, err
	}
	o, err := w.claim(ctx, l, m, brings)
	if err == nil {
		w.counts.add("runs_taken_over", m.workflow)
		w.Log.Info("a run is taken over", zap.String("workflow", m.workflow), zap.String("run_id", m.run), zap.String("from", owner))
	}
	return o, err
}

// errTooLate says that a message would be too old to be claimed once its owner's
// lease was looked for long enough.
var errTooLate = errors.New("the message is too old for a takeover")

// leaseFor is leaseThere for a message. One that is too old to be claimed after that
// does not look for so long: many such messages about one run would keep each other
// waiting until all are, again and again.
func (w *Worker) leaseFor(ctx context.Context, owner string, m *message) (bool, error) {
	if w.Alone || time.Since(m.asked)+lease.Looking < claimWithin {
		return w.leaseThere(ctx, owner)
	}
	_, there, err := w.Stores.Leases.Get(ctx, owner)
	if err == nil && !there {
		err = errTooLate
	}
	return there, err
}

// leaseThere says whether a worker lives. Where no other exists, none does.
func (w *Worker) leaseThere(ctx context.Context, worker string) (bool, error) {
	if w.Alone {
		return false, nil
	}
	return w.lease.There(ctx, worker, w.Gate.Mark)
}

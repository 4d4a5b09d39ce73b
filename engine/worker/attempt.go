package worker

import (
	"context"
	"fmt"
	"time"

	"zflow/engine"
	"zflow/engine/worker/attempt"
	"zflow/engine/worker/lease"
	"zflow/internal/pause"
	v1 "zflow/proto/zflow/v1"
)

// attempt makes the only call that can move a run, and keeps what it brought.
func (w *Worker) attempt(ctx context.Context, o *owned, a *engine.Attempt) error {
	call, err := w.ready(ctx, o, a)
	if err != nil || call == nil {
		return err
	}
	o.outcomes[a.AttemptID] = call()
	o.landedSlot()
	return nil
}

// launch makes calls beside each other; what they bring lands in o.
func (w *Worker) launch(ctx context.Context, o *owned, calls []*engine.Attempt) error {
	if err := w.flush(ctx, o); err != nil {
		return err
	}
	for _, a := range calls {
		call, err := w.ready(ctx, o, a)
		if err != nil || call == nil {
			return err
		}
		o.flying++
		go func() { o.land(a.AttemptID, call()) }()
	}
	return nil
}

// ready returns once an attempt may be called, in a slot of its own; nil: there
// is news to be looked at first, and it was.
func (w *Worker) ready(ctx context.Context, o *owned, a *engine.Attempt) (func() *engine.Outcome, error) {
	if o.called[a.AttemptID] {
		return nil, fmt.Errorf("calling attempt %d of %s: it was called already", a.Attempt, a.Step)
	}
	if err := w.takeSlot(ctx, o); err != nil {
		return nil, err
	}
	if err := w.mayBegin(ctx, o, a); err != nil {
		return nil, err
	}
	code, long, err := attempt.CodeOf(o.run, o.def, a, timeout(a, w.now(nil, time.Time{})))
	if err != nil {
		return nil, err
	}
	call, cancel := context.WithTimeout(ctx, long)
	if !o.calling(a.AttemptID, cancel) {
		cancel()
		return nil, w.reload(ctx, o)
	}
	o.called[a.AttemptID] = true
	o.slots.reserved--
	w.counts.add("attempts", o.def.Name)
	w.watchCall(o, a)
	of := attempt.Of{Run: o.run.ID(), Workflow: o.def.Name, Event: o.run.Start.Event.Id, Account: o.run.Start.Event.Account, Body: o.run.Start.Event.Body.GetJson(), Code: code}
	return func() *engine.Outcome {
		defer cancel()
		defer o.ended(a.AttemptID)
		return w.caller.Do(call, of, a)
	}, nil
}

// mayBegin returns once the call may begin. Rule 3. The start of a read alone may
// stay in memory; what came before it, such as the outcome of a write, may not.
func (w *Worker) mayBegin(ctx context.Context, o *owned, a *engine.Attempt) error {
	if !a.Reads || len(o.pending) > starts(o.pending) {
		if err := w.flush(ctx, o); err != nil {
			return err
		}
	}
	for {
		if err := w.pass(ctx, o); err != nil {
			return err
		}
		for !w.lease.Fresh() {
			pause.For(ctx, 50*time.Millisecond)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if time.Since(o.cursor.Sent) < lease.Belief {
			return nil
		}
		if err := w.startAgain(ctx, o, a); err != nil {
			return err
		}
	}
}

// starts returns 1 if the last of the facts is the start of an attempt, else 0.
func starts(facts []*v1.Fact) int {
	if n := len(facts); n > 0 && facts[n-1].GetStepStarted() != nil {
		return 1
	}
	return 0
}

// startAgain appends the start of an attempt whose record has grown too old; the
// attempt has its whole time from there.
func (w *Worker) startAgain(ctx context.Context, o *owned, a *engine.Attempt) error {
	if len(o.pending) > 0 { // a read's own start
		return w.flush(ctx, o)
	}
	now := w.now(nil, o.run.At)
	if a.Probe == 0 {
		a.Deadline = now.Add(a.Deadline.Sub(a.Begun))
		if end := o.run.Start.Deadline; end != 0 && end < a.Deadline.UnixNano() {
			a.Deadline = time.Unix(0, end)
		}
		a.Begun = now
	}
	f, err := o.run.Add(now, &v1.Fact{Step: a.Step, Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{
		Attempt: a.Attempt, Uses: a.Uses.Action, Connection: a.Connection, Deadline: a.Deadline.UnixNano(), Again: true}}})
	if err != nil {
		return err
	}
	o.pending = append(o.pending, f)
	return w.flush(ctx, o)
}

// timeout is how long the call may take: its own, but not past the run's end.
func timeout(a *engine.Attempt, now time.Time) time.Duration {
	long := a.Deadline.Sub(a.Begun)
	if left := a.Deadline.Sub(now); left < long || long <= 0 {
		long = left
	}
	return max(long, time.Millisecond)
}

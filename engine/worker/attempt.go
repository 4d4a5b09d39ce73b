package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/expr"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

// attempt makes a call once it may begin, and keeps what it brought. The slot is
// taken before the append that records the start.
func (w *Worker) attempt(ctx context.Context, o *owned, a *engine.Attempt) error {
	if o.called[a.AttemptID] {
		return fmt.Errorf("calling attempt %d of %s: it was called already", a.Attempt, a.Step)
	}
	if err := w.takeSlot(ctx, o); err != nil {
		return err
	}
	if err := w.mayBegin(ctx, o, a); err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, timeout(a, w.now(nil, time.Time{})))
	defer cancel()
	if !o.calling(cancel) {
		return w.reload(ctx, o)
	}
	defer o.ended()
	o.called[a.AttemptID] = true
	w.counts.add("attempts", o.def.Name)
	w.watchCall(o, a)
	o.outcomes[a.AttemptID] = w.call(call, o.run, a)
	return nil
}

// slotFor is how long a run may go from attempt to attempt in one slot while
// others wait for theirs.
const slotFor = time.Second

// takeSlot takes one of the places for attempts, unless the run has one from the
// attempt before. Where none is free at once, what came before is appended first,
// so that waiting does not keep it back.
func (w *Worker) takeSlot(ctx context.Context, o *owned) error {
	if !o.slot.IsZero() && time.Since(o.slot) < slotFor {
		return nil
	}
	w.leaveSlot(o)
	select {
	case w.slots <- struct{}{}:
		o.slot = time.Now()
		return nil
	default:
	}
	if err := w.flushBut(ctx, o, starts(o.pending)); err != nil {
		return err
	}
	select {
	case w.slots <- struct{}{}:
		o.slot = time.Now()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leaveSlot gives the run's slot, if it has one, to whoever waits.
func (w *Worker) leaveSlot(o *owned) {
	if !o.slot.IsZero() {
		o.slot = time.Time{}
		<-w.slots
	}
}

// starts returns 1 if the last of the facts is the start of an attempt, else 0.
func starts(facts []*v1.Fact) int {
	if n := len(facts); n > 0 && facts[n-1].GetStepStarted() != nil {
		return 1
	}
	return 0
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
		for !w.lease.fresh() {
			pause(ctx, 50*time.Millisecond)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if time.Since(o.cursor.Sent) < belief {
			return nil
		}
		if err := w.startAgain(ctx, o, a); err != nil {
			return err
		}
	}
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

// call performs the action, whatever it does, and tells what came of it.
func (w *Worker) call(ctx context.Context, r *engine.Run, a *engine.Attempt) (out *engine.Outcome) {
	begun := time.Now()
	out = &engine.Outcome{}
	defer func() {
		if p := recover(); p != nil {
			w.Log.Error("an action panicked", zap.String("run_id", r.ID()), zap.String("step", a.Step), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			out.Error, out.Class = &v1.Error{Message: "the action " + a.Uses.Action + " broke: this is a defect of zflow"}, string(actions.ClassUnknown)
		}
		out.Took = max(time.Since(begun), time.Nanosecond)
	}()
	action := w.Actions.Get(a.Uses.Action)
	if action == nil {
		return refused(out, actions.Final("this worker has no action %s", a.Uses.Action))
	}
	input, err := w.open(a.Input, action.Spec.Sealed)
	if err != nil {
		return refused(out, err)
	}
	c := actions.Call{
		Input: input, Key: r.ID() + "." + a.Step, Connection: a.Connection, Account: r.Start.Event.Account,
		Unknown: a.Unknown, Started: a.Begun, Log: func(line string) { out.Log = append(out.Log, line) },
	}
	var result actions.Result
	if a.Probe > 0 {
		out.Found, result, err = action.Probe(ctx, c)
	} else {
		result, err = action.Do(ctx, c)
	}
	if err != nil {
		return refused(out, interrupted(ctx, err))
	}
	return w.brought(out, action, result)
}

// interrupted makes the plain error of a call whose context ended what it is: it
// does not tell whether the call happened.
func interrupted(ctx context.Context, err error) error {
	var e *actions.Error
	if ctx.Err() == nil || errors.As(err, &e) {
		return err
	}
	return actions.Unknown("the call was ended before it was answered: %v", err)
}

// open returns the input with its credentials readable, for the call alone; they
// stay sealed for an action that keeps what it gets.
func (w *Worker) open(input *v1.Value, stay bool) (map[string]any, error) {
	v, err := expr.DecodeJSON(input.GetJson())
	if err == nil && !stay {
		v, err = w.Keys.OpenValue(v)
	}
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("the input is no object")
	}
	return object, nil
}

// brought records an output; the credentials in it are sealed.
func (w *Worker) brought(out *engine.Outcome, action *actions.Action, r actions.Result) *engine.Outcome {
	raw, err := expr.EncodeJSON(r.Output)
	if !action.Spec.Sealed { // it comes from outside
		raw = sealed.MaskForeign(raw)
	}
	if err == nil && len(action.Spec.Secret) > 0 {
		raw, err = w.Keys.Public().SealJSON(raw, action.Spec.Secret...)
	}
	if err != nil {
		return refused(out, actions.Unknown("the output of %s cannot be recorded: %v", action.Spec.Name, err))
	}
	out.Output = &v1.Value{Json: raw}
	return out
}

// refused records an error by its class; one without is final.
func refused(out *engine.Outcome, err error) *engine.Outcome {
	out.Error, out.Class = &v1.Error{Message: err.Error()}, string(actions.ClassFinal)
	var e *actions.Error
	if errors.As(err, &e) {
		out.Error = &v1.Error{Message: e.Message, Code: e.Code, Status: int32(e.Status)}
		out.Class, out.RetryAt = string(e.Class), e.RetryAt
	}
	return out
}

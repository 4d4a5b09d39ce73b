package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/history"
	"zflow/engine/steppath"
	"zflow/internal/pause"
	v1 "zflow/proto/zflow/v1"
)

// verdict is how a carry ended.
type verdict int

const (
	settled   verdict = iota // parked, ended, superseded or given back
	claimLost                // another append came before the claim: the message is to be looked at again
)

// carry works on a run until it parks, ends, or is another's. Rules 3, 5 and 6.
func (w *Worker) carry(ctx context.Context, o *owned) verdict {
	defer w.drop(o.run.ID(), o)
	defer w.leaveSlots(o)
	defer w.awaitCalls(o)
	for wait := time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		done, err := w.advance(ctx, o)
		for err == nil && !done {
			wait = time.Millisecond
			done, err = w.advance(ctx, o)
		}
		w.leaveSlots(o)
		switch {
		case err == nil, ctx.Err() != nil:
			return settled
		case errors.Is(err, history.ErrConflict) && !o.born:
			return claimLost
		case errors.Is(err, errSuperseded):
			return w.superseded(o)
		case !errors.Is(err, history.ErrConflict):
			w.logOf(o).Warn("a run is loaded again", zap.Error(err))
			pause.For(ctx, wait)
		}
		if v, end := w.reloadUntil(ctx, o); end {
			return v
		}
	}
}

// logOf names a run in the log; made where something went wrong only.
func (w *Worker) logOf(o *owned) *zap.Logger {
	return w.Log.With(zap.String("workflow", o.def.Name), zap.String("run_id", o.run.ID()))
}

// errSuperseded says that the run's last claim is another's.
var errSuperseded = errors.New("the run's last claim is another")

// errIdle says that a run is neither parked nor waits for anything. It is loaded
// and decided again: given up by a worker that lives, nobody would take it.
var errIdle = errors.New("the run neither waits nor calls: this is a defect of zflow")

// reloadUntil loads the run again until that succeeds; end: this worker is out.
func (w *Worker) reloadUntil(ctx context.Context, o *owned) (verdict, bool) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := w.reload(ctx, o)
		switch {
		case err == nil:
			return settled, false
		case ctx.Err() != nil:
			return settled, true
		case errors.Is(err, errSuperseded):
			return w.superseded(o), true
		case unreadable(err):
			w.counts.add("runs_unreadable", o.def.Name)
			w.logOf(o).Error("a run is left alone", zap.Error(err))
			return settled, true
		}
		w.logOf(o).Warn("a run cannot be loaded", zap.Error(err))
		pause.For(ctx, wait)
	}
}

// superseded leaves a run to its owner. What was never an owner's carrier is still
// to be handled.
func (w *Worker) superseded(o *owned) verdict {
	if !o.born {
		return claimLost
	}
	w.counts.add("runs_superseded", o.def.Name)
	return settled
}

// reload replaces what memory holds of a run by its history. What was called,
// and what it brought, stays.
func (w *Worker) reload(ctx context.Context, o *owned) error {
	l, err := w.load(ctx, o.run.Start.Workflow, o.run.ID())
	if err != nil {
		return err
	}
	if !o.owns(l.run, w.id) {
		return errSuperseded
	}
	o.run, o.cursor, o.pending, o.passed = l.run, l.cursor, nil, false
	o.stored()
	return nil
}

// awaitCalls returns when no call is in flight any more.
func (w *Worker) awaitCalls(o *owned) {
	for o.collect(); o.flying > 0; o.collect() {
		<-o.landed
	}
}

// advance does the next thing; done: nothing is left to this worker.
func (w *Worker) advance(ctx context.Context, o *owned) (done bool, err error) {
	switch {
	case o.run.State.Ended():
		return true, w.finish(ctx, o)
	case o.run.State == engine.Waiting && len(o.pending) == 0:
		// As it was loaded: its last append parked it. Others may have acknowledged its
		// carrier since, so that it goes on by a claim only.
		return true, w.park(ctx, o)
	}
	if o.run.Outgrown(o.def.Limits) {
		if err := w.outgrown(ctx, o); err != nil {
			return false, err
		}
	}
	m, _ := o.carrier()
	turn := engine.Turn{Now: w.now(m, o.run.At), Secrets: w.Secrets(), Outcomes: o.outcomes, Hold: w.stop.is(), Slot: func() bool { return w.slot(o) }}
	d, err := decide(o, turn)
	if err != nil {
		return w.broken(ctx, o, err)
	}
	o.pending = append(o.pending, d.Facts...)
	if o.landedBefore(d.Calls) {
		return false, nil
	}
	calls := o.uncalled(d.Calls)
	if o.run.Cancel != nil && len(calls) > 0 && !steppath.CleansUp(calls[0].Step) {
		o.forgo(calls)
		return false, nil
	}
	if spare := o.slots.reserved - len(calls); spare > 0 {
		o.slots.idle, o.slots.reserved = o.slots.idle+spare, len(calls)
	}
	if len(calls) == 0 {
		w.leaveIdle(o)
	}
	switch {
	case len(calls) == 1 && d.Alone && o.flying == 0:
		return false, w.attempt(ctx, o, calls[0])
	case len(calls) > 0:
		return false, w.launch(ctx, o, calls)
	case o.flying > 0, !turn.Hold && (d.Held || !d.Until.IsZero()):
		return false, w.wait(ctx, o, d)
	case o.run.State == engine.Waiting:
		return true, w.park(ctx, o)
	case o.run.State.Ended():
		return true, w.finish(ctx, o)
	case turn.Hold:
		return true, w.release(ctx, o)
	}
	return false, errIdle
}

// forgo says of attempts that began, and were not called before the run was
// canceled, that they never will be.
func (o *owned) forgo(calls []*engine.Attempt) {
	for _, a := range calls {
		o.outcomes[a.AttemptID] = &engine.Outcome{Class: string(actions.ClassFinal), Error: &v1.Error{Message: "the run was canceled before the call"}}
	}
}

// landedBefore says that some of these attempts were called before, and have landed:
// they are decided anew after a reload, since their start was never in the history,
// or a power failure took it. What they brought counts, and the next decision
// records it, unless they begin with another input now: then they are called.
func (o *owned) landedBefore(calls []*engine.Attempt) (landed bool) {
	for _, a := range calls {
		switch input, known := o.inputs[a.AttemptID]; {
		case o.outcomes[a.AttemptID] == nil:
		case known && bytes.Equal(input.GetJson(), a.Input.GetJson()):
			landed = true
		default:
			delete(o.outcomes, a.AttemptID)
			delete(o.called, a.AttemptID)
		}
	}
	return landed
}

// uncalled returns those attempts that were not called yet, and notes with what
// they will be.
func (o *owned) uncalled(all []*engine.Attempt) []*engine.Attempt {
	var calls []*engine.Attempt
	for _, a := range all {
		if !o.called[a.AttemptID] {
			calls = append(calls, a)
			o.inputs[a.AttemptID] = a.Input
		}
	}
	return calls
}

// decide turns a panic of the engine into an error.
func decide(o *owned, t engine.Turn) (d engine.Decision, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("deciding run %s: this is a defect of zflow: %v", o.run.ID(), p)
		}
	}()
	return o.run.Decide(o.def, t)
}

// broken ends a run whose state the engine cannot go on from: as it was before
// the decision that failed.
func (w *Worker) broken(ctx context.Context, o *owned, why error) (bool, error) {
	run := engine.NewRun(o.run.ID())
	if o.cursor.Number > 0 {
		l, err := w.load(ctx, o.def.Name, o.run.ID())
		if err != nil {
			return false, err
		}
		if l.cursor.Sequence != o.cursor.Sequence {
			return false, fmt.Errorf("ending run %s: %w", o.run.ID(), history.ErrConflict)
		}
		run = l.run
	}
	for _, f := range o.pending {
		if err := run.Apply(f); err != nil {
			return false, err
		}
	}
	w.Log.Error("a run cannot go on", zap.String("workflow", o.def.Name), zap.String("run_id", run.ID()), zap.Error(why))
	f, err := run.Fail(w.now(nil, run.At), "engine", why.Error())
	if err != nil {
		return false, err
	}
	o.run, o.pending = run, append(o.pending, f)
	return true, w.finish(ctx, o)
}

// wait stays in memory until a call lands, a slot is free for what is held, a time
// comes, or the history has news.
func (w *Worker) wait(ctx context.Context, o *owned, d engine.Decision) error {
	if err := w.flush(ctx, o); err != nil {
		return err
	}
	if err := w.tellOthers(ctx, o); err != nil {
		return err
	}
	var due <-chan time.Time
	if !d.Until.IsZero() {
		due = time.After(d.Until.Sub(w.now(nil, time.Time{})))
	}
	free, stop := w.slots, w.stop.soon
	if !d.Held || w.stop.is() {
		free = nil
	}
	if w.stop.is() {
		stop = nil
	}
	select {
	case <-o.landed:
		o.collect()
	case free <- struct{}{}:
		o.slots.idle++
		o.slots.since = time.Now()
	case <-due:
	case <-o.news:
		return w.reload(ctx, o)
	case <-stop:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// tellOthers reaches out for what a run that stays in memory needs of others,
// once for each new fact.
func (w *Worker) tellOthers(ctx context.Context, o *owned) error {
	if o.told == o.run.Facts {
		return nil
	}
	if err := w.reachOut(ctx, &loaded{o.run, o.cursor}); err != nil {
		return err
	}
	o.told = o.run.Facts
	return nil
}

// park leaves a run to its timers.
func (w *Worker) park(ctx context.Context, o *owned) error {
	if err := w.flush(ctx, o); err != nil {
		return err
	}
	if err := w.ensure(ctx, &loaded{o.run, o.cursor}); err != nil {
		return err
	}
	if err := w.pass(ctx, o); err != nil {
		return err
	}
	w.counts.add("runs_parked", o.def.Name)
	w.ackCarrier(o)
	return nil
}

// finish does the closing duties of a run that ended.
func (w *Worker) finish(ctx context.Context, o *owned) error {
	if err := w.flush(ctx, o); err != nil {
		return err
	}
	if err := w.closing(ctx, &loaded{o.run, o.cursor}); err != nil {
		return err
	}
	w.counts.add("runs_"+string(o.run.State), o.def.Name)
	w.ackCarrier(o)
	return nil
}

// release gives a run to whoever gets its carrier next.
func (w *Worker) release(ctx context.Context, o *owned) error {
	if err := w.flush(ctx, o); err != nil {
		return err
	}
	if err := w.pass(ctx, o); err != nil {
		return err
	}
	m, _ := o.carrier()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.released = append(w.released, m) // until the lease is gone nobody could take it
	return nil
}

func (w *Worker) ackCarrier(o *owned) {
	m, kept := o.carrier()
	w.ackSince(m, kept)
}

// flush appends the pending facts.
func (w *Worker) flush(ctx context.Context, o *owned) error { return w.flushBut(ctx, o, 0) }

// flushBut appends the pending facts but for the last n.
func (w *Worker) flushBut(ctx context.Context, o *owned, n int) error {
	facts := o.pending[:len(o.pending)-n]
	if len(facts) == 0 {
		return nil
	}
	m, _ := o.carrier()
	if facts[0].Claim != nil && !w.claimable(m) {
		return errNotNow
	}
	l := &loaded{o.run, o.cursor}
	if err := w.append(ctx, l, facts); err != nil {
		return err
	}
	o.cursor, o.passed = l.cursor, false
	o.stored()
	o.pending = append([]*v1.Fact(nil), o.pending[len(facts):]...)
	return nil
}

// pass waits until all that was appended is durable.
func (w *Worker) pass(ctx context.Context, o *owned) error {
	if o.passed {
		return nil
	}
	if err := w.Stores.History.Pass(ctx, &o.cursor); err != nil {
		return err
	}
	o.passed = true
	return nil
}

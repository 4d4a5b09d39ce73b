package worker

import (
	"context"
	"errors"
	"time"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/engine/trigger"
	v1 "zflow/proto/zflow/v1"
)

// called returns the fact that a run which a step waits for has ended; nil if
// none has.
func (w *Worker) called(ctx context.Context, r *engine.Run) (*v1.Fact, error) {
	for _, c := range r.Calls() {
		if !c.Wait || c.Over {
			continue
		}
		head, err := w.Stores.History.Head(ctx, c.Workflow, c.Run)
		if err != nil {
			return nil, err
		}
		if !engine.State(head.State).Ended() {
			continue
		}
		child, err := w.load(ctx, c.Workflow, c.Run)
		if err != nil {
			return nil, err
		}
		return &v1.Fact{Step: c.Step, Kind: &v1.Fact_CallEnded{CallEnded: endOf(child.run)}}, nil
	}
	return nil, nil
}

// endOf is what a caller is told of a run that ended.
func endOf(r *engine.Run) *v1.CallEnded {
	end := &v1.CallEnded{State: string(r.State), Output: r.End.GetRunCompleted().GetOutput(), Error: r.End.GetRunFailed().GetError()}
	if r.State == engine.Canceled {
		end.Error = &v1.Error{Message: "the called run was canceled: " + r.End.GetRunCanceled().GetWhy()}
	}
	return end
}

// startCalls starts the runs that a run has called, where they have no history
// yet, and ends those that it does not wait for any more.
func (w *Worker) startCalls(ctx context.Context, r *engine.Run) error {
	for _, c := range r.Calls() {
		head, err := w.Stores.History.Head(ctx, c.Workflow, c.Run)
		switch begun := head.Sequence > 0; {
		case err != nil:
			return err
		case !begun && (!c.Over || !c.Wait):
			err = w.Stores.Wakes.Wake(ctx, c.Workflow, c.Run, &v1.Wake{Reason: "call", Start: startOf(r, c)})
		case begun && c.Dropped && !engine.State(head.State).Ended():
			err = w.Stores.Wakes.Command(ctx, c.Workflow, c.Run, &v1.Command{
				Id: c.Run + ".dropped", Kind: "cancel", By: "run " + r.ID(), Reason: "the run that called it does not wait for it any more"})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func startOf(r *engine.Run, c engine.CallOut) *v1.RunStarted {
	return &v1.RunStarted{
		Workflow: c.Workflow,
		Event: &v1.Event{Id: c.Run, Type: "call", Source: engine.SourceCall, Account: r.Start.Event.GetAccount(), Origin: "call",
			ContentType: "application/json", Time: r.At.UnixNano(), ReceivedAt: r.At.UnixNano(), Body: c.Inputs},
		Parent: &v1.Parent{Workflow: r.Start.Workflow, Run: r.ID(), Step: c.Step, Depth: r.Start.Parent.GetDepth() + 1},
	}
}

// startCalled begins a run that another called, or that is started for an event
// of the past.
func (w *Worker) startCalled(ctx context.Context, m *message) (*owned, error) {
	m.event = trigger.Wire(m.wake.Start.Event)
	e, err := w.Catalog.Get(ctx, m.workflow)
	switch {
	case errors.Is(err, catalog.ErrNotDeployed) && m.wake.Start.Parent != nil: // whoever called it learns why it failed
		return w.stillborn(ctx, m, "there is no workflow "+m.workflow)
	case errors.Is(err, catalog.ErrNotDeployed):
		w.ack(m)
		return nil, nil
	case err != nil:
		return nil, err
	}
	o, err := w.start(ctx, m, e)
	if !errors.Is(err, errUnmatched) {
		return o, err
	}
	if m.wake.Start.Parent == nil {
		w.ack(m)
		return nil, nil
	}
	return w.stillborn(ctx, m, "workflow "+m.workflow+" cannot be called: it has no trigger call, or its if is false")
}

// stillborn is a run that fails as it begins.
func (w *Worker) stillborn(ctx context.Context, m *message, why string) (*owned, error) {
	if err := w.mayClaim(ctx, m); err != nil {
		return nil, err
	}
	run, now := engine.NewRun(m.run), w.now(m, time.Time{})
	begun := &v1.RunStarted{Workflow: m.workflow, Event: m.wake.Start.Event, Parent: m.wake.Start.Parent}
	facts, err := run.Begin(now, begun, w.claimOf(m, 1), nil)
	if err != nil {
		return nil, err
	}
	failed, err := run.Fail(now, "definition", why)
	if err != nil {
		return nil, err
	}
	w.counts.add("runs_started", m.workflow)
	return newOwned(m, run, &engine.Workflow{Name: m.workflow}, append(facts, failed)), nil
}

// tellParent wakes the run that waits for one that ended.
func (w *Worker) tellParent(ctx context.Context, r *engine.Run) error {
	p := r.Start.Parent
	if p == nil {
		return nil
	}
	return w.Stores.Wakes.Wake(ctx, p.Workflow, p.Run, &v1.Wake{Reason: "called"})
}

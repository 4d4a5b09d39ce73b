package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// brings returns the fact that a message brings to a run that has not ended, nil
// if it is no news.
func (w *Worker) brings(ctx context.Context, r *engine.Run, m *message) (*v1.Fact, error) {
	switch {
	case m.wake != nil:
		if f, err := w.arrival(ctx, r, m); f != nil || err != nil {
			return f, err
		}
		if f, err := w.called(ctx, r); f != nil || err != nil {
			return f, err
		}
		return r.Due(w.now(m, r.At)), nil
	case m.command == nil || r.Knows(m.command.Id):
		return nil, nil
	}
	switch c := m.command; c.Kind {
	case "cancel":
		return &v1.Fact{Kind: &v1.Fact_CancelRequested{CancelRequested: &v1.CancelRequested{Command: c.Id, By: c.By, Reason: c.Reason, Now: c.Now}}}, nil
	case "approve":
		return w.approval(r, c), nil
	case "signal":
		return &v1.Fact{Kind: &v1.Fact_SignalReceived{SignalReceived: &v1.SignalReceived{Command: c.Id, By: c.By, Name: c.Name, Data: jsonOf(c.Data)}}}, nil
	case "retry":
		w.counts.add("commands_late", r.Start.Workflow) // it goes on already
		return nil, nil
	}
	return nil, fmt.Errorf("command %q: %w", m.command.Kind, errCommand)
}

func jsonOf(data []byte) *v1.Value {
	if len(data) == 0 {
		return nil
	}
	return &v1.Value{Json: data}
}

// approval is nil where the step asks for nothing, or for something else: the
// command came too late.
func (w *Worker) approval(r *engine.Run, c *v1.Command) *v1.Fact {
	s := r.Step(c.Step)
	asked := s.Status == engine.StepAsking
	if s.Status == engine.StepWaiting && s.Wait != nil {
		asked = slices.Contains(s.Wait.Approval.GetChoices(), c.Choice)
	}
	if !asked {
		w.counts.add("commands_late", r.Start.Workflow)
		return nil
	}
	return &v1.Fact{Step: c.Step, Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{
		Command: c.Id, By: c.By, Choice: c.Choice, Comment: c.Reason, Output: jsonOf(c.Data)}}}
}

// ended is about a run that has ended: it goes on if it is retried, else its
// closing duties are done again.
func (w *Worker) ended(ctx context.Context, l *loaded, m *message) (*owned, error) {
	c := m.command
	if c == nil || c.Kind != "retry" || l.run.State == engine.Completed || l.run.Knows(c.Id) {
		if m.event != nil {
			w.counts.addOf(Counter{"events_again", m.workflow, m.event.Type})
		}
		return nil, w.close(ctx, l, m)
	}
	retried, err := retryOf(c)
	if err != nil {
		w.counts.add("commands_unreadable", m.workflow)
		return nil, w.close(ctx, l, m)
	}
	version := l.run.Start.Version
	if retried.Version != "" {
		version = retried.Version
	}
	def, err := w.Catalog.Workflow(ctx, l.run.Start.Workflow, version)
	if err != nil {
		return nil, fmt.Errorf("retrying run %s: %w", l.run.ID(), err)
	}
	if def.Timeout > 0 {
		retried.Deadline = w.now(m, l.run.At).Add(def.Timeout).UnixNano()
	}
	w.counts.add("runs_retried", m.workflow)
	again := &v1.Fact{Kind: &v1.Fact_RunRetried{RunRetried: retried}}
	if def.Concurrency != nil {
		return w.queueAgain(ctx, l, m, def, again)
	}
	return w.own(ctx, l, m, again)
}

// retryOf reads a retry: data is an object of inputs by step.
func retryOf(c *v1.Command) (*v1.RunRetried, error) {
	r := &v1.RunRetried{Command: c.Id, By: c.By, Version: c.Version, With: map[string]*v1.Value{}}
	if len(c.Data) == 0 {
		return r, nil
	}
	var with map[string]json.RawMessage
	if err := json.Unmarshal(c.Data, &with); err != nil {
		return nil, err
	}
	for path, input := range with {
		r.With[path] = &v1.Value{Json: input}
	}
	return r, nil
}

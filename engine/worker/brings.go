package worker

import (
	"context"
	"fmt"

	"zflow/engine"
	"zflow/engine/worker/command"
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
	case m.command == nil:
		return nil, nil
	}
	f, late, err := command.Fact(r, m.command)
	if late {
		w.counts.add("commands_late", r.Start.Workflow)
	}
	return f, err
}

// ended is about a run that has ended: it goes on if it is retried, else its
// closing duties are done again.
func (w *Worker) ended(ctx context.Context, l *loaded, m *message) (*owned, error) {
	retried, err := command.Retry(l.run, m.command)
	switch {
	case err != nil:
		w.counts.add("commands_unreadable", m.workflow)
		return nil, w.close(ctx, l, m)
	case retried == nil:
		if m.event != nil {
			w.counts.addOf(Counter{"events_again", m.workflow, m.event.Type})
		}
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

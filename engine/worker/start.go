package worker

import (
	"context"
	"errors"
	"time"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/engine/queue"
	"zflow/engine/trigger"
	v1 "zflow/proto/zflow/v1"
)

// errUnmatched says that no trigger takes an event.
var errUnmatched = errors.New("no trigger takes the event")

// beginning is what the start of a run follows from.
type beginning struct {
	def     *engine.Workflow
	event   *v1.Event
	trigger int   // that takes the event; -1: none
	broken  error // what the trigger asks cannot be evaluated: the run fails
}

// startEvent begins the run of an event; one that does not match is counted.
func (w *Worker) startEvent(ctx context.Context, m *message, e catalog.Entry) (*owned, error) {
	o, err := w.start(ctx, m, e)
	if errors.Is(err, errUnmatched) {
		if w.Unmatched != nil {
			w.Unmatched(m.event)
		}
		w.ack(m)
		return nil, nil
	}
	return o, err
}

// start begins the run of an event, if the event matches. Rule 1.
func (w *Worker) start(ctx context.Context, m *message, e catalog.Entry) (*owned, error) {
	b, err := w.taken(ctx, m, e)
	if err != nil {
		return nil, err
	}
	if b.trigger < 0 {
		w.counts.addOf(Counter{"events_unmatched", m.workflow, m.event.Type})
		return nil, errUnmatched
	}
	now := w.now(m, time.Time{})
	begun := &v1.RunStarted{Workflow: b.def.Name, Version: b.def.Version, Event: b.event, Trigger: int32(b.trigger), Parent: m.wake.GetStart().GetParent()}
	if b.def.Timeout > 0 {
		begun.Deadline = now.Add(b.def.Timeout).UnixNano()
	}
	why, err := w.refusal(ctx, m, b, now)
	if err != nil {
		return nil, err
	}
	if b.def.Concurrency != nil && b.broken == nil && why == "" {
		var queued *v1.Fact
		if queued, b.broken = queue.Queued(b.def, b.event); b.broken == nil {
			return w.queue(ctx, m, begun, queued)
		}
	}
	if err := w.mayClaim(ctx, m); err != nil {
		return nil, err
	}
	run := engine.NewRun(m.run)
	facts, err := run.Begin(now, begun, w.claimOf(m, 1), b.broken)
	if err != nil {
		return nil, err
	}
	if why != "" {
		f, err := run.Add(now, queue.Refused(why))
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
		w.counts.add("runs_refused", m.workflow)
	}
	w.counts.add("runs_started", m.workflow)
	return newOwned(m, run, b.def, facts), nil
}

// refusal says why a run is not to run, if it is not. Rule 16.
func (w *Worker) refusal(ctx context.Context, m *message, b *beginning, now time.Time) (why string, err error) {
	if b.broken != nil {
		return "", nil
	}
	came := m.stored
	if m.wake != nil { // stored is when the wake was
		came = m.event.ReceivedAt
	}
	why, b.broken, err = w.line().Refusal(ctx, queue.Start{Workflow: b.def, Trigger: b.trigger, Event: b.event, Came: came, Now: now})
	return why, err
}

// taken looks for the trigger that takes an event.
func (w *Worker) taken(ctx context.Context, m *message, e catalog.Entry) (*beginning, error) {
	def, err := w.Catalog.Workflow(ctx, e.Name, e.Version)
	if err != nil {
		return nil, err
	}
	b := &beginning{def: def, event: trigger.Event(m.event)}
	if b.trigger, b.broken = trigger.Match(def, m.event, b.event, w.isOf); b.trigger >= 0 {
		return b, nil
	}
	// the definition may be newer than what the pull began with
	if e, err = w.Catalog.Get(ctx, e.Name); err != nil {
		return nil, err
	}
	if b.def, err = w.Catalog.Workflow(ctx, e.Name, e.Version); err != nil {
		return nil, err
	}
	b.trigger, b.broken = trigger.Match(b.def, m.event, b.event, w.isOf)
	return b, nil
}

// isOf says of which of these connections an account is; of none, any is.
func (w *Worker) isOf(workflow string, connections []string, account string) (connection string, is bool) {
	for _, name := range connections {
		id, known := "", false
		if w.Account != nil {
			id, known = w.Account(name)
		}
		if !known {
			w.counts.add("connections_unknown", workflow)
		}
		if known && id == account {
			return name, true
		}
	}
	if len(connections) > 0 || account == "" || w.Connection == nil {
		return "", len(connections) == 0
	}
	return w.Connection(account), true
}

// now is the run's clock: the broker's time, never before the message or the
// run's last fact.
func (w *Worker) now(m *message, last time.Time) time.Time {
	now := w.clock.Now()
	if m != nil && m.stored.After(now) {
		now = m.stored
	}
	if last.After(now) {
		now = last
	}
	return now
}

package worker

import (
	"context"
	"fmt"
	"time"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/engine/expr"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// start begins the run of an event, if the event matches. Rule 1.
func (w *Worker) start(ctx context.Context, m *message, e catalog.Entry) (*owned, error) {
	def, err := w.Catalog.Workflow(ctx, e.Name, e.Version)
	if err != nil {
		return nil, err
	}
	event := eventOf(m.event)
	trigger, no := match(def, m.event, event)
	if trigger < 0 { // the definition may be newer than what the pull began with
		if e, err = w.Catalog.Get(ctx, e.Name); err != nil {
			return nil, err
		}
		if def, err = w.Catalog.Workflow(ctx, e.Name, e.Version); err != nil {
			return nil, err
		}
		trigger, no = match(def, m.event, event)
	}
	if trigger < 0 {
		w.counts.addOf(Counter{"events_unmatched", m.workflow, m.event.Type})
		if m.wake.GetStart().GetParent() == nil {
			w.ack(m)
		}
		return nil, nil
	}
	if err := w.mayClaim(ctx, m); err != nil {
		return nil, err
	}
	now := w.now(m, time.Time{})
	begun := &v1.RunStarted{Workflow: def.Name, Version: def.Version, Event: event, Trigger: int32(trigger), Parent: m.wake.GetStart().GetParent()}
	if def.Timeout > 0 {
		begun.Deadline = now.Add(def.Timeout).UnixNano()
	}
	run := engine.NewRun(m.run)
	facts, err := run.Begin(now, begun, w.claimOf(m, 1), no)
	if err != nil {
		return nil, err
	}
	w.counts.add("runs_started", m.workflow)
	return newOwned(m, run, def, facts), nil
}

// match returns the first trigger that the event satisfies, or -1. An `if` that
// cannot be evaluated matches, and its error fails the run: an event is never
// filtered in silence.
func match(def *engine.Workflow, e *wire.Event, event *v1.Event) (trigger int, err error) {
	defer func() {
		if p := recover(); p != nil { // the run fails, and says so
			err = fmt.Errorf("this is a defect of zflow: %v", p)
		}
	}()
	var body any
	decoded := false
	for i, t := range def.Triggers {
		trigger = i
		if !t.Takes(e.Kind(), e.Type) {
			continue
		}
		if t.If == nil {
			return i, nil
		}
		if !decoded {
			if body, err = expr.DecodeJSON(e.Body); err != nil {
				return i, err
			}
			decoded = true
		}
		yes, err := t.If.Bool(engine.TriggerEnv(def, event, body), expr.Clock{Now: e.ReceivedAt, Seed: e.ID})
		if yes || err != nil {
			return i, err
		}
	}
	return -1, nil
}

func eventOf(e *wire.Event) *v1.Event {
	return &v1.Event{
		Id: e.ID, Type: e.Type, Source: e.Source, Account: e.Account, Subject: e.Subject, Origin: e.Origin,
		ContentType: e.ContentType, Time: e.Time.UnixNano(), ReceivedAt: e.ReceivedAt.UnixNano(), Sequence: e.Sequence,
		ReplayOf: e.ReplayOf, Body: &v1.Value{Json: e.Body, Size: uint64(len(e.Body))},
	}
}

// now is the run's clock: the broker's time, never before the message or the
// run's last fact.
func (w *Worker) now(m *message, last time.Time) time.Time {
	now := w.clock.now()
	if m != nil && m.stored.After(now) {
		now = m.stored
	}
	if last.After(now) {
		now = last
	}
	return now
}

package record

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zflow/internal/operator"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

// later is one thing that happens to a run after its event.
type later struct {
	at   time.Duration
	what member
}

// answered is how long after it is asked for a person's answer comes at the earliest:
// in the test the step is to ask by then.
const answered = time.Second

// then is what happened to a run, in order.
func (w *writer) then(ctx context.Context, r *run) ([]any, error) {
	var all []later
	asked := map[string]time.Time{}
	for _, f := range r.facts {
		if f.GetWaitStarted() != nil || f.GetStepFailed() != nil {
			asked[f.Step] = instant(f.At)
		}
		at := instant(f.At)
		if f.GetApprovalGiven() != nil && at.Before(asked[f.Step].Add(answered)) {
			at = asked[f.Step].Add(answered)
		}
		what, err := order(f)
		if err != nil {
			return nil, err
		}
		if what != nil {
			all = append(all, later{max(at.Sub(r.Started), 0), *what})
		}
	}
	came, err := w.arrivals(ctx, r)
	if err != nil {
		return nil, err
	}
	return inOrder(append(all, came...)), nil
}

// inOrder sorts what happens by its time.
func inOrder(all []later) (list []any) {
	slices.SortStableFunc(all, func(a, b later) int { return int(a.at.Truncate(time.Millisecond) - b.at.Truncate(time.Millisecond)) })
	for _, l := range all {
		list = append(list, object{{"after", span(l.at.Truncate(time.Millisecond))}, l.what})
	}
	return list
}

// order is what a person ordered, if a fact says so.
func order(f *v1.Fact) (*member, error) {
	switch k := f.Kind.(type) {
	case *v1.Fact_SignalReceived:
		o := object{{"name", k.SignalReceived.Name}}
		return &member{"signal", o}, o.data("data", k.SignalReceived.Data)
	case *v1.Fact_ApprovalGiven:
		a := k.ApprovalGiven
		o := object{{"step", f.Step}, {"choice", a.Choice}}
		if a.Comment != "" {
			o.add("comment", sealed.Mask(a.Comment))
		}
		err := o.data("fields", a.Output)
		return &member{"approve", o}, err
	case *v1.Fact_CancelRequested:
		if k.CancelRequested.Now {
			return &member{"cancel", object{{"now", true}}}, nil
		}
		return &member{"cancel", true}, nil
	}
	return nil, nil
}

// data adds a value where there is one.
func (o *object) data(key string, v *v1.Value) error {
	if v == nil || len(v.Json) == 0 {
		return nil
	}
	value, err := masked(v)
	o.add(key, value)
	return err
}

// arrivals are the events that ended the waits of a run and of those that it called,
// but for those that they emitted themselves.
func (w *writer) arrivals(ctx context.Context, r *run) (all []later, err error) {
	known := emitted(r)
	known[r.Start.Event.GetId()] = true
	for _, one := range r.all() {
		waits := map[string]*v1.WaitStarted{}
		for _, f := range one.facts {
			if s := f.GetWaitStarted(); s != nil {
				waits[f.Step] = s
			}
			e := f.GetWaitEnded()
			if e == nil || e.EventId == "" || known[e.EventId] {
				continue
			}
			known[e.EventId] = true
			came, at, err := w.arrived(ctx, f, waits[f.Step])
			if err != nil {
				return nil, err
			}
			if came.Type == "" {
				r.note("Step %s got an event that is not in EVENTS any more, and whose type is not known: add it to then.", f.Step)
				continue
			}
			stanza, err := w.event(w.prefix, came)
			if err != nil {
				return nil, fmt.Errorf("event %s: %w", e.EventId, err)
			}
			all = append(all, later{max(at.Sub(r.Started), 0), member{"event", stanza}})
		}
	}
	return all, nil
}

// arrived is an event that ended a wait, and when it came: as EVENTS has it, else as
// the wait says.
func (w *writer) arrived(ctx context.Context, f *v1.Fact, wait *v1.WaitStarted) (happened, time.Time, error) {
	e := f.GetWaitEnded()
	if w.find != nil && e.Sequence > 0 {
		if d, err := w.find(ctx, strconv.FormatUint(e.Sequence, 10)); err == nil && d.ID == e.EventId {
			return happened{Type: d.Type, Source: d.Source, Body: d.Body}, d.ReceivedAt, nil
		}
	}
	came := happened{Body: sealed.MaskBytes(e.Output.GetJson())}
	for _, a := range wait.GetOf() {
		if (a.Name == e.Outcome || a.Name == "") && len(a.Types) == 1 && !strings.ContainsRune(a.Types[0], '*') {
			came.Type, came.Source = a.Types[0], a.Source
		}
	}
	return came, instant(f.At), nil
}

// emitted are the ids of the events that a run and those that it called emitted.
func emitted(r *run) map[string]bool {
	ids := map[string]bool{}
	for _, one := range r.all() {
		for _, s := range one.steps {
			if done := s.last().done; done != nil && s.action == "emit" {
				out, _ := decode(done.Output.GetJson()) // what is no JSON has no id
				o, _ := out.(map[string]any)
				ids[fmt.Sprint(o["id"])] = true
			}
		}
	}
	return ids
}

// finder finds an event by its id or sequence.
type finder func(ctx context.Context, id string) (*operator.EventDetail, error)

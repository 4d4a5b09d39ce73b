package engine

import (
	"fmt"
	"slices"
	"time"

	"zflow/engine/expr"
	v1 "zflow/proto/zflow/v1"
)

// wait begins to wait for events or signals.
func (d *decider) wait(f *frame, def *Step, w *Wait, path string) error {
	since := time.Unix(0, d.run.Start.Event.GetReceivedAt())
	if w.LookBack > 0 {
		since = d.turn.Now.Add(-w.LookBack)
	}
	started := &v1.WaitStarted{Deadline: d.deadline(w.Timeout, def.Timeout), Since: since.UnixNano()}
	for _, a := range w.Of {
		of := &v1.Alternative{Name: a.Name, Source: a.Source, Types: a.Types, Signal: a.Signal}
		for _, m := range a.Match {
			v, err := d.eval(m.Value, f, path, nil)
			if err == nil && v == nil {
				err = fmt.Errorf("the value for %s is null", m.Path)
			}
			if err != nil {
				return d.failedBefore(path, "evaluating match", err)
			}
			text, err := expr.AsText(v)
			if err != nil {
				return d.failedBefore(path, "evaluating match", err)
			}
			of.Match = append(of.Match, &v1.Match{Path: m.Path, Value: text})
		}
		started.Of = append(started.Of, of)
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_WaitStarted{WaitStarted: started}})
}

// deadline is when a wait must be over: by its own timeout, or the step's.
func (d *decider) deadline(own, step time.Duration) int64 {
	if own == 0 || step > 0 && step < own {
		own = step
	}
	if own == 0 {
		return 0
	}
	return d.turn.Now.Add(own).UnixNano()
}

// ask begins to wait for a person.
func (d *decider) ask(f *frame, def *Step, a *Ask, path string) error {
	started := &v1.Approval{Choices: a.Choices, RemindEvery: int64(a.Remind)}
	for _, t := range []struct {
		of *expr.Template
		to *string
	}{{a.To, &started.To}, {a.Message, &started.Message}} {
		if t.of == nil {
			continue
		}
		v, err := d.eval(t.of, f, path, nil)
		if err != nil {
			return d.failedBefore(path, "evaluating approval", err)
		}
		if *t.to, err = expr.AsText(v); err != nil {
			return d.failedBefore(path, "evaluating approval", err)
		}
	}
	if len(a.Fields) > 0 {
		raw, err := expr.EncodeJSON(a.AllFields())
		if err != nil {
			return err
		}
		started.Fields = &v1.Value{Json: raw}
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_WaitStarted{WaitStarted: &v1.WaitStarted{
		Deadline: d.deadline(a.Timeout, def.Timeout), Approval: started}}})
}

// waits moves a wait: a signal that came ends it, or its time is up.
func (d *decider) waits(def *Step, path string, s *StepState) error {
	d.waiting = true
	for _, a := range s.Wait.Of {
		if signal := d.run.signal(a.Signal); signal != nil {
			return d.add(path, &v1.Fact{Kind: &v1.Fact_WaitEnded{WaitEnded: &v1.WaitEnded{Outcome: outcomeOf(a), Output: signal.Data}}})
		}
	}
	if end := moment(s.Wait.Deadline); !end.IsZero() {
		if d.due(end) {
			return d.add(path, &v1.Fact{Kind: &v1.Fact_WaitEnded{WaitEnded: &v1.WaitEnded{Outcome: outcomeTimeout, Failed: def.FailsLate()}}})
		}
		if err := d.timer(path, end, reasonWait); err != nil {
			return err
		}
	}
	if every := time.Duration(s.Wait.Approval.GetRemindEvery()); every > 0 {
		return d.remind(path, every)
	}
	return nil
}

// remind makes the question stand in RUNS again and again, for whoever tells people.
func (d *decider) remind(path string, every time.Duration) error {
	number := d.run.timer(path, reasonRemind)
	if number == 0 {
		return d.add(path, timerSet(d.turn.Now.Add(every), reasonRemind))
	}
	if due := d.run.Timers[number].Due; !d.due(due) {
		d.waitUntil(due)
		return nil
	}
	return d.add(path, timerFired(number))
}

func (r *Run) signal(name string) *v1.SignalReceived {
	for _, s := range r.signals {
		if name != "" && s.Name == name {
			return s
		}
	}
	return nil
}

// OpenWait is a wait that stands.
type OpenWait struct {
	Step string
	*WaitState
}

// Waits returns the waits that stand, by their facts' numbers.
func (r *Run) Waits() []OpenWait { return r.waits(true) }

// WaitsOver returns the waits that stand no more.
func (r *Run) WaitsOver() []OpenWait { return r.waits(false) }

func (r *Run) waits(open bool) []OpenWait {
	var all []OpenWait
	for path, s := range r.Steps {
		if s.Wait != nil && (s.Status == StepWaiting && !r.State.Ended()) == open {
			all = append(all, OpenWait{path, s.Wait})
		}
	}
	slices.SortFunc(all, func(a, b OpenWait) int { return int(a.Fact) - int(b.Fact) })
	return all
}

// Arrived is an event that came for a wait.
type Arrived struct {
	Fact        uint64 // number of the wait_started
	Alternative int
	Sequence    uint64 // in EVENTS
	EventID     string
	Body        []byte // JSON
}

// Arrive returns the fact that ends the wait for which an event came, not applied;
// nil where the wait does not stand any more or its `if` does not hold. An `if`
// that cannot be evaluated fails the step.
func (r *Run) Arrive(w *Workflow, now time.Time, a Arrived) (*v1.Fact, error) {
	for path, s := range r.Steps {
		if s.Status != StepWaiting || s.Wait == nil || s.Wait.Fact != a.Fact || a.Alternative >= len(s.Wait.Of) {
			continue
		}
		d := &decider{run: r, flow: w, turn: Turn{Now: now}}
		f, def := d.find(path)
		if def == nil {
			return nil, fmt.Errorf("deciding run %s: its workflow has no step %s", r.id, path)
		}
		yes, err := d.wanted(f, def, path, a)
		if err != nil {
			return &v1.Fact{Step: path, Kind: &v1.Fact_StepFailed{StepFailed: &v1.StepFailed{
				Class: classFinal, Next: string(PolicyFail), Error: &v1.Error{Message: "evaluating if: " + err.Error()}}}}, nil
		}
		if !yes {
			return nil, nil
		}
		return &v1.Fact{Step: path, Kind: &v1.Fact_WaitEnded{WaitEnded: &v1.WaitEnded{
			Outcome: outcomeOf(s.Wait.Of[a.Alternative]), Output: &v1.Value{Json: a.Body}, Sequence: a.Sequence, EventId: a.EventID}}}, nil
	}
	return nil, nil
}

// wanted evaluates the `if` of an alternative.
func (d *decider) wanted(f *frame, def *Step, path string, a Arrived) (bool, error) {
	w, ok := def.Do.(*Wait)
	if !ok || a.Alternative >= len(w.Of) || w.Of[a.Alternative].If == nil {
		return ok, nil
	}
	body, err := expr.DecodeJSON(a.Body)
	if err != nil {
		return false, err
	}
	return d.test(w.Of[a.Alternative].If, f, path, expr.Env{"arrived": body})
}

package engine

import (
	"slices"

	"zflow/engine/steppath"
	v1 "zflow/proto/zflow/v1"
)

func cancelReason(c *v1.CancelRequested) string {
	if c.Reason != "" {
		return c.Reason
	}
	return "asked for"
}

// end says how the run will end: at once where nothing is to be awaited or
// cleaned up.
func (d *decider) end(e *v1.RunEnding) error {
	if len(d.run.open) == 0 && !d.cleans(State(e.State)) {
		return d.close(e)
	}
	d.dropped = true
	return d.add("", &v1.Fact{Kind: &v1.Fact_RunEnding{RunEnding: e}})
}

// cleans says whether anything follows the steps of a run that ends so.
func (d *decider) cleans(s State) bool {
	return len(d.flow.Finally) > 0 || s == Failed && len(d.flow.OnFailure) > 0 || s != Completed && len(d.toUndo()) > 0
}

// close records the end.
func (d *decider) close(e *v1.RunEnding) error {
	switch State(e.State) {
	case Canceled:
		return d.canceled(e.Reason)
	case Failed:
		return d.fail(e.Reason, e.Step, e.Error)
	}
	return d.add("", &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{Output: e.Output}}})
}

func (d *decider) canceled(why string) error {
	return d.add("", &v1.Fact{Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{Why: why}}})
}

// cleanup does what follows the steps: attempts in flight are awaited, then come
// undo, on_failure and finally.
func (d *decider) cleanup() error {
	e := d.run.Ending
	if waits := d.inFlight(); waits {
		return nil
	}
	d.cleaning = true
	done := true
	var err error
	if State(e.State) != Completed {
		done, err = d.undo()
	}
	if err == nil && done && State(e.State) == Failed {
		done, err = d.also(steppath.OnFailure, d.flow.OnFailure)
	}
	if err == nil && done {
		done, err = d.also(steppath.Finally, d.flow.Finally)
	}
	if err != nil || !done {
		return err
	}
	if broken := d.brokenFinally(); State(e.State) == Completed && broken != nil {
		return d.fail(reasonFinally, broken.step, broken.why)
	}
	return d.close(e)
}

// inFlight keeps the open attempts of the run's own steps.
func (d *decider) inFlight() bool {
	waits := false
	for _, path := range d.run.open {
		if !steppath.CleansUp(path) {
			waits = true
			d.callOpen(path)
		}
	}
	return waits
}

// toUndo returns the paths of completed steps that are still to be undone, the last
// first. What another run did is its own to undo.
func (d *decider) toUndo() []string {
	var all []string
	for path, s := range d.run.Steps {
		if s.Status == StepCompleted && !s.reused && s.Loop == nil && !steppath.CleansUp(path) && d.undoable(path, s) && !d.run.over(path+steppath.Undo) {
			all = append(all, path)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return int(d.run.Steps[b].done) - int(d.run.Steps[a].done) })
	return all
}

func (d *decider) undoable(path string, s *StepState) bool {
	if s.undo == nil {
		_, def := d.run.place(&frame{list: d.flow.Steps}, path)
		can := def != nil && def.Undo != nil
		s.undo = &can
	}
	return *s.undo
}

// undo undoes completed steps, one after another. One that cannot be undone is
// recorded, and the others follow.
func (d *decider) undo() (done bool, err error) {
	for _, path := range d.toUndo() {
		f, def := d.run.place(&frame{list: d.flow.Steps}, path)
		own := &frame{up: f, at: 1, list: []*Step{{ID: def.ID, Token: path, Do: def.Do}}} // of an iteration too
		back := &Step{Token: def.Token + steppath.Undo, Path: def.Path + steppath.Undo, Do: def.Undo}
		went, err := d.one(own, back, path+steppath.Undo)
		if err != nil || went.standing == pending {
			return false, err
		}
	}
	return true, nil
}

// also runs the steps of on_failure or finally; that they fail changes nothing
// but what is left of them.
func (d *decider) also(prefix string, steps []*Step) (done bool, err error) {
	went, err := d.list(&frame{up: d.root(), prefix: prefix, list: steps})
	return went.standing != pending, err
}

// brokenFinally returns the step of finally that failed, if one did.
func (d *decider) brokenFinally() *result {
	for _, def := range d.flow.Finally {
		path := steppath.Finally + def.Token
		if s := d.run.Step(path); s.Status == StepFailed && !def.ContinueOnError {
			return &result{broke, path, s.Error}
		}
	}
	return nil
}

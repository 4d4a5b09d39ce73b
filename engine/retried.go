package engine

import (
	"zflow/engine/steppath"
	v1 "zflow/proto/zflow/v1"
)

// retried folds that a run goes on: what completed stays, but for what was undone;
// the rest begins again, and blocks and loops go on where they stand.
func (r *Run) retried(f *v1.Fact, k *v1.RunRetried) error {
	if r.State != Failed && r.State != Canceled {
		return r.illegal(f, "the run has neither failed nor been canceled")
	}
	again := r.unfinished()
	for path, s := range r.Steps {
		s.undo = nil // it may go on with another version
		if !steppath.CleansUp(path) && (s.Block || s.Loop != nil) {
			s.reopen(path, again)
		}
	}
	for _, path := range again {
		old := r.Steps[path].Tries
		r.Steps[path] = &StepState{Tries: Tries{Attempt: old.Attempt, before: old.Attempt, Unknown: old.Unknown}}
	}
	start := r.Start
	r.Start = &v1.RunStarted{Workflow: start.Workflow, Version: start.Version, Event: start.Event, Trigger: start.Trigger, Parent: start.Parent, Replay: start.Replay, Deadline: k.Deadline}
	if k.Version != "" {
		r.Start.Version = k.Version
	}
	r.Finish, r.Gate, r.State, r.fixes, r.history.lost = Finish{}, nil, Waiting, k.With, 0
	r.Timers, r.index = map[uint64]*Timer{}, newIndex()
	for path := range r.Steps {
		r.track(path)
	}
	r.history.commands[k.Command] = true
	r.seen.run = nil
	return nil
}

// unfinished returns the steps that begin again. Those whose attempt was left in
// flight do not: it is of unknown outcome, as after the loss of an owner.
func (r *Run) unfinished() []string {
	var again []string
	for path, s := range r.Steps {
		if s.Status == "" {
			continue // it was looked at, no more
		}
		if s.Status == StepOpen && !steppath.CleansUp(path) {
			s.before = s.Attempt - 1
			continue
		}
		over := s.Status == StepCompleted && !r.reached(path+steppath.Undo) || s.Status == StepSkipped || s.Block || s.Loop != nil
		if !over || steppath.CleansUp(path) {
			again = append(again, path)
		}
	}
	return again
}

// reopen lets a block or a loop go on if something in it begins again, or it did
// not complete.
func (s *StepState) reopen(path string, again []string) {
	open := s.Status != StepCompleted
	for _, p := range again {
		open = open || steppath.Within(p, path)
	}
	if !open {
		return
	}
	s.Status, s.Error, s.Limit, s.output = StepInside, nil, moment(0), decoded{}
	if s.Loop != nil {
		s.Loop.floor = 0
	}
}

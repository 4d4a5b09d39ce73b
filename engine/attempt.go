package engine

import (
	"time"

	"zflow/engine/expr"
	"zflow/engine/workflow"
	v1 "zflow/proto/zflow/v1"
)

// use reaches a step that uses an action.
func (d *decider) use(f *frame, u *Uses, path string) error {
	if d.held() {
		return nil
	}
	input, err := d.input(f, u, path)
	if err != nil {
		return d.failedBefore(path, "evaluating with", err)
	}
	return d.start(f, u, path, input)
}

// held says that no attempt may begin now; else a slot is taken for one.
func (d *decider) held() bool {
	if d.turn.Hold || d.turn.Slot != nil && !d.turn.Slot() {
		d.out.Held = true
		return true
	}
	return false
}

// input is what the first attempt is called with; a retried run may correct it.
func (d *decider) input(f *frame, u *Uses, path string) (*v1.Value, error) {
	v := any(map[string]any{})
	var err error
	if u.With != nil {
		if v, err = d.eval(u.With, f, path, d.turn.Secrets); err != nil {
			return nil, err
		}
	}
	if fix := d.run.fixes[path]; fix != nil {
		if v, err = workflow.Correct(v, fix.GetJson()); err != nil {
			return nil, err
		}
	}
	raw, err := expr.EncodeJSON(v)
	return &v1.Value{Json: raw}, err
}

// start begins the next attempt. A slot was taken for it.
func (d *decider) start(f *frame, u *Uses, path string, input *v1.Value) error {
	timeout := u.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	deadline := sooner(d.turn.Now.Add(timeout), f.limit)
	if end := moment(d.run.Start.Deadline); d.run.Ending == nil {
		deadline = sooner(deadline, end)
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{
		Attempt: d.run.Step(path).Attempt + 1, Uses: u.Action, Input: input, Deadline: deadline.UnixNano(), Connection: u.Connection}}})
}

// callOpen settles that an open attempt is to be called, unless it was.
func (d *decider) callOpen(path string) {
	s := d.run.Step(path)
	if d.names(AttemptID{Step: path, Attempt: s.Attempt}) {
		return // it was visited, then something beside it failed
	}
	if _, u, err := d.uses(path); err == nil {
		d.call(u, path, s, 0)
	}
}

// names says whether the decision has this call already.
func (d *decider) names(id AttemptID) bool {
	if d.called == nil {
		d.called = map[AttemptID]bool{}
		for _, c := range d.out.Calls {
			d.called[c.AttemptID] = true
		}
	}
	return d.called[id]
}

func (d *decider) call(u *Uses, path string, s *StepState, probe uint32) {
	if d.turn.Hold {
		d.out.Held = true
		return
	}
	id := AttemptID{Step: path, Attempt: s.Attempt, Probe: probe}
	if d.called != nil {
		d.called[id] = true
	}
	a := &Attempt{
		AttemptID: id, Uses: u, Input: s.Input, Connection: u.Connection,
		Deadline: s.Deadline, Begun: s.Begun, Unknown: s.Unknown, Reads: probe > 0 || s.onlyReads(u),
	}
	if probe > 0 {
		a.Deadline = d.turn.Now.Add(time.Minute)
	}
	d.out.Calls = append(d.out.Calls, a)
}

// onlyReads tells by the input whether the step's calls change nothing.
func (s *StepState) onlyReads(u *Uses) bool {
	if s.reads == nil {
		reads := u.Reads(s.InputObject())
		s.reads = &reads
	}
	return *s.reads
}

// attempts moves a step that has begun an attempt, or failed one.
func (d *decider) attempts(f *frame, u *Uses, path string, s *StepState) error {
	switch s.Status {
	case StepOpen:
		d.call(u, path, s, 0)
	case StepRetrying:
		if !d.due(s.NextAt) {
			return d.timer(path, s.NextAt, reasonRetry)
		}
		if !d.held() {
			return d.start(f, u, path, nil)
		}
	case StepProbing:
		if o := d.turn.Outcomes[AttemptID{path, s.Attempt, s.Probes}]; o != nil {
			return d.probed(u, path, s, o)
		}
		if !d.due(s.NextAt) {
			return d.timer(path, s.NextAt, reasonRetry)
		}
		d.call(u, path, s, s.Probes)
	case StepAsking:
		d.waiting = true
	}
	return nil
}

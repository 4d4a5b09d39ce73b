package engine

import (
	"time"

	"zflow/engine/expr"
	v1 "zflow/proto/zflow/v1"
)

// inMemory is the longest wait for which a run is not parked.
const inMemory = 2 * time.Second

// poison is how many owners in a row may be lost in the middle of an attempt.
const poison = 6

// Turn is what a decision depends on besides the run.
type Turn struct {
	Now      time.Time
	Secrets  map[string]any
	Outcomes map[AttemptID]*Outcome // of calls that ended; what is closed already is ignored
	Hold     bool                   // begin no attempt: the worker stops
}

// AttemptID names one attempt of a step of a run, or, with Probe from 1, a probe
// of what that attempt did.
type AttemptID struct {
	Step    string
	Attempt uint32
	Probe   uint32
}

// Attempt is a call to be made.
type Attempt struct {
	AttemptID
	Uses       *Uses
	Input      *v1.Value
	Connection string
	Deadline   time.Time
	Begun      time.Time
	Unknown    bool // an earlier attempt ended unknown
	Reads      bool // it changes nothing: its start need not be durable
}

// Decision is what follows.
type Decision struct {
	Facts []*v1.Fact // applied to the run already; to be appended
	Call  *Attempt   // to be made once they are
	Until time.Time  // not zero: nothing to do before, and the run stays in memory
}

// Decide says what follows now, and applies it to the run. Without a call and a
// time to wait for, the run is parked or has ended, as its State says.
func (r *Run) Decide(w *Workflow, t Turn) (Decision, error) {
	d := &decider{run: r, flow: w, turn: t}
	if r.At.After(d.turn.Now) {
		d.turn.Now = r.At
	}
	for !r.State.Ended() {
		again, err := d.step()
		if err != nil {
			return Decision{}, err
		}
		if !again {
			break
		}
	}
	if !r.State.Ended() {
		r.State = Waiting
		if d.out.Call != nil || !d.out.Until.IsZero() || t.Hold && d.held {
			r.State = Running
		}
		r.Parked = r.Parked || r.State == Waiting
	}
	return d.out, nil
}

// decider is one decision in the making.
type decider struct {
	run  *Run
	flow *Workflow
	turn Turn
	out  Decision
	held bool
}

// step adds the next fact, or settles what is to be done; false: settled.
func (d *decider) step() (again bool, err error) {
	r := d.run
	if path, s := r.Open(); s != nil {
		if o := d.turn.Outcomes[AttemptID{Step: path, Attempt: s.Attempt}]; o != nil {
			return true, d.ended(path, s, o)
		}
		if s.epoch < r.Epoch() {
			return true, d.unknown(path, s)
		}
	}
	switch {
	case r.Cancel != nil:
		return true, d.add("", &v1.Fact{Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{Why: cancelReason(r.Cancel)}}})
	case r.lost >= poison:
		return true, d.fail(reasonPoison, "", &v1.Error{Message: "six workers in a row were lost in the middle of an attempt"})
	case r.Start.Deadline != 0 && d.turn.Now.UnixNano() >= r.Start.Deadline:
		return true, d.fail(reasonTimeout, "", &v1.Error{Message: "the run took longer than the workflow's timeout of " + d.flow.Timeout.String()})
	}
	for _, def := range d.flow.Steps {
		s := r.Step(def.Path)
		if s.Status != StepCompleted && s.Status != StepSkipped {
			return d.advance(def, s)
		}
	}
	return true, d.complete()
}

func cancelReason(c *v1.CancelRequested) string {
	if c.Reason != "" {
		return c.Reason
	}
	return "asked for"
}

// advance moves the first step that is not done.
func (d *decider) advance(def *Step, s *StepState) (again bool, err error) {
	switch s.Status {
	case "":
		return d.begin(def, s)
	case StepOpen:
		d.call(def, s, false)
		return false, nil
	case StepSleeping:
		if d.due(s.NextAt) {
			return true, d.add(def.Path, timerFired(s.Timer))
		}
		d.waitFor(s.NextAt)
		return false, nil
	case StepRetrying:
		return d.again(def, s, func() (bool, error) { return d.start(def, s, nil) })
	case StepProbing:
		if o := d.turn.Outcomes[AttemptID{def.Path, s.Attempt, s.Probes}]; o != nil {
			return true, d.probed(def, s, o)
		}
		return d.again(def, s, func() (bool, error) { d.call(def, s, true); return false, nil })
	case StepAsking:
		return false, nil
	}
	return true, d.fail(reasonStep, def.Path, s.Error)
}

// begin reaches a step.
func (d *decider) begin(def *Step, s *StepState) (again bool, err error) {
	env, err := d.run.env(d.flow, d.turn.Secrets, def.Path)
	if err != nil {
		return false, err
	}
	if def.If != nil {
		yes, err := def.If.Bool(env, d.clock(def.Path))
		if err != nil {
			return true, d.failedBefore(def, "evaluating if", err)
		}
		if !yes {
			return true, d.add(def.Path, &v1.Fact{Kind: &v1.Fact_StepSkipped{StepSkipped: &v1.StepSkipped{Why: "if is false"}}})
		}
	}
	if sleep, ok := def.Do.(*Sleep); ok {
		return true, d.sleep(def, sleep, env)
	}
	input, err := d.input(def, env)
	if err != nil {
		return true, d.failedBefore(def, "evaluating with", err)
	}
	return d.start(def, s, input)
}

func (d *decider) input(def *Step, env expr.Env) (*v1.Value, error) {
	v := any(map[string]any{})
	if def.uses().With != nil {
		var err error
		if v, err = def.uses().With.Eval(env, d.clock(def.Path)); err != nil {
			return nil, err
		}
	}
	raw, err := expr.EncodeJSON(v)
	if err != nil {
		return nil, err
	}
	return &v1.Value{Json: raw}, nil
}

func (d *decider) sleep(def *Step, s *Sleep, env expr.Env) error {
	v, err := s.For.Eval(env, d.clock(def.Path))
	if err != nil {
		return d.failedBefore(def, "evaluating sleep", err)
	}
	long, err := duration(v)
	if err != nil {
		return d.failedBefore(def, "evaluating sleep", err)
	}
	return d.add(def.Path, timerSet(d.turn.Now.Add(long), reasonSleep))
}

// start begins the next attempt of a step that uses an action.
func (d *decider) start(def *Step, s *StepState, input *v1.Value) (again bool, err error) {
	if d.turn.Hold {
		d.held = true
		return false, nil
	}
	timeout := def.uses().Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	deadline := d.turn.Now.Add(timeout).UnixNano()
	if end := d.run.Start.Deadline; end != 0 && end < deadline {
		deadline = end
	}
	return true, d.add(def.Path, &v1.Fact{Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{
		Attempt: s.Attempt + 1, Uses: def.uses().Action, Input: input, Deadline: deadline, Connection: def.uses().Connection}}})
}

// call settles that an attempt, or the probe of one, is to be called.
func (d *decider) call(def *Step, s *StepState, probe bool) {
	if d.turn.Hold {
		d.held = true
		return
	}
	id := AttemptID{Step: def.Path, Attempt: s.Attempt}
	if probe {
		id.Probe = s.Probes
	}
	a := &Attempt{
		AttemptID: id, Uses: def.uses(), Input: s.Input, Connection: def.uses().Connection,
		Deadline: s.Deadline, Begun: s.Begun, Unknown: s.Unknown, Reads: probe || def.uses().Reads(s.InputObject()),
	}
	if probe {
		a.Deadline = d.turn.Now.Add(time.Minute)
	}
	d.out.Call = a
}

// again does what is due at NextAt, or waits for it: in memory if that is soon.
func (d *decider) again(def *Step, s *StepState, now func() (bool, error)) (bool, error) {
	if d.due(s.NextAt) {
		return now()
	}
	if s.NextAt.Sub(d.turn.Now) > inMemory && !d.run.hasTimer(def.Path) {
		return true, d.add(def.Path, timerSet(s.NextAt, reasonRetry))
	}
	d.waitFor(s.NextAt)
	return false, nil
}

func (r *Run) hasTimer(step string) bool {
	for _, t := range r.Timers {
		if t.Step == step {
			return true
		}
	}
	return false
}

func (d *decider) due(at time.Time) bool { return !at.After(d.turn.Now) }

// waitFor keeps the run in memory if the time is near; else it parks.
func (d *decider) waitFor(at time.Time) {
	if at.Sub(d.turn.Now) <= inMemory {
		d.out.Until = at
	}
}

// complete ends the run with its output.
func (d *decider) complete() error {
	var out *v1.Value
	if d.flow.Output != nil {
		env, err := d.run.env(d.flow, nil, "output")
		if err != nil {
			return err
		}
		v, err := d.flow.Output.Eval(env, d.clock("output"))
		if err != nil {
			return d.fail(reasonOutput, "", &v1.Error{Message: "evaluating output: " + err.Error()})
		}
		raw, err := expr.EncodeJSON(v)
		if err != nil {
			return err
		}
		out = &v1.Value{Json: raw}
	}
	return d.add("", &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{Output: out}}})
}

func (d *decider) clock(path string) expr.Clock {
	return expr.Clock{Now: d.turn.Now, Seed: d.run.id + "/" + path}
}

package engine

import (
	"time"

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
	Slot     func() bool            // takes a place for one more attempt, if there is one; nil: there always is
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
	Calls []*Attempt // open, and to be made once they are, unless they were
	Until time.Time  // not zero: the run stays in memory, and something is due then
	Held  bool       // something could begin but for Hold, or for want of a slot
	Alone bool       // nothing but the one call of Calls can move the run
}

// Decide says what follows now, and applies it to the run. Without a call and a
// time to wait for, and not held, the run is parked or has ended, as its State says.
func (r *Run) Decide(w *Workflow, t Turn) (Decision, error) {
	d := &decider{run: r, flow: w, turn: t}
	if r.At.After(d.turn.Now) {
		d.turn.Now = r.At
	}
	if !r.State.Ended() {
		if err := d.decide(); err != nil {
			return Decision{}, err
		}
	}
	if !r.State.Ended() {
		d.settle()
	}
	return d.out, nil
}

// decider is one decision in the making.
type decider struct {
	run      *Run
	flow     *Workflow
	turn     Turn
	out      Decision
	next     time.Time          // the earliest thing that is due; zero: nothing is
	waiting  bool               // for something from outside
	called   map[AttemptID]bool // those of out.Calls; nil: not asked yet
	quiet    int                // looking only: nothing begins
	cleaning bool               // what follows the steps is on its way
	dropped  bool               // something was, that was visited before
}

// settle says where the run stands that did not end.
func (d *decider) settle() {
	soon := !d.next.IsZero() && d.next.Sub(d.turn.Now) <= inMemory
	if len(d.out.Calls) > 0 || soon || d.out.Held {
		d.out.Until = d.next
	}
	d.out.Alone = len(d.out.Calls) == 1 && d.next.IsZero() && !d.waiting && !d.out.Held
	d.run.State = Waiting
	if len(d.out.Calls) > 0 || soon || d.out.Held {
		d.run.State = Running
	}
	d.run.Parked = d.run.Parked || d.run.State == Waiting
}

// decide adds every fact that follows.
func (d *decider) decide() error {
	r := d.run
	if r.Queued() {
		return d.queued()
	}
	if err := d.outcomes(); err != nil {
		return err
	}
	switch {
	case r.Cancel != nil && r.Cancel.Now:
		return d.canceled(cancelReason(r.Cancel))
	case r.history.lost >= poison:
		return d.fail(reasonPoison, "", &v1.Error{Message: "six workers in a row were lost in the middle of an attempt"})
	case r.Ending == nil && r.Cancel != nil:
		if err := d.end(&v1.RunEnding{State: string(Canceled), Reason: cancelReason(r.Cancel)}); err != nil {
			return err
		}
	case r.Ending == nil && d.late():
		if err := d.end(&v1.RunEnding{State: string(Failed), Reason: reasonTimeout, Error: d.lateError()}); err != nil {
			return err
		}
	}
	return d.walk()
}

// late says that the time of the whole run is up.
func (d *decider) late() bool {
	end := d.run.Start.Deadline
	return end != 0 && d.turn.Now.UnixNano() >= end
}

func (d *decider) lateError() *v1.Error {
	return &v1.Error{Message: "the run took longer than the workflow's timeout of " + d.flow.Timeout.String()}
}

// walk moves the run's steps, and what follows them. Where something was dropped
// on the way, what was noted before may be about it: then it looks again.
func (d *decider) walk() error {
	r := d.run
	for d.dropped = true; d.dropped; {
		d.dropped, d.next, d.waiting = false, time.Time{}, false
		d.out.Calls, d.out.Held, d.called = nil, false, nil
		if r.Ending == nil && !r.State.Ended() {
			if err := d.steps(); err != nil {
				return err
			}
		}
		if r.Ending != nil && !r.State.Ended() {
			if err := d.cleanup(); err != nil {
				return err
			}
		}
	}
	return nil
}

// outcomes records what open attempts came to, in the order of their paths.
func (d *decider) outcomes() error {
	for _, path := range d.run.Open() {
		s := d.run.Step(path)
		var err error
		if o := d.turn.Outcomes[AttemptID{Step: path, Attempt: s.Attempt}]; o != nil {
			err = d.ended(path, s, o)
		} else if s.epoch < d.run.Epoch() {
			err = d.unknown(path, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// steps moves the workflow's own steps.
func (d *decider) steps() error {
	went, err := d.list(&frame{list: d.flow.Steps})
	if err != nil || d.run.Ending != nil || d.run.State.Ended() { // a stop ended it
		return err
	}
	switch went.standing {
	case over:
		return d.complete()
	case broke:
		return d.end(&v1.RunEnding{State: string(Failed), Reason: reasonStep, Step: went.step, Error: went.why})
	}
	return nil
}

// complete ends the steps with the run's output.
func (d *decider) complete() error {
	ending := &v1.RunEnding{State: string(Completed)}
	if d.flow.Output != nil {
		out, err := d.evaluate(d.flow.Output, d.root(), "output")
		if err != nil {
			ending = &v1.RunEnding{State: string(Failed), Reason: reasonOutput, Error: &v1.Error{Message: "evaluating output: " + err.Error()}}
		}
		ending.Output = out
	}
	return d.end(ending)
}

// root is the frame of the workflow's own steps once all of them are over.
func (d *decider) root() *frame { return &frame{list: d.flow.Steps, at: len(d.flow.Steps)} }

func (d *decider) due(at time.Time) bool { return !at.After(d.turn.Now) }

// waitUntil notes that something is due at a time.
func (d *decider) waitUntil(at time.Time) { d.next = sooner(d.next, at) }

// timer makes sure that a parked run wakes at a time.
func (d *decider) timer(path string, at time.Time, reason string) error {
	d.waitUntil(at)
	if at.Sub(d.turn.Now) <= inMemory || d.run.timer(path, reason) != 0 {
		return nil
	}
	return d.add(path, timerSet(at, reason))
}

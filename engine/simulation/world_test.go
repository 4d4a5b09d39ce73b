package simulation

import (
	"fmt"
	"time"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// world is what actions call: it keeps a ledger, and checks who calls what, when.
type world struct {
	s     *sim
	calls []*call
}

// call is an entry of the ledger.
type call struct {
	s       *sim
	run     string
	id      engine.AttemptID
	w       *worker
	o       *owned
	epoch   uint64
	reads   bool
	stopped bool // its process stood still between the check and the call
	stops   int  // how often its process had stood still, or was cut off, when it began
	over    bool
	did     bool
	class   string // what it brings; "": an output
	found   bool
}

// begin is a call as the outside sees it.
func (w *world) begin(p *proc, o *owned, a *engine.Attempt) {
	s, stops := w.s, p.w.stops
	p.effect()
	if s.fault(s.stall) {
		s.stopWorker(p.w)
	}
	p.pause(s.between(0, time.Millisecond))
	c := &call{s: s, run: o.run.ID(), id: a.AttemptID, w: p.w, o: o, epoch: o.epoch, reads: a.Reads, stopped: p.w.stops != stops, stops: p.w.stops}
	s.say("%s calls %s attempt %d%s of %s", p.who, a.Uses.Action, a.Attempt, probing(a), a.Step)
	w.check(c)
	w.calls = append(w.calls, c)
	o.flying[c.id] = c
	long := s.between(time.Millisecond, 1500*time.Millisecond)
	if s.chance(.1) {
		long = s.between(1500*time.Millisecond, 12*time.Second)
	}
	w.answer(c, a)
	if limit := max(a.Deadline.Sub(s.clock()), time.Millisecond); limit < long {
		long, c.class, c.did = limit, "unknown", s.chance(.5)
	}
	s.after(long, c.end)
}

func probing(a *engine.Attempt) string {
	if a.Probe > 0 {
		return fmt.Sprintf(" probe %d", a.Probe)
	}
	return ""
}

// answer draws what a call comes to.
func (w *world) answer(c *call, a *engine.Attempt) {
	luck := w.s.rng.IntN(100)
	if w.s.quiet {
		luck = 99
	}
	switch {
	case a.Uses.Action == "test.frail" && luck < 40:
		c.class = "final"
	case luck < 6:
		c.class = "retryable"
	case luck < 9:
		c.class, c.did = "unknown", luck == 7
	case a.Probe == 0:
		c.did = true
	}
}

// interrupt ends a call before it is answered.
func (c *call) interrupt() {
	if !c.over && c.class != "unknown" {
		c.class, c.did = "unknown", c.did && c.s.chance(.5)
		c.s.after(c.s.between(time.Millisecond, 50*time.Millisecond), c.end)
	}
}

// end lets a call land in the memory of its owner.
func (c *call) end() {
	if c.over {
		return
	}
	c.over = true
	if c.id.Probe > 0 && c.class == "" {
		c.found = c.s.world.happened(c)
	}
	if c.w.stopped > c.s.now {
		c.s.after(c.w.stopped-c.s.now, c.land)
		return
	}
	c.land()
}

func (c *call) land() {
	if c.w.dead {
		return
	}
	out := &engine.Outcome{Took: time.Millisecond, Output: &v1.Value{Json: []byte(`{"n":1}`)}, Found: c.found}
	if c.class != "" {
		out = &engine.Outcome{Took: time.Millisecond, Class: c.class, Error: &v1.Error{Message: "it did not work"}}
	}
	c.s.say("%s: attempt %d of %s brings %q", c.w.id, c.id.Attempt, c.id.Step, c.class)
	delete(c.o.flying, c.id)
	c.o.outcomes[c.id] = out
	c.o.landed = true
	c.w.slots++
	c.o.nudge()
	c.w.slotFree()
}

// happened says whether an attempt of a step did what it was to do.
func (w *world) happened(c *call) bool {
	for _, x := range w.calls {
		if x.run == c.run && x.id.Step == c.id.Step && x.id.Probe == 0 && x.did && (x.over || x.w.dead) {
			return true
		}
	}
	return false
}

// died ends the calls of a worker that died: they may have done what they were to do.
func (w *world) died(of *worker) {
	for _, c := range w.calls {
		if c.w == of && !c.over {
			c.over, c.did = true, c.did && w.s.chance(.5)
		}
	}
}

// check holds a call that begins against the ledger and the history.
func (w *world) check(c *call) {
	s, r := w.s, w.s.truth.run(c.run)
	if r == nil {
		s.broken("%s calls %s of a run without history", c.w.id, c.id.Step)
		return
	}
	st := r.Step(c.id.Step)
	excused := c.stopped
	for _, x := range w.calls {
		if x.run != c.run || x.id.Step != c.id.Step {
			continue
		}
		odd := excused || x.stopped || x.w.stops != x.stops
		if !odd && !x.over {
			s.broken("calls of attempts %d and %d of %s overlap, by %s and %s", x.id.Attempt, c.id.Attempt, c.id.Step, x.w.id, c.w.id)
		}
		if !odd && x.id == c.id && !c.reads && c.epoch > 0 && !w.retried(c) {
			s.broken("attempt %d of %s is called again, by %s after %s, and no unknown outcome was recorded", c.id.Attempt, c.id.Step, c.w.id, x.w.id)
		}
	}
	switch {
	case excused:
	case r.State.Ended():
		s.broken("%s calls %s after the run has ended", c.w.id, c.id.Step)
	case st.Status.Ended():
		s.broken("%s calls attempt %d of %s, whose outcome is recorded: %s", c.w.id, c.id.Attempt, c.id.Step, st.Status)
	case r.Epoch() > c.epoch:
		s.broken("%s calls %s under epoch %d, the run is at %d", c.w.id, c.id.Step, c.epoch, r.Epoch())
	case !c.reads && st.Attempt != c.id.Attempt:
		s.broken("%s calls attempt %d of %s, the history is at %d (%s)", c.w.id, c.id.Attempt, c.id.Step, st.Attempt, st.Status)
	}
}

// retried says that a run was retried after a step was undone: it begins again.
func (w *world) retried(c *call) bool { return w.s.truth.again[c.run] }

package simulation

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"zflow/engine"
	"zflow/engine/steppath"
	v1 "zflow/proto/zflow/v1"
)

// This is how an owner works on a run: rules 3, 5 and 6.

// carry works on a run until it parks, ends, or is another's.
func (p *proc) carry(o *owned) verdict {
	w := p.w
	defer func() {
		if w.owned[o.run.ID()] == o {
			delete(w.owned, o.run.ID())
		}
	}()
	for {
		done := false
		err := p.try(func() {
			for !done {
				done = p.advance(o)
			}
		})
		switch {
		case err == nil:
			return p.ends(o, settled)
		case errors.Is(err, errConflict) && !o.born:
			return p.ends(o, claimLost)
		case errors.Is(err, errReplaced):
			return p.ends(o, o.superseded())
		}
		p.freeSlots(o)
		if !errors.Is(err, errConflict) {
			p.pause(p.s.between(time.Millisecond, 200*time.Millisecond))
		}
		if p.reloads(o) {
			return p.ends(o, o.superseded())
		}
	}
}

func (p *proc) ends(o *owned, v verdict) verdict {
	p.awaitCalls(o)
	p.freeSlots(o)
	return v
}

func (o *owned) superseded() verdict {
	if o.born {
		return settled
	}
	return claimLost
}

// reloads loads the run again until that succeeds; true: it is another's.
func (p *proc) reloads(o *owned) bool {
	for {
		err := p.try(func() { p.reload(o) })
		if err == nil {
			return false
		}
		if errors.Is(err, errReplaced) {
			return true
		}
		p.pause(p.s.between(5*time.Millisecond, 300*time.Millisecond))
	}
}

func (p *proc) reload(o *owned) {
	o.news = false
	l := p.load(o.run.ID())
	if !o.owns(l.run, p.w) {
		fail(errReplaced)
	}
	o.loaded, o.pending, o.passed = *l, nil, false
	o.forget()
	o.stored()
}

// forget drops what was called, and has landed, for attempts that the history does
// not know.
func (o *owned) forget() {
	for _, id := range slices.SortedFunc(maps.Keys(o.outcomes), compareIDs) {
		if s := o.run.Steps[id.Step]; s == nil || s.Attempt < id.Attempt {
			delete(o.outcomes, id)
			delete(o.called, id)
		}
	}
}

// awaitCalls returns when no call is in flight any more.
func (p *proc) awaitCalls(o *owned) {
	for len(o.flying) > 0 {
		o.idle = true
		p.block()
		o.idle = false
	}
}

// freeSlots gives back the slots of attempts that were not called.
func (p *proc) freeSlots(o *owned) {
	p.w.slots += o.reserved
	o.reserved = 0
	p.w.slotFree()
}

func (w *worker) slotFree() {
	for _, o := range w.holds() {
		o.nudge()
	}
}

// slot takes a place for an attempt, if one is free.
func (w *worker) slot(o *owned) bool {
	if w.slots == 0 {
		return false
	}
	w.slots--
	o.reserved++
	return true
}

// advance does the next thing; done: nothing is left to this worker.
func (p *proc) advance(o *owned) (done bool) {
	if o.run.State.Ended() {
		p.finish(o)
		return true
	}
	if o.run.State == engine.Waiting && len(o.pending) == 0 && p.s.plant != parkedGoesOn {
		p.park(o) // its last append parked it: who makes it run again claims it
		return true
	}
	turn := engine.Turn{Now: p.w.now(o.m, o.run.At), Outcomes: o.outcomes, Slot: func() bool { return p.w.slot(o) }}
	d, err := o.run.Decide(o.def, turn)
	p.legal(err)
	o.pending = append(o.pending, d.Facts...)
	calls := slices.DeleteFunc(slices.Clone(d.Calls), func(a *engine.Attempt) bool { return o.called[a.AttemptID] && p.s.plant != twice })
	if o.run.Cancel != nil && len(calls) > 0 && !steppath.CleansUp(calls[0].Step) {
		for _, a := range calls {
			o.outcomes[a.AttemptID] = &engine.Outcome{Class: "final", Error: &v1.Error{Message: "the run was canceled before the call"}}
		}
		return false
	}
	if spare := o.reserved - len(calls); spare > 0 {
		o.reserved -= spare
		p.w.slots += spare
		p.w.slotFree()
	}
	switch {
	case len(calls) == 1 && d.Alone && len(o.flying) == 0:
		p.attempt(o, calls[0])
	case len(calls) > 0:
		p.flush(o)
		for _, a := range calls {
			if !p.begin(o, a) {
				return false
			}
		}
	case len(o.flying) > 0 || d.Held || !d.Until.IsZero():
		p.wait(o, d)
	case o.run.State == engine.Waiting:
		p.park(o)
		return true
	case o.run.State.Ended():
		p.finish(o)
		return true
	default:
		p.s.broken("%s holds a run that neither waits nor calls", p.who)
		panic(killed{})
	}
	return false
}

// attempt makes the only call that can move a run.
func (p *proc) attempt(o *owned, a *engine.Attempt) {
	if p.begin(o, a) {
		p.awaitCalls(o)
	}
}

// begin begins a call, unless there is news to be looked at first.
func (p *proc) begin(o *owned, a *engine.Attempt) bool {
	if o.called[a.AttemptID] && p.s.plant != twice {
		p.s.broken("%s decides to call attempt %d of %s again", p.who, a.Attempt, a.Step)
		panic(killed{})
	}
	p.takeSlot(o)
	if p.s.plant == actsFirst {
		p.calls(o, a)
		p.flush(o)
		return true
	}
	p.mayBegin(o, a)
	if o.news {
		p.reload(o)
		return false
	}
	p.calls(o, a)
	return true
}

func (p *proc) calls(o *owned, a *engine.Attempt) {
	o.called[a.AttemptID] = true
	o.reserved--
	p.s.world.begin(p, o, a)
}

// takeSlot makes sure that a slot is reserved.
func (p *proc) takeSlot(o *owned) {
	for o.reserved == 0 && !p.w.slot(o) {
		p.flushBut(o, starts(o.pending))
		o.idle = true
		p.pause(time.Second)
		o.idle = false
	}
}

// mayBegin returns once the call may begin. Rule 3.
func (p *proc) mayBegin(o *owned, a *engine.Attempt) {
	if !a.Reads || len(o.pending) > starts(o.pending) {
		p.flush(o)
	}
	for {
		if p.s.plant != noFlush {
			p.passed(o)
		}
		for !p.w.fresh() {
			p.pause(50 * time.Millisecond)
		}
		if p.s.now-o.cursor.sent < belief || p.s.plant == noLease {
			return
		}
		p.startAgain(o, a)
	}
}

func starts(facts []*v1.Fact) int {
	if n := len(facts); n > 0 && facts[n-1].GetStepStarted() != nil {
		return 1
	}
	return 0
}

// startAgain appends the start of an attempt whose record has grown too old.
func (p *proc) startAgain(o *owned, a *engine.Attempt) {
	if len(o.pending) == 0 {
		now := p.w.now(nil, o.run.At)
		if a.Probe == 0 {
			a.Deadline = now.Add(a.Deadline.Sub(a.Begun))
			if end := o.run.Start.Deadline; end != 0 && end < a.Deadline.UnixNano() {
				a.Deadline = time.Unix(0, end)
			}
			a.Begun = now
		}
		o.pending = append(o.pending, p.add(o.run, now, &v1.Fact{Step: a.Step, Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{
			Attempt: a.Attempt, Uses: a.Uses.Action, Connection: a.Connection, Deadline: a.Deadline.UnixNano(), Again: true}}}))
	}
	p.flush(o)
}

// wait stays in memory until a call lands, a slot is free, a time comes, or there is
// news.
func (p *proc) wait(o *owned, d engine.Decision) {
	p.flush(o)
	if o.told != o.run.Facts {
		p.reachOut(&o.loaded)
		o.told = o.run.Facts
	}
	if !o.news && !o.landed && !(d.Held && p.w.slots > 0) {
		o.idle = true
		if d.Until.IsZero() {
			p.block()
		} else if long := d.Until.Sub(p.w.now(nil, time.Time{})); long > 0 {
			p.pause(long)
		}
		o.idle = false
	}
	o.landed = false
	if o.news {
		p.reload(o)
	}
}

func (p *proc) park(o *owned) {
	p.flush(o)
	p.ensure(&o.loaded)
	p.passed(o)
	p.ack(o.m, o.kept)
}

func (p *proc) finish(o *owned) {
	p.flush(o)
	p.closing(&o.loaded)
	p.ack(o.m, o.kept)
}

func (p *proc) flush(o *owned) { p.flushBut(o, 0) }

// flushBut appends the pending facts but for the last n.
func (p *proc) flushBut(o *owned, n int) {
	facts := o.pending[:len(o.pending)-n]
	if len(facts) == 0 {
		return
	}
	if facts[0].Claim != nil && !p.claimable(o.m) {
		fail(errNotNow)
	}
	p.append(&o.loaded, facts)
	o.passed = false
	o.stored()
	o.pending = slices.Clone(o.pending[len(facts):])
	if len(o.pending) == 0 {
		p.s.truth.agrees(p, o.run)
	}
}

func (p *proc) passed(o *owned) {
	if !o.passed {
		p.pass(runs, o.cursor.mark)
		o.passed = true
	}
}

func sortedIDs(all map[engine.AttemptID]*call) []engine.AttemptID {
	return slices.SortedFunc(maps.Keys(all), compareIDs)
}

func compareIDs(a, b engine.AttemptID) int {
	return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.Probe, b.Probe))
}

package simulation

import (
	"encoding/json"
	"errors"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/engine/queue"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// This is what a worker does with a message: rules 1, 2, 4, 7, 16 and 17.

type event = proto.Event

// verdict is how a carry ended.
type verdict int

const (
	settled   verdict = iota
	claimLost         // another append came before the claim: the message is looked at again
)

// handle does all that a message asks for, and carries the run if it became ours.
func handle(p *proc, d *delivery) {
	load := !d.first || d.event == nil
	for p.handleOnce(d, load) == claimLost {
		load = true
	}
}

func (p *proc) handleOnce(d *delivery, load bool) verdict {
	leave := p.enter(d.run)
	defer leave()
	if p.w.owned[d.run] != nil && p.s.plant != startsBlind {
		load = true // it comes as new again where the server forgot that it was delivered
	}
	o := p.settle(d, load)
	if o == nil {
		return settled
	}
	o.leave, o.p = leave, p
	p.w.owned[d.run] = o
	return p.carry(o)
}

// settle repeats what a message asks for until it is done, or is left to its
// redelivery.
func (p *proc) settle(d *delivery, load bool) (o *owned) {
	for wait := time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		err := p.try(func() { o = p.about(d, load) })
		if err == nil {
			return o
		}
		if p.s.now-d.asked > ackWithin || p.w.mark() != d.mark {
			return nil
		}
		if !errors.Is(err, errConflict) {
			p.pause(wait)
		}
		load = true
	}
}

// about decides what a message means for its run. Not nil: this worker owns it, by a
// claim that is to be appended.
func (p *proc) about(d *delivery, load bool) *owned {
	if p.s.plant == acksFirst {
		p.ack(d, d.asked)
	}
	if !load {
		return p.startEvent(d)
	}
	l := p.load(d.run)
	switch {
	case l.cursor.number == 0 && d.event != nil:
		return p.startEvent(d)
	case l.cursor.number == 0 && d.wake.GetStart() != nil:
		return p.startCalled(d)
	case l.cursor.number == 0:
		p.ack(d, d.asked)
		return nil
	case l.run.State.Ended():
		return p.ended(l, d)
	case l.run.State == engine.Waiting:
		return p.resume(l, d)
	case l.run.Queued() && d.event != nil:
		return p.inLine(l, d)
	case l.run.Claim.GetWorker() == p.w.id:
		return p.mine(l, d)
	}
	return p.foreign(l, d)
}

// startEvent begins the run of an event, if the event matches. Rule 1.
func (p *proc) startEvent(d *delivery) *owned {
	def := flows[d.workflow]
	e := eventOf(d.event)
	trigger := matches(def, d.event, e)
	if trigger < 0 {
		p.ack(d, d.asked)
		return nil
	}
	return p.start(d, def, e, trigger)
}

func (p *proc) start(d *delivery, def *engine.Workflow, e *v1.Event, trigger int) *owned {
	now := p.w.now(d, time.Time{})
	begun := &v1.RunStarted{Workflow: def.Name, Version: def.Version, Event: e, Trigger: int32(trigger), Parent: d.wake.GetStart().GetParent()}
	if def.Timeout > 0 {
		begun.Deadline = now.Add(def.Timeout).UnixNano()
	}
	why, broken := "", error(nil)
	if t := &def.Triggers[trigger]; t.Once != nil {
		by := ""
		if by, broken = p.lostTo(def, t, e); by != "" {
			why = "once: event " + by + " was the first of its key"
		}
	}
	if def.Concurrency != nil && why == "" && broken == nil {
		var queued *v1.Fact
		if queued, broken = queue.Queued(def, e); broken == nil {
			return p.queue(d, begun, queued)
		}
	}
	p.mayClaim(d)
	l := &loaded{run: engine.NewRun(d.run)}
	facts, err := l.run.Begin(now, begun, p.claimOf(d, 1), broken)
	p.legal(err)
	if why != "" {
		facts = append(facts, p.add(l.run, now, queue.Refused(why)))
	}
	return newOwned(d, l, def, facts)
}

// legal reports what the core refuses.
func (p *proc) legal(err error) {
	if err != nil {
		p.s.broken("the core refuses: %v", err)
		panic(killed{})
	}
}

func (p *proc) add(r *engine.Run, now time.Time, f *v1.Fact) *v1.Fact {
	f, err := r.Add(now, f)
	p.legal(err)
	return f
}

func matches(def *engine.Workflow, e *event, begun *v1.Event) int {
	for i, t := range def.Triggers {
		if !t.Takes(e.Kind(), e.Type) {
			continue
		}
		if t.If == nil {
			return i
		}
		body, err := expr.DecodeJSON(e.Body)
		if err != nil {
			panic(err)
		}
		if yes, err := t.If.Bool(engine.TriggerEnv(def, begun, body), expr.Clock{Now: e.ReceivedAt, Seed: e.ID}); yes || err != nil {
			return i
		}
	}
	return -1
}

func eventOf(e *event) *v1.Event {
	return &v1.Event{
		Id: e.ID, Type: e.Type, Source: e.Source, Origin: e.Origin, ContentType: e.ContentType, Time: e.Time.UnixNano(),
		ReceivedAt: e.ReceivedAt.UnixNano(), Sequence: e.Sequence, Body: &v1.Value{Json: e.Body, Size: uint64(len(e.Body))},
	}
}

// startCalled begins a run that another called.
func (p *proc) startCalled(d *delivery) *owned {
	return p.start(d, flows[d.workflow], d.wake.Start.Event, 0)
}

// queue begins a run that waits at its gate: nobody owns it yet.
func (p *proc) queue(d *delivery, begun *v1.RunStarted, queued *v1.Fact) *owned {
	l := &loaded{run: engine.NewRun(d.run)}
	facts, err := l.run.Begin(p.w.now(d, time.Time{}), begun, nil, nil)
	p.legal(err)
	return p.getInLine(l, d, facts, queued)
}

func (p *proc) getInLine(l *loaded, d *delivery, facts []*v1.Fact, queued *v1.Fact) *owned {
	p.flushed(d)
	facts = append(facts, p.add(l.run, p.w.now(d, l.run.At), queued))
	l.run.State, l.run.Parked = engine.Waiting, true
	p.append(l, facts)
	return p.resume(l, d)
}

// flushed waits until the message itself is durable.
func (p *proc) flushed(d *delivery) { p.pass(d.in.name, d.mark) }

func (p *proc) claimable(d *delivery) bool {
	return p.w.fresh() && p.s.now-d.asked < claimWithin && p.w.mark() == d.mark
}

func (p *proc) mayClaim(d *delivery) {
	p.flushed(d)
	if !p.claimable(d) {
		fail(errNotNow)
	}
}

func (p *proc) claimOf(d *delivery, epoch uint64) *v1.Claim {
	return &v1.Claim{Worker: p.w.id, Epoch: epoch, Stream: d.in.name, Sequence: d.seq}
}

func (p *proc) claim(l *loaded, d *delivery, brings *v1.Fact) *owned {
	claimed := &v1.Fact{Kind: &v1.Fact_RunClaimed{RunClaimed: &v1.RunClaimed{From: l.run.Claim.GetWorker()}}}
	return p.own(l, d, claimed, brings)
}

// own takes a run with facts of which the first is the claim.
func (p *proc) own(l *loaded, d *delivery, facts ...*v1.Fact) *owned {
	p.mayClaim(d)
	facts[0].Claim = p.claimOf(d, l.run.Epoch()+1)
	now := p.w.now(d, l.run.At)
	var added []*v1.Fact
	for _, f := range facts {
		if f != nil {
			added = append(added, p.add(l.run, now, f))
		}
	}
	return newOwned(d, l, flows[l.run.Start.Workflow], added)
}

func was(r *engine.Run, d *delivery) bool { return r.WasCarriedBy(d.in.name, d.seq) }

// resume is about a parked run.
func (p *proc) resume(l *loaded, d *delivery) *owned {
	now := p.w.now(d, l.run.At)
	brings := p.brings(l.run, d)
	news := brings != nil
	if brings == nil {
		brings = l.run.Due(now)
	}
	if brings == nil {
		p.renewHistory(l, now)
		if l.run.Queued() {
			return p.inLine(l, d)
		}
		p.ensure(l)
		p.done(l, d)
		return nil
	}
	if was(l.run, d) || d.command != nil && !news {
		p.wake(d.workflow, d.run, &v1.Wake{Reason: "carrier"})
		p.done(l, d)
		return nil
	}
	return p.own(l, d, brings)
}

// inLine is about a run that waits at its gate.
func (p *proc) inLine(l *loaded, d *delivery) *owned {
	inside := p.stand(l)
	switch {
	case inside && d.wake != nil && !was(l.run, d):
		return p.own(l, d, queue.Entered(l.run))
	case inside:
		p.wake(d.workflow, d.run, &v1.Wake{Reason: "gate"})
	case queue.Skips(l.run):
		p.append(l, []*v1.Fact{p.add(l.run, p.w.now(d, l.run.At), queue.Full(l.run))})
		p.close(l, d)
		return nil
	}
	p.setRunTimer(l.run)
	p.done(l, d)
	return nil
}

// tell records what a message brings to a run that its owner works on. Rule 7.
func (p *proc) tell(l *loaded, d *delivery) {
	brings := p.brings(l.run, d)
	if brings != nil && brings.GetTimerFired() == nil {
		f := p.add(l.run, p.w.now(d, l.run.At), brings)
		l.run.State = engine.Running
		p.append(l, []*v1.Fact{f})
	}
	p.done(l, d)
	if brings != nil || l.run.Cancel != nil {
		p.hint(l.run)
	}
}

// hint tells the owner that the history has news; it may be lost.
func (p *proc) hint(r *engine.Run) {
	owner, id, end := r.Claim.GetWorker(), r.ID(), r.Cancel != nil
	p.effect()
	p.w.tells(func() {
		for _, w := range p.s.workers {
			if w != nil && w.id == owner && w.owned[id] != nil {
				w.owned[id].look(end)
			}
		}
	})
}

func (p *proc) done(l *loaded, d *delivery) {
	p.pass(runs, l.cursor.mark)
	p.ack(d, d.asked)
}

// mine is about a running run whose last claim names this worker.
func (p *proc) mine(l *loaded, d *delivery) *owned {
	carrier := l.run.CarriedBy(d.in.name, d.seq)
	if o := p.w.owned[d.run]; o != nil && o.owns(l.run, p.w) {
		if carrier {
			o.m, o.kept = d, d.asked
			return nil
		}
		p.tell(l, d)
		return nil
	}
	if carrier {
		return p.claim(l, d, nil)
	}
	p.tell(l, d)
	return nil
}

// foreign is about a running run that another worker's claim owns. Rule 4.
func (p *proc) foreign(l *loaded, d *delivery) *owned {
	carrier, owner := l.run.CarriedBy(d.in.name, d.seq), l.run.Claim.GetWorker()
	late := p.s.now-d.asked+(absences-1)*beat >= claimWithin && p.s.plant != readsInVain
	if late && !p.readsLease(owner) {
		return nil // it could not be claimed after four reads: a younger one is not kept waiting
	}
	if late || p.leaseThere(owner) {
		if !carrier {
			p.tell(l, d)
		}
		return nil
	}
	if !carrier && was(l.run, d) {
		p.done(l, d)
		return nil
	}
	return p.claim(l, d, p.brings(l.run, d))
}

// leaseThere says no only after the lease was absent four times in a row.
func (p *proc) leaseThere(owner string) bool {
	m := p.w.mark()
	need := absences
	if p.s.plant == oneAbsence {
		need = 1
	}
	for i := range need {
		if i > 0 {
			p.pause(beat)
		}
		switch there := p.readsLease(owner); {
		case there:
			return true
		case p.w.mark() != m:
			fail(errUnknown)
		}
	}
	return false
}

func (p *proc) readsLease(owner string) (there bool) {
	p.must("reads the lease of "+owner, func() {
		m := p.s.server.streams[leases].head(owner)
		there = m != nil && p.s.now-m.at < leaseAge
	})
	return there
}

// brings returns the fact that a message brings to a run, nil if it is no news.
func (p *proc) brings(r *engine.Run, d *delivery) *v1.Fact {
	switch {
	case d.wake != nil:
		if f := p.arrival(r, p.w.now(d, r.At)); f != nil {
			return f
		}
		if f := p.childEnded(r); f != nil {
			return f
		}
		return r.Due(p.w.now(d, r.At))
	case d.command == nil || r.Knows(d.command.Id):
		return nil
	}
	switch c := d.command; c.Kind {
	case "cancel":
		return &v1.Fact{Kind: &v1.Fact_CancelRequested{CancelRequested: &v1.CancelRequested{Command: c.Id, By: c.By, Reason: c.Reason, Now: c.Now}}}
	case "signal":
		return &v1.Fact{Kind: &v1.Fact_SignalReceived{SignalReceived: &v1.SignalReceived{Command: c.Id, By: c.By, Name: c.Name, Data: &v1.Value{Json: c.Data}}}}
	case "approve":
		if s := r.Step(c.Step); s.Status == engine.StepAsking || s.Status == engine.StepWaiting && s.Wait != nil && s.Wait.Approval != nil {
			return &v1.Fact{Step: c.Step, Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{Command: c.Id, By: c.By, Choice: c.Choice, Output: &v1.Value{Json: c.Data}}}}
		}
	}
	return nil
}

// ended is about a run that has ended: it is retried, or its closing duties are done
// again.
func (p *proc) ended(l *loaded, d *delivery) *owned {
	c := d.command
	if c == nil || c.Kind != "retry" || l.run.State == engine.Completed || l.run.Knows(c.Id) {
		p.close(l, d)
		return nil
	}
	def := flows[l.run.Start.Workflow]
	retried := &v1.RunRetried{Command: c.Id, By: c.By, With: map[string]*v1.Value{}}
	if def.Timeout > 0 {
		retried.Deadline = p.w.now(d, l.run.At).Add(def.Timeout).UnixNano()
	}
	again := &v1.Fact{Kind: &v1.Fact_RunRetried{RunRetried: retried}}
	if def.Concurrency == nil {
		return p.own(l, d, again)
	}
	queued, err := queue.Queued(def, l.run.Start.Event)
	p.legal(err)
	return p.getInLine(l, d, []*v1.Fact{p.add(l.run, p.w.now(d, l.run.At), again)}, queued)
}

// childEnded returns the fact that a called run has ended; nil if none has.
func (p *proc) childEnded(r *engine.Run) *v1.Fact {
	for _, c := range r.Calls() {
		if !c.Wait || c.Over {
			continue
		}
		child := p.load(c.Run).run
		if !child.State.Ended() {
			continue
		}
		end := &v1.CallEnded{State: string(child.State), Output: child.End.GetRunCompleted().GetOutput(), Error: child.End.GetRunFailed().GetError()}
		if child.State == engine.Canceled {
			end.Error = &v1.Error{Message: "the called run was canceled: " + child.End.GetRunCanceled().GetWhy()}
		}
		return &v1.Fact{Step: c.Step, Kind: &v1.Fact_CallEnded{CallEnded: end}}
	}
	return nil
}

// jsonOf is a value as JSON.
func jsonOf(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

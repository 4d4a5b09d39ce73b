package simulation

import (
	"maps"
	"slices"
	"time"

	"zflow/engine"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// This is what every delivery about a run ensures, the router, and the sweep.

// ensure puts what a parked run waits for where it is looked for.
func (p *proc) ensure(l *loaded) {
	p.reachOut(l)
	if l.run.Queued() && p.stand(l) {
		p.wake(l.run.Start.Workflow, l.run.ID(), &v1.Wake{Reason: "gate"})
	}
	p.setRunTimer(l.run)
}

// setRunTimer sets the one timer of a parked run.
func (p *proc) setRunTimer(r *engine.Run) {
	whole := p.renewal(r)
	if end := r.Start.Deadline; end != 0 && end < whole.UnixNano() {
		whole = time.Unix(0, end)
	}
	first := uint64(0)
	for _, fact := range slices.Sorted(maps.Keys(r.Timers)) {
		if t := r.Timers[fact]; t.Due.Before(whole) {
			first, whole = fact, t.Due
		}
	}
	p.setTimer(r.Start.Workflow, r.ID(), first, whole)
}

// reachOut tells others what the run needs of them.
func (p *proc) reachOut(l *loaded) {
	if len(l.run.Calls()) == 0 && len(l.run.Waits()) == 0 {
		return
	}
	p.pass(runs, l.cursor.mark)
	p.startCalls(l.run)
	for _, open := range l.run.Waits() {
		p.await(l.run, open)
	}
	p.dropWaits(l.run)
}

// startCalls starts the runs that a run has called, and ends those that it does not
// wait for any more.
func (p *proc) startCalls(r *engine.Run) {
	for _, c := range r.Calls() {
		var head *message
		p.must("looks at the head of "+short(c.Run), func() { head = p.s.server.streams[runs].head(c.Run) })
		switch {
		case head == nil && (!c.Over || !c.Wait):
			p.wake(c.Workflow, c.Run, &v1.Wake{Reason: "call", Start: startOf(r, c)})
		case head != nil && c.Dropped && !head.body.(*appended).state.Ended():
			p.command(c.Workflow, c.Run, &v1.Command{Id: c.Run + ".dropped", Kind: "cancel", By: "run " + r.ID()})
		}
	}
}

func startOf(r *engine.Run, c engine.CallOut) *v1.RunStarted {
	return &v1.RunStarted{
		Workflow: c.Workflow,
		Event: &v1.Event{Id: c.Run, Type: "call", Source: engine.SourceCall, Origin: "call", ContentType: "application/json",
			Time: r.At.UnixNano(), ReceivedAt: r.At.UnixNano(), Body: c.Inputs},
		Parent: &v1.Parent{Workflow: r.Start.Workflow, Run: r.ID(), Step: c.Step, Depth: r.Start.Parent.GetDepth() + 1},
	}
}

// close does what an ended run still owes, then acks.
func (p *proc) close(l *loaded, d *delivery) {
	p.closing(l)
	p.ack(d, d.asked)
}

func (p *proc) closing(l *loaded) {
	r := l.run
	p.pass(runs, l.cursor.mark)
	if up := r.Start.Parent; up != nil {
		p.wake(up.Workflow, up.Run, &v1.Wake{Reason: "called"})
	}
	p.startCalls(r)
	p.dropWaits(r)
	if r.Gate != nil {
		p.leave(r)
	}
	if !r.Parked {
		return
	}
	for _, fact := range slices.Sorted(maps.Keys(r.Timers)) {
		p.dropTimer(r.Start.Workflow, r.ID(), fact)
	}
	p.dropTimer(r.Start.Workflow, r.ID(), 0)
}

// renewal is when a run that is still open begins a new generation.
func (p *proc) renewal(r *engine.Run) time.Time { return r.GenerationBegan().Add(p.s.age / 2) }

// renewHistory begins a new generation of a parked run that is old.
func (p *proc) renewHistory(l *loaded, now time.Time) {
	if now.Before(p.renewal(l.run)) {
		return
	}
	f := l.run.Continue(now)
	p.legal(l.run.Apply(f))
	p.append(l, []*v1.Fact{f})
}

// route brings an event to those who wait for it, then acks.
func route(p *proc, d *delivery) {
	if p.s.plant == routesLate && p.try(func() { p.ack(d, d.asked) }) == nil && p.s.chance(.5) {
		return
	}
	for p.try(func() { p.bring(d.message) }) != nil {
		if p.s.now-d.asked > ackWithin || p.w.mark() != d.mark {
			return
		}
		p.pause(p.s.between(10*time.Millisecond, time.Second))
	}
	p.ack(d, d.asked)
}

// sweeps makes RUNS and its indexes agree after each start of the server.
func (w *worker) sweeps(p *proc) {
	for {
		if life := w.mark().life; life != 0 && life != w.swept {
			done := false
			if p.try(func() { done = p.sweepOnce(life) }) == nil && done {
				w.swept = life
			}
		}
		p.pause(time.Second)
	}
}

// sweepOnce sweeps under the lock, unless another has done so for this server.
func (p *proc) sweepOnce(life int) (done bool) {
	mark := "sweep." + string(rune('a'+life))
	if value, _ := p.get(once, mark); value != nil {
		return true
	}
	value, revision := p.get(leases, "sweep")
	if l, held := value.(lock); held && p.s.now < l.until && l.by != p.w.id {
		return false
	}
	p.swap(leases, "sweep", revision, lock{p.w.id, p.s.now + leaseAge})
	p.sweep()
	p.swap(once, mark, 0, true)
	return true
}

type lock struct {
	by    string
	until time.Duration
}

func (p *proc) sweep() {
	var open []string
	p.must("lists the open runs", func() {
		st := p.s.server.streams[runs]
		for _, run := range slices.Sorted(maps.Keys(st.of)) {
			if m := st.head(run); m != nil && !m.body.(*appended).state.Ended() {
				open = append(open, run)
			}
		}
	})
	for _, run := range open {
		l := p.load(run)
		w := &v1.Wake{Reason: "sweep"}
		switch {
		case l.cursor.number == 0 || l.run.State.Ended():
		case l.run.State == engine.Waiting && l.run.Due(p.w.now(nil, l.run.At)) == nil:
			p.ensure(l)
		case l.run.State == engine.Waiting || !p.readsLease(l.run.Claim.GetWorker()):
			p.wake(l.run.Start.Workflow, run, w)
		}
	}
}

// consumers are those of the flows, of WAKES, and the router's.
func (s *sim) consumers() {
	v := s.server
	for _, name := range flowNames {
		def, most := flows[name], 1000
		if def.Triggers[0].Source == engine.SourceCall {
			continue
		}
		if def.Concurrency != nil {
			most = 1
		}
		v.consumer(consumer{name: name, most: most, handle: handle, takes: func(m *message) bool {
			return m.body.(*event).Type == def.Triggers[0].Types[0]
		}}, events)
	}
	of := func(command bool) func(*message) bool {
		return func(m *message) bool {
			_, _, isCommand, err := proto.ParseWakeSubject(m.subject)
			return err == nil && isCommand == command
		}
	}
	v.consumer(consumer{name: "router", most: 256, handle: route, takes: func(*message) bool { return true }}, events)
	v.consumer(consumer{name: "wakes", most: 1 << 30, handle: handle, takes: of(false)}, wakes)
	v.consumer(consumer{name: "commands", most: 1000, handle: handle, takes: of(true)}, wakes)
}

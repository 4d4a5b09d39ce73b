package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"zflow/engine"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Times of rules 2 to 4.
const (
	beat        = 1500 * time.Millisecond
	belief      = 4 * time.Second
	leaseAge    = 6 * time.Second
	claimWithin = 6 * time.Second
	ackWithin   = 8 * time.Second
	keepEvery   = 2500 * time.Millisecond
	absences    = 4
	slotsEach   = 4
)

// worker is a process that carries runs. What is here is lost when it dies.
type worker struct {
	s       *sim
	id      string
	at      int // which of the workers it is
	dead    bool
	stopped time.Duration // as by SIGSTOP, until then
	stops   int
	procs   map[*proc]bool
	link    link
	put     time.Duration // when the last put of the lease that succeeded was sent; -1: never
	wall    time.Duration // by how much the own clock is wrong
	offset  time.Duration // from the clock that it goes by to the server's
	learned time.Duration // when; -1: never
	owned   map[string]*owned
	busy    map[string]*turnstile
	looked  map[looked]bool
	slots   int
	swept   int // the server's life that was swept
}

// turnstile lets one handler of a run in at a time.
type turnstile struct{ queue []*proc }

func (s *sim) boot(i int) {
	s.born++
	w := &worker{
		s: s, id: fmt.Sprintf("w%d", s.born), at: i, procs: map[*proc]bool{}, put: -1, learned: -1, slots: slotsEach,
		owned: map[string]*owned{}, busy: map[string]*turnstile{}, looked: map[looked]bool{}, wall: s.between(-time.Minute, time.Minute),
	}
	w.link.up = true // so that it is lost, and made
	s.workers[i] = w
	s.say("%s boots", w.id)
	s.lose(&w.link, w.connected)
	s.spawn(w, w.id+" lease", w.keepLease)
	s.spawn(w, w.id+" keeps", w.keepCarriers)
	s.spawn(w, w.id+" sweeps", w.sweeps)
}

func (w *worker) mark() mark { return w.link.now() }

func (w *worker) lose() { w.s.lose(&w.link, w.connected) }

func (w *worker) connected() {
	if w.dead {
		return
	}
	w.s.spawn(w, w.id+" lease", func(p *proc) { _ = p.try(p.renew) })
	for _, c := range w.s.server.consumers {
		w.s.after(0, c.dispatch)
	}
}

// somebody returns a worker that asks for messages, or nil.
func (s *sim) somebody() *worker {
	var all []*worker
	for _, w := range s.workers {
		if w != nil && w.link.up && w.put >= 0 && w.stopped <= s.now+time.Second {
			all = append(all, w)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[s.rng.IntN(len(all))]
}

// kill ends a worker; another takes its place later.
func (s *sim) kill(w *worker) {
	if w.dead {
		return
	}
	s.say("%s dies", w.id)
	w.dead, w.link.up = true, false
	for _, p := range slices.SortedFunc(maps.Keys(w.procs), func(a, b *proc) int { return a.n - b.n }) {
		p.kill()
	}
	s.world.died(w)
	s.workers[w.at] = nil
	s.after(s.between(10*time.Millisecond, 6*time.Second), func() { s.boot(w.at) })
}

// dies says whether a process dies at this very effect.
func (s *sim) dies(p *proc) bool {
	if p.w == nil || !s.fault(s.crash) {
		return false
	}
	s.kill(p.w)
	return true
}

// effect is a scheduling point of something that has no answer.
func (p *proc) effect() {
	p.s.effects++
	if p.w != nil && p.s.fault(p.s.crash) {
		p.s.after(0, func() { p.s.kill(p.w) })
		p.block()
	}
}

// putting is what happens so often that it is not shown.
const putting = "puts the lease"

// renew puts the lease, and learns the server's time from it now and then. One that
// never learned it does not begin.
func (p *proc) renew() {
	w, s := p.w, p.s
	sent := s.now
	p.must(putting, func() { s.server.store(leases, w.id, w.id) })
	if w.learned < 0 || w.own()-w.learned > 15*time.Second {
		p.learn()
	}
	w.put = max(w.put, sent)
}

func (p *proc) learn() {
	w, s := p.w, p.s
	at := time.Duration(-1)
	p.must("reads its lease", func() {
		if m := s.server.streams[leases].head(w.id); m != nil {
			at = m.at
		}
	})
	if at < 0 {
		fail(errUnknown)
	}
	w.offset, w.learned = at-w.own(), w.own() // the answer came later: the server's time is never overrated
}

// own is the clock that the worker goes by: one that never jumps.
func (w *worker) own() time.Duration {
	if w.s.plant == wallClock {
		return w.s.now + w.wall
	}
	return w.s.now
}

// now is the server's time, as far as the worker knows, never before the message or
// the run's last fact. Rule 12.
func (w *worker) now(m *delivery, last time.Time) time.Time {
	now := epoch.Add(w.own() + w.offset)
	if m != nil && now.Before(epoch.Add(m.at)) {
		now = epoch.Add(m.at)
	}
	if last.After(now) {
		now = last
	}
	return now
}

// fresh says that the worker may believe in its lease.
func (w *worker) fresh() bool {
	return w.put >= 0 && (w.s.now-w.put < belief || w.s.plant == noLease)
}

func (w *worker) keepLease(p *proc) {
	for {
		p.pause(beat)
		if p.try(p.renew) != nil {
			w.lose()
		}
	}
}

// keepCarriers says again and again that the carriers are worked on.
func (w *worker) keepCarriers(p *proc) {
	for {
		p.pause(keepEvery)
		m := w.mark()
		for _, o := range w.holds() {
			if d := o.m; d.mark == m && m.life != 0 {
				p.effect()
				o.kept = w.s.now
				w.tells(func() { d.from.progress(d.seq) })
			}
		}
	}
}

// holds returns the runs in memory.
func (w *worker) holds() (all []*owned) {
	for _, run := range slices.Sorted(maps.Keys(w.owned)) {
		all = append(all, w.owned[run])
	}
	return all
}

// tells sends something that is not answered.
func (w *worker) tells(f func()) {
	sent := w.mark()
	w.s.after(w.s.latency(), func() {
		if sent.life != 0 && w.mark() == sent && w.s.server.up && !w.s.fault(w.s.unsent) {
			f()
		}
	})
}

// delivery is a message in a worker's hands.
type delivery struct {
	*message
	from          *consumer
	asked         time.Duration // when the pull was sent that brought it
	mark          mark
	first         bool
	workflow, run string
	event         *event
	wake          *v1.Wake
	command       *v1.Command
}

func (d *delivery) read() {
	switch b := d.body.(type) {
	case *event:
		d.event, d.workflow, d.run = b, d.from.name, proto.RunID(d.from.name, b.ID)
	case *v1.Wake:
		d.wake = b
	case *v1.Command:
		d.command = b
	}
	if d.event == nil {
		var err error
		if d.workflow, d.run, _, err = proto.ParseWakeSubject(d.subject); err != nil {
			panic(err)
		}
	}
}

// take begins to handle a delivery.
func (w *worker) take(d *delivery) {
	if !w.dead {
		w.s.spawn(w, fmt.Sprintf("%s %s %s%d", w.id, short(d.run), d.from.name, d.seq), func(p *proc) { d.from.handle(p, d) })
	}
}

// ack acknowledges a message, unless it is too late to.
func (p *proc) ack(d *delivery, since time.Duration) {
	p.effect()
	if p.s.now-since < ackWithin && p.w.mark() == d.mark {
		who := p.who
		p.w.tells(func() { d.from.ack(d.message, who) })
	}
}

// owned is a run in a worker's memory.
type owned struct {
	loaded
	p        *proc
	m        *delivery // the carrier
	kept     time.Duration
	def      *engine.Workflow
	epoch    uint64
	pending  []*v1.Fact
	passed   bool
	outcomes map[engine.AttemptID]*engine.Outcome
	called   map[engine.AttemptID]bool
	flying   map[engine.AttemptID]*call
	leave    func()
	born     bool // its claim is in the history
	news     bool
	landed   bool // a call has
	idle     bool // it stands still in wait
	reserved int  // slots for attempts that began
	told     uint64
}

func newOwned(m *delivery, l *loaded, def *engine.Workflow, pending []*v1.Fact) *owned {
	return &owned{
		loaded: *l, m: m, kept: m.asked, def: def, epoch: l.run.Epoch(), pending: pending,
		outcomes: map[engine.AttemptID]*engine.Outcome{}, called: map[engine.AttemptID]bool{}, flying: map[engine.AttemptID]*call{},
	}
}

// owns says whether the last claim of a run is this one: worker, epoch and carrier.
func (o *owned) owns(r *engine.Run, w *worker) bool {
	return r.OwnedBy(w.id, o.epoch) && r.CarriedBy(o.m.in.name, o.m.seq)
}

func (o *owned) stored() {
	o.born = true
	o.leave()
}

// look says that the history has news, and ends the calls that are of no use.
func (o *owned) look(end bool) {
	o.news = true
	if end {
		for _, id := range sortedIDs(o.flying) {
			o.flying[id].interrupt()
		}
	}
	o.nudge()
}

// nudge lets a carry go on that stands still.
func (o *owned) nudge() {
	if o.idle {
		o.p.poke()
	}
}

// enter waits until no other handler of the run is inside.
func (p *proc) enter(run string) (leave func()) {
	w := p.w
	t := w.busy[run]
	if t == nil {
		t = &turnstile{}
		w.busy[run] = t
	}
	t.queue = append(t.queue, p)
	for t.queue[0] != p {
		p.block()
	}
	left := false
	return func() {
		if left {
			return
		}
		left = true
		if t.queue = t.queue[1:]; len(t.queue) > 0 {
			t.queue[0].poke()
		} else {
			delete(w.busy, run)
		}
	}
}

package simulation

import (
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// mark names a server's life and a connection to it.
type mark struct{ life, link int }

// link is a connection to the server. Somebody outside of all workers has one too.
type link struct {
	mark
	up  bool
	cut time.Duration // no connection before
}

func (l *link) now() mark {
	if !l.up {
		return mark{0, l.link}
	}
	return l.mark
}

// lose breaks a connection; a new one is made as soon as that is possible.
func (s *sim) lose(l *link, ready func()) {
	if !l.up {
		return
	}
	l.up = false
	var again func()
	again = func() {
		if !s.server.up || l.cut > s.now {
			s.after(s.between(50*time.Millisecond, 350*time.Millisecond), again)
			return
		}
		l.mark, l.up = mark{s.server.life, l.link + 1}, true
		ready()
	}
	s.after(s.between(100*time.Millisecond, 350*time.Millisecond), again)
}

func (p *proc) line() *link {
	if p.w != nil {
		return &p.w.link
	}
	return p.s.outside
}

// impatience is how long an answer is waited for.
const impatience = 2 * time.Second

// ask is one request to the server, and the scheduling point at which anything may
// happen: it is not sent, or lost, or done and its answer lost; the asker dies
// before or after; or it is done long after the asker gave up.
func (p *proc) ask(what string, apply func() error) error {
	s, l := p.s, p.line()
	s.effects++
	sent := l.now()
	if !l.up || s.fault(s.refuse) {
		p.pause(s.between(time.Millisecond, 50*time.Millisecond))
		fail(errUnknown)
	}
	begun, done := s.now, false
	var err error
	finish := func(e error) {
		if !done {
			done, err = true, e
			p.poke()
		}
	}
	s.after(s.latency(), func() {
		late := func() { s.at(todo{at: begun + impatience, f: func() { finish(errUnknown) }}) }
		if !s.server.up || l.now() != sent || s.fault(s.unsent) {
			s.say("%s: %s is lost", p.who, what)
			late()
			return
		}
		if s.dies(p) {
			return
		}
		e := apply()
		if what != putting {
			s.say("%s: %s%s", p.who, what, says(e))
		}
		if s.dies(p) {
			return
		}
		if p.w != nil && s.fault(s.freeze) {
			s.stopWorker(p.w)
		}
		took := s.latency()
		if s.fault(s.unanswered) || s.now+took > begun+impatience {
			s.say("%s: the answer to %s is lost", p.who, what)
			late()
			return
		}
		s.after(took, func() {
			if l.now() != sent {
				e = errUnknown
			}
			finish(e)
		})
	})
	for !done {
		p.block()
	}
	if errors.Is(err, errUnknown) {
		fail(err)
	}
	return err
}

func says(err error) string {
	if err != nil {
		return ": " + err.Error()
	}
	return ""
}

// must is ask for what cannot be refused.
func (p *proc) must(what string, apply func()) {
	_ = p.ask(what, func() error { apply(); return nil })
}

// get reads the entry of a key.
func (p *proc) get(bucket, key string) (value any, revision uint64) {
	p.must("reads "+bucket+" "+key, func() {
		if m := p.s.server.streams[bucket].head(key); m != nil {
			value, revision = m.body, m.seq
		}
	})
	return value, revision
}

// swap replaces what was read of a key.
func (p *proc) swap(bucket, key string, revision uint64, next any) {
	if err := p.ask("swaps "+bucket+" "+key, func() error { return p.s.server.swap(bucket, key, revision, next) }); err != nil {
		fail(err)
	}
}

// pass waits until all of a stream is durable; unknown where the server or the
// connection is not the one of the mark.
func (p *proc) pass(stream string, m mark) {
	p.must("flushes "+stream, func() { p.s.server.streams[stream].flush() })
	if p.line().now() != m {
		fail(errUnknown)
	}
}

// durably does something to a bucket until it does not conflict, and all of it is
// durable.
func (p *proc) durably(bucket string, do func()) {
	for {
		m := p.line().now()
		err := p.try(func() { do(); p.pass(bucket, m) })
		switch {
		case err == nil:
			return
		case !errors.Is(err, errConflict) && p.line().now() == m:
			fail(err)
		}
		p.pause(p.s.between(time.Millisecond, 20*time.Millisecond))
	}
}

// appended is an append to a history, as RUNS has it.
type appended struct {
	data   []byte
	number uint64
	state  engine.State
	owner  string // what the headers tell
	place  uint64
	queued bool
	by     string
}

func (a *appended) read() *v1.Facts {
	f := &v1.Facts{}
	if err := proto.Unmarshal(a.data, f); err != nil {
		panic(err)
	}
	return f
}

// cursor is where a run's history ends, as its holder knows it.
type cursor struct {
	seq, number uint64
	sent        time.Duration
	mark        mark
}

// loaded is a run as it stands in the history.
type loaded struct {
	run    *engine.Run
	cursor cursor
}

func (p *proc) load(run string) *loaded {
	l := &loaded{run: engine.NewRun(run)}
	l.cursor.mark = p.line().now()
	var all []*message
	p.must("loads "+short(run), func() { all = append(all, p.s.server.streams[runs].of[run]...) })
	place, err := replay(l.run, all)
	if err != nil {
		p.s.broken("replaying %s: %v", short(run), err)
		panic(killed{})
	}
	if n := len(all); n > 0 {
		l.cursor.seq, l.cursor.number = all[n-1].seq, all[n-1].body.(*appended).number
		l.run.QueuedAt(place)
	}
	return l
}

// replay folds a history, and returns the sequence of the last append that queued it.
func replay(run *engine.Run, all []*message) (place uint64, err error) {
	appends := make([]*v1.Facts, len(all))
	for i, m := range all {
		appends[i] = m.body.(*appended).read()
		for _, f := range appends[i].Facts {
			if f.GetGateQueued() != nil {
				place = m.seq
			}
		}
	}
	return place, run.Replay(appends)
}

// append stores facts that the run has applied already, and moves its cursor.
func (p *proc) append(l *loaded, facts []*v1.Fact) {
	data, err := proto.Marshal(&v1.Facts{Number: l.cursor.number + 1, Epoch: l.run.Epoch(), Facts: facts, State: string(l.run.State)})
	if err != nil {
		panic(err)
	}
	a := &appended{data: data, number: l.cursor.number + 1, state: l.run.State, owner: l.run.Claim.GetWorker(), by: p.who}
	if g := l.run.Gate; g != nil {
		a.place, a.queued = g.Place, !g.Entered
	}
	next := cursor{number: a.number, sent: p.s.now, mark: p.line().now()}
	err = p.ask("appends to "+short(l.run.ID()), func() error {
		st := p.s.server.streams[runs]
		if m := st.head(l.run.ID()); m == nil && l.cursor.seq != 0 || m != nil && m.seq != l.cursor.seq {
			return errConflict
		}
		next.seq = p.s.server.store(runs, l.run.ID(), a).seq
		p.s.truth.appended(st.head(l.run.ID()))
		return nil
	})
	if err != nil {
		fail(err)
	}
	l.cursor = next
	l.run.QueuedAt(next.seq)
}

func short(run string) string { return run[:min(6, len(run))] }

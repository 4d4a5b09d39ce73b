package simulation

import (
	"maps"
	"slices"
	"time"

	v1 "zflow/proto/zflow/v1"
)

// message is one of a stream; of a bucket, an entry as it was put.
type message struct {
	in      *stream
	seq     uint64
	subject string
	body    any // of a bucket: nil where the entry was removed
	at      time.Duration
	gone    bool // acknowledged, purged or fired
}

// stream is a stream of the server, or a bucket.
type stream struct {
	name    string
	all     []*message // all[i].seq is i+1
	of      map[string][]*message
	flushed uint64
	removed []*message // since the last flush
}

func (st *stream) last() uint64 { return uint64(len(st.all)) }

// head returns the last message of a subject that is there, or nil.
func (st *stream) head(subject string) *message {
	of := st.of[subject]
	for i := len(of) - 1; i >= 0; i-- {
		if !of[i].gone {
			return of[i]
		}
	}
	return nil
}

func (st *stream) remove(m *message) {
	if !m.gone {
		m.gone = true
		st.removed = append(st.removed, m)
	}
}

func (st *stream) flush() { st.flushed, st.removed = st.last(), nil }

// cut is what a power failure leaves of a stream: what was flushed, and as much of
// the rest as chance has it.
func (st *stream) cut(s *sim) {
	keep := st.flushed
	if n := st.last() - keep; n > 0 && s.chance(.5) {
		keep += s.rng.Uint64N(n + 1)
	}
	for _, m := range st.all[keep:] {
		st.of[m.subject] = slices.DeleteFunc(st.of[m.subject], func(x *message) bool { return x == m })
		m.gone = true
	}
	for _, m := range st.removed {
		if m.seq <= keep && s.chance(.5) {
			m.gone = false
		}
	}
	st.all = st.all[:keep]
	st.flush()
}

// Names of streams and buckets.
const (
	events     = "EVENTS"
	runs       = "RUNS"
	wakes      = "WAKES"
	leases     = "LEASES"
	gateBucket = "GATES"
	waiters    = "WAITERS"
	once       = "ONCE"
)

var streams = []string{events, runs, wakes, leases, gateBucket, waiters, once}

// server is a JetStream server in memory.
type server struct {
	s         *sim
	up        bool
	life      int // the server's id
	streams   map[string]*stream
	consumers []*consumer
	ids       map[string]bool // of events and commands that it has seen lately
}

func newServer(s *sim) *server {
	v := &server{s: s, up: true, life: 1, streams: map[string]*stream{}, ids: map[string]bool{}}
	for _, name := range streams {
		v.streams[name] = &stream{name: name, of: map[string][]*message{}}
	}
	return v
}

func (v *server) store(in, subject string, body any) *message {
	st := v.streams[in]
	m := &message{in: st, seq: st.last() + 1, subject: subject, body: body, at: v.s.now}
	st.all = append(st.all, m)
	st.of[subject] = append(st.of[subject], m)
	for _, c := range v.consumers {
		if c.st == st && c.takes(m) {
			v.s.after(0, c.dispatch)
		}
	}
	return m
}

// swap replaces an entry of a bucket if its revision is still this one.
func (v *server) swap(bucket, key string, revision uint64, next any) error {
	have := uint64(0)
	if m := v.streams[bucket].head(key); m != nil {
		have = m.seq
	}
	if have != revision {
		return errConflict
	}
	v.store(bucket, key, next)
	return nil
}

// purge removes what a subject has.
func (v *server) purge(in, subject string) {
	for _, m := range v.streams[in].of[subject] {
		v.streams[in].remove(m)
	}
}

// timer is a message that becomes a wake at its time.
type timer struct {
	due  time.Duration
	wake any
	to   string // subject of the wake
}

// schedule sets a timer in place of the one that its subject has.
func (v *server) schedule(subject string, t timer) {
	v.purge(wakes, subject)
	m := v.store(wakes, subject, t)
	v.s.at(todo{at: t.due, f: func() { v.fire(m) }})
}

func (v *server) fire(m *message) {
	if m.gone || !v.up {
		return // a start looks at all timers
	}
	t := m.body.(timer)
	v.streams[wakes].remove(m)
	v.store(wakes, t.to, t.wake)
}

// fall ends the server: it was killed, or its machine lost power.
func (v *server) fall(power bool) {
	v.up = false
	for _, name := range streams {
		if st := v.streams[name]; power {
			st.cut(v.s)
		}
	}
	for _, c := range v.consumers {
		c.fell(power)
	}
	if power {
		v.remember()
		v.s.truth.reload(v)
	}
}

// remember reads from the streams which ids are known.
func (v *server) remember() {
	clear(v.ids)
	for _, m := range v.streams[events].all {
		v.ids[m.body.(*event).ID] = true
	}
	for _, m := range v.streams[wakes].all {
		if c, ok := m.body.(*v1.Command); ok {
			v.ids[c.Id] = true
		}
	}
}

func (v *server) start() {
	v.up = true
	v.life++
	v.s.say("server %d starts", v.life)
	for _, m := range v.streams[wakes].all {
		if t, ok := m.body.(timer); ok && !m.gone {
			v.s.at(todo{at: t.due, f: func() { v.fire(m) }})
		}
	}
	for _, c := range v.consumers {
		for seq := range c.pending {
			c.pending[seq] = v.s.now + ackWait
		}
		v.s.after(ackWait, c.dispatch)
		v.s.after(0, c.dispatch)
	}
}

const ackWait = 10 * time.Second

// consumer hands out the messages of a stream, each to one worker, until it is
// acknowledged.
type consumer struct {
	name    string
	s       *sim
	st      *stream
	takes   func(*message) bool
	most    int // unacknowledged at a time
	handle  func(*proc, *delivery)
	floor   uint64                   // all before it were acknowledged
	pending map[uint64]time.Duration // when it is delivered again
	acked   map[uint64]bool
	unsaved []uint64 // acknowledgements that a crash may take
	times   map[uint64]int
}

func (v *server) consumer(c consumer, in string) {
	c.s, c.st, c.floor = v.s, v.streams[in], 1
	c.pending, c.acked, c.times = map[uint64]time.Duration{}, map[uint64]bool{}, map[uint64]int{}
	v.consumers = append(v.consumers, &c)
}

// ready returns what may be delivered now: the first few, in order.
func (c *consumer) ready() []*message {
	var all []*message
	held := 0
	for seq, again := range c.pending {
		if again > c.s.now && seq <= c.st.last() {
			held++
		}
	}
	for c.floor <= c.st.last() && (c.acked[c.floor] || c.st.all[c.floor-1].gone || !c.takes(c.st.all[c.floor-1])) {
		delete(c.pending, c.floor)
		c.floor++
	}
	for seq := c.floor; seq <= c.st.last() && len(all) < 3; seq++ {
		m := c.st.all[seq-1]
		again, was := c.pending[seq]
		switch {
		case m.gone || c.acked[seq] || !c.takes(m), was && again > c.s.now:
		case held+len(all) < c.most:
			all = append(all, m)
		}
	}
	return all
}

// dispatch delivers what is ready to workers that ask for it.
func (c *consumer) dispatch() {
	if !c.s.server.up {
		return
	}
	for all := c.ready(); len(all) > 0; all = c.ready() {
		w := c.s.somebody()
		if w == nil {
			c.s.after(500*time.Millisecond, c.dispatch)
			return
		}
		i := 0
		if c.most > 1 && c.s.fault(c.s.reorder) {
			i = c.s.rng.IntN(len(all))
		}
		c.deliver(w, all[i])
	}
}

func (c *consumer) deliver(w *worker, m *message) {
	c.times[m.seq]++
	again := ackWait
	if c.s.fault(c.s.duplicate) {
		again = c.s.between(0, 3*time.Second)
	}
	c.pending[m.seq] = c.s.now + again
	c.s.after(again, c.dispatch)
	d := &delivery{message: m, from: c, asked: c.s.now - c.s.between(0, time.Second), mark: w.mark(), first: c.times[m.seq] == 1}
	c.s.after(c.s.latency(), func() {
		if w.dead || w.mark() != d.mark {
			return
		}
		d.read()
		if w.stopped > c.s.now { // it reads it when it goes on
			c.s.after(w.stopped-c.s.now, func() { w.take(d) })
			return
		}
		w.take(d)
	})
}

func (c *consumer) progress(seq uint64) {
	if _, ok := c.pending[seq]; ok {
		c.pending[seq] = c.s.now + ackWait
		c.s.after(ackWait, c.dispatch)
	}
}

func (c *consumer) ack(m *message, who string) {
	if m.seq > c.st.last() || c.st.all[m.seq-1] != m {
		return
	}
	c.s.say("%s acks %s %d (%s)", who, c.st.name, m.seq, c.name)
	delete(c.pending, m.seq)
	c.acked[m.seq] = true
	c.unsaved = append(c.unsaved, m.seq)
	if len(c.unsaved) > 4 {
		c.unsaved = c.unsaved[2:]
	}
	if c.st.name == wakes {
		c.st.remove(m)
	}
	c.s.after(0, c.dispatch)
}

// fell is what a crash of the server leaves of the consumer's state.
func (c *consumer) fell(power bool) {
	for _, seq := range c.unsaved {
		if seq <= c.st.last() && c.s.chance(.5) {
			delete(c.acked, seq)
			c.floor = min(c.floor, seq)
		}
	}
	c.unsaved = nil
	if c.s.chance(.5) { // nor how often it delivered what
		clear(c.times)
	}
	c.floor = min(c.floor, c.st.last()+1)
	if power {
		c.floor = 1
		late := func(seq uint64) bool { return seq > c.st.last() }
		back := func(seq uint64) bool { return c.st.name == wakes && !c.st.all[seq-1].gone } // its removal was not on disk
		maps.DeleteFunc(c.acked, func(seq uint64, _ bool) bool { return late(seq) || back(seq) })
		maps.DeleteFunc(c.pending, func(seq uint64, _ time.Duration) bool { return late(seq) })
		maps.DeleteFunc(c.times, func(seq uint64, _ int) bool { return late(seq) })
	}
}

// left says whether a message was not acknowledged.
func (c *consumer) left() *message {
	for _, m := range c.st.all {
		if c.takes(m) && !m.gone && !c.acked[m.seq] {
			return m
		}
	}
	return nil
}

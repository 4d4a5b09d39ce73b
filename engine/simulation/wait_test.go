package simulation

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"zflow/engine"
	"zflow/engine/waits"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// This is rule 10, waits, and who is woken by what.

// keys is maps.Keys; what depends on the order sorts them.
func keys[K comparable, V any](m map[K]V) func(func(K) bool) { return maps.Keys(m) }

func (p *proc) wake(workflow, run string, w *v1.Wake) {
	m := p.line().now()
	p.must("wakes "+short(run)+": "+w.Reason, func() { p.s.server.store(wakes, proto.WakeSubject(workflow, run), w) })
	p.pass(wakes, m)
}

func (p *proc) command(workflow, run string, c *v1.Command) {
	m := p.line().now()
	p.must("orders "+c.Kind+" to "+short(run), func() {
		if v := p.s.server; !v.ids[c.Id] {
			v.ids[c.Id] = true
			v.store(wakes, proto.CommandSubject(workflow, run), c)
		}
	})
	p.pass(wakes, m)
}

func (p *proc) setTimer(workflow, run string, fact uint64, due time.Time) {
	m := p.line().now()
	t := timer{due: due.Sub(epoch), wake: &v1.Wake{Reason: "timer", Fact: fact}, to: proto.WakeSubject(workflow, run)}
	p.must("sets a timer of "+short(run), func() { p.s.server.schedule(proto.TimerSubject(workflow, run, fact), t) })
	p.pass(wakes, m)
}

func (p *proc) dropTimer(workflow, run string, fact uint64) {
	p.must("drops a timer of "+short(run), func() { p.s.server.purge(wakes, proto.TimerSubject(workflow, run, fact)) })
}

// waiting is one that waits in an entry, with the sequences that came for it.
type waiting struct {
	wait waits.Wait
	came []uint64
}

// waitersOf are the registrations of a wait: one for each type of event.
func waitersOf(r *engine.Run, w engine.OpenWait) (all []waits.Waiter) {
	for i, a := range w.Of {
		match := map[string]string{}
		for _, m := range a.Match {
			match[m.Path] = m.Value
		}
		for _, t := range a.Types {
			all = append(all, waits.Waiter{
				Wait:   waits.Wait{Workflow: r.Start.Workflow, Run: r.ID(), Fact: w.Fact, Alternative: uint32(i)},
				Source: a.Source, Type: t, Match: match,
			})
		}
	}
	return all
}

// keyOf is where a waiter's entry is; all flows match on one path, n.
func keyOf(source, eventType, n string) string {
	return proto.WaitKey(source, eventType, []string{"n"}, []string{n})
}

// change edits the entry of a key, durably or not.
func (p *proc) change(key string, edit func([]waiting) []waiting) {
	value, revision := p.get(waiters, key)
	old, _ := value.([]waiting)
	next := edit(slices.Clone(old))
	if same := slices.EqualFunc(old, next, func(a, b waiting) bool { return a.wait == b.wait && slices.Equal(a.came, b.came) }); !same {
		p.swap(waiters, key, revision, orNil(next))
	}
}

// orNil removes an entry that has nothing.
func orNil[T any](list []T) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// await makes events come to a wait: those from now on, and those that came before.
func (p *proc) await(r *engine.Run, w engine.OpenWait) {
	mine := waitersOf(r, w)
	at := looked{p.line().now().life, r.ID(), w.Fact}
	if len(mine) == 0 || p.w.looked[at] {
		return
	}
	last := uint64(0)
	readLast := func() {
		p.must("reads the last sequence of EVENTS", func() { last = p.s.server.streams[events].last() })
	}
	if p.s.plant == looksFirst {
		readLast()
	}
	p.durably(waiters, func() {
		for _, x := range mine {
			p.register(x)
		}
	})
	if p.s.plant != looksFirst {
		readLast()
	}
	if p.s.plant != looksNever {
		p.lookBack(mine, time.Unix(0, w.Since).Sub(epoch), last)
	}
	p.w.looked[at] = true
}

// looked is a wait whose past a worker has looked through, on one server.
type looked struct {
	life int
	run  string
	fact uint64
}

func (p *proc) register(x waits.Waiter) {
	paths := proto.PathsKey(x.Source, x.Type)
	if value, revision := p.get(waiters, paths); value == nil {
		p.swap(waiters, paths, revision, true)
	}
	p.change(keyOf(x.Source, x.Type, x.Match["n"]), func(e []waiting) []waiting {
		if slices.ContainsFunc(e, func(at waiting) bool { return at.wait == x.Wait }) {
			return e
		}
		return append(e, waiting{wait: x.Wait})
	})
}

// lookBack brings the events of the past that waiters want, up to a sequence.
func (p *proc) lookBack(mine []waits.Waiter, since time.Duration, last uint64) {
	var past []*message
	p.must("scans EVENTS", func() {
		st := p.s.server.streams[events]
		for _, m := range st.all[:min(last, st.last())] {
			if m.at >= since {
				past = append(past, m)
			}
		}
	})
	for _, m := range past {
		e := m.body.(*event)
		if slices.ContainsFunc(mine, func(x waits.Waiter) bool { return x.Wants(e.Kind(), e.Type, e.Body) }) {
			p.bring(m)
		}
	}
}

// bring notes an event beside those who wait for it, and wakes them.
func (p *proc) bring(m *message) {
	e := m.body.(*event)
	if value, _ := p.get(waiters, proto.PathsKey(e.Kind(), e.Type)); value == nil {
		return
	}
	key := keyOf(e.Kind(), e.Type, number(e.Body))
	if value, _ := p.get(waiters, key); value == nil {
		return
	}
	link := p.line().now()
	p.pass(events, link)
	var woken []waits.Wait
	p.durably(waiters, func() {
		p.change(key, func(all []waiting) []waiting {
			woken = nil
			for i, x := range all {
				woken = append(woken, x.wait)
				if !slices.Contains(x.came, m.seq) {
					all[i].came = append(slices.Clone(x.came), m.seq)
				}
			}
			return all
		})
	})
	for _, x := range woken {
		p.wake(x.Workflow, x.Run, &v1.Wake{Reason: "arrival", Fact: x.Fact, Sequence: m.seq, Alternative: x.Alternative})
	}
}

// number is the n of a body, as text.
func number(body []byte) string {
	var b struct{ N json.Number }
	_ = json.Unmarshal(body, &b)
	return b.N.String()
}

// arrival returns the fact that ends a wait for which an event came, if one did.
func (p *proc) arrival(r *engine.Run, now time.Time) *v1.Fact {
	for _, open := range r.Waits() {
		for _, x := range waitersOf(r, open) {
			if f := p.arrived(r, open, x, now); f != nil {
				return f
			}
		}
	}
	return nil
}

func (p *proc) arrived(r *engine.Run, open engine.OpenWait, x waits.Waiter, now time.Time) *v1.Fact {
	key := keyOf(x.Source, x.Type, x.Match["n"])
	value, _ := p.get(waiters, key)
	all, _ := value.([]waiting)
	i := slices.IndexFunc(all, func(at waiting) bool { return at.wait == x.Wait })
	if i < 0 || len(all[i].came) == 0 {
		return nil
	}
	for _, seq := range all[i].came {
		var m *message
		p.must("reads an event", func() {
			if st := p.s.server.streams[events]; seq <= st.last() {
				m = st.all[seq-1]
			}
		})
		if m == nil || m.body.(*event).ReceivedAt.UnixNano() < open.Since {
			continue
		}
		e := m.body.(*event)
		f, err := r.Arrive(flows[r.Start.Workflow], now, engine.Arrived{Fact: open.Fact, Alternative: int(x.Alternative), Sequence: seq, EventID: e.ID, Body: e.Body})
		if err != nil {
			panic(err)
		}
		if f != nil {
			return f
		}
	}
	p.durably(waiters, func() { // none ended the wait
		p.change(key, func(now []waiting) []waiting {
			for j := range now {
				if now[j].wait == x.Wait {
					now[j].came = slices.DeleteFunc(slices.Clone(now[j].came), func(seq uint64) bool { return slices.Contains(all[i].came, seq) })
				}
			}
			return now
		})
	})
	return nil
}

// dropWaits ends the registrations of waits that ended.
func (p *proc) dropWaits(r *engine.Run) {
	for _, over := range r.WaitsOver() {
		for _, x := range waitersOf(r, over) {
			p.durably(waiters, func() {
				p.change(keyOf(x.Source, x.Type, x.Match["n"]), func(e []waiting) []waiting {
					return slices.DeleteFunc(e, func(at waiting) bool { return at.wait == x.Wait })
				})
			})
		}
	}
}

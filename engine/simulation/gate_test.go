package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zflow/engine"
	"zflow/engine/gates"
	"zflow/engine/queue"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// This is rule 9, the queues of concurrency keys, and once of rule 16.

func placeOf(r *engine.Run) gates.Place {
	return gates.Place{Sequence: r.Gate.Place, Workflow: r.Start.Workflow, Run: r.ID()}
}

// stand makes sure that a queued run has its place, lets in whom there is room for,
// and says whether it may enter.
func (p *proc) stand(l *loaded) (inside bool) {
	p.pass(runs, l.cursor.mark)
	gate, own := l.run.Gate.Gate, placeOf(l.run)
	p.durably(gateBucket, func() {
		key := proto.PlaceKey(gate, own.Sequence)
		if value, revision := p.get(gateBucket, key); value == nil {
			p.swap(gateBucket, key, revision, own)
		}
	})
	if inside = p.admit(l.run, own); inside {
		return true
	}
	if engine.Busy(l.run.Gate.WhenBusy) == engine.BusyReplace {
		p.replace(gate, own)
	}
	return false
}

// leave takes an ended run out of its gate, and lets in who is next.
func (p *proc) leave(r *engine.Run) {
	gate, own := r.Gate.Gate, placeOf(r)
	p.durably(gateBucket, func() {
		p.must("leaves its place at "+gate, func() { p.s.server.purge(gateBucket, proto.PlaceKey(gate, own.Sequence)) })
		holders, revision := p.holders(gate)
		if slices.Contains(holders, own) {
			p.setHolders(gate, revision, slices.DeleteFunc(slices.Clone(holders), func(h gates.Place) bool { return h == own }))
		}
	})
	p.admit(r, own)
}

func (p *proc) holders(gate string) ([]gates.Place, uint64) {
	value, revision := p.get(gateBucket, proto.HoldersKey(gate))
	holders, _ := value.([]gates.Place)
	return holders, revision
}

func (p *proc) setHolders(gate string, revision uint64, holders []gates.Place) {
	p.swap(gateBucket, proto.HoldersKey(gate), revision, orNil(holders))
}

// admission is one try to let runs in.
type admission struct {
	*proc
	gate    string
	limit   int
	asked   map[gates.Place]bool // whether it is over
	queued  map[gates.Place]bool
	holders []gates.Place
}

func (p *proc) admit(r *engine.Run, own gates.Place) (inside bool) {
	a := &admission{proc: p, gate: r.Gate.Gate, limit: max(int(r.Gate.Limit), 1), asked: map[gates.Place]bool{}, queued: map[gates.Place]bool{}}
	p.durably(gateBucket, a.once)
	for _, h := range a.holders {
		if h != own && a.queued[h] {
			p.wake(h.Workflow, h.Run, &v1.Wake{Reason: "gate"})
		}
	}
	return slices.Contains(a.holders, own)
}

func (a *admission) once() {
	before, revision := a.proc.holders(a.gate)
	a.holders = nil
	for _, h := range before {
		if !a.over(h) {
			a.holders = append(a.holders, h)
		}
	}
	for _, sequence := range a.places(a.gate) {
		if len(a.holders) >= a.limit {
			break
		}
		if !slices.ContainsFunc(a.holders, func(h gates.Place) bool { return h.Sequence == sequence }) {
			a.letIn(sequence)
		}
	}
	if !slices.Equal(a.holders, before) {
		a.setHolders(a.gate, revision, slices.Clone(a.holders))
	}
}

func (a *admission) letIn(sequence uint64) {
	value, _ := a.get(gateBucket, proto.PlaceKey(a.gate, sequence))
	at, there := value.(gates.Place)
	switch {
	case !there:
	case a.over(at):
		a.must("removes a place that is over", func() { a.s.server.purge(gateBucket, proto.PlaceKey(a.gate, sequence)) })
	default:
		a.holders = append(a.holders, at)
	}
}

// over says whether a run no longer needs its place, durably.
func (a *admission) over(at gates.Place) bool {
	if over, known := a.asked[at]; known {
		return over
	}
	m := a.line().now()
	var last *message
	a.must("looks at the head of "+short(at.Run), func() { last = a.s.server.streams[runs].head(at.Run) })
	over := true
	if last != nil {
		h := last.body.(*appended)
		place := h.place
		if place == 0 && h.queued {
			place = last.seq
		}
		over = place != at.Sequence || h.state.Ended()
		a.queued[at] = h.queued
	}
	if a.s.plant == dropsHolder && !a.queued[at] {
		over = true
	}
	if over {
		a.pass(runs, m)
	}
	a.asked[at] = over
	return over
}

// places returns the places of a gate, the lowest first.
func (p *proc) places(gate string) (all []uint64) {
	p.must("lists the places of "+gate, func() {
		st := p.s.server.streams[gateBucket]
		for key := range st.of {
			n, err := strconv.ParseUint(strings.TrimPrefix(key, gate+"."), 10, 64)
			if err == nil && st.head(key) != nil {
				all = append(all, n)
			}
		}
	})
	slices.Sort(all)
	return all
}

// replace cancels those that came before a run.
func (p *proc) replace(gate string, own gates.Place) {
	ahead := map[gates.Place]bool{}
	holders, _ := p.holders(gate)
	for _, h := range holders {
		ahead[h] = true
	}
	for _, sequence := range p.places(gate) {
		value, _ := p.get(gateBucket, proto.PlaceKey(gate, sequence))
		if at, ok := value.(gates.Place); ok {
			ahead[at] = true
		}
	}
	for _, at := range slices.SortedFunc(keys(ahead), func(a, b gates.Place) int { return int(a.Sequence) - int(b.Sequence) }) {
		if at.Sequence < own.Sequence && at.Run != own.Run {
			p.command(at.Workflow, at.Run, &v1.Command{Id: fmt.Sprintf("%s.%d.replaces.%d", own.Run, own.Sequence, at.Sequence), Kind: "cancel",
				By: "run " + own.Run, Reason: "run " + own.Run + " replaces it"})
		}
	}
}

// lostTo returns the event that was the first of a trigger's once, "" if it is this.
func (p *proc) lostTo(w *engine.Workflow, t *engine.Trigger, e *v1.Event) (by string, broken error) {
	text, broken := queue.Text(w, e, t.Once.Key)
	if broken != nil {
		return "", broken
	}
	key := proto.OnceKey(w.Name, t.Source, text)
	p.durably(once, func() {
		value, revision := p.get(once, key)
		if by, _ = value.(string); by == "" {
			p.swap(once, key, revision, e.Id)
			by = e.Id
		}
	})
	if by == e.Id {
		by = ""
	}
	return by, nil
}

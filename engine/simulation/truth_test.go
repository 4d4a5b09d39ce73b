package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// truth is what the histories say, folded as they grow, and what was promised to
// those outside.
type truth struct {
	s        *sim
	folds    map[string]*fold
	again    map[string]bool      // runs that were retried
	accepted map[string]time.Time // events that were acknowledged to their source
	ordered  []order
	firsts   map[string]uint64 // of a gate: the highest event that queued
}

// fold is a run, and where its history ends.
type fold struct {
	run  *engine.Run
	last uint64
}

// order is a command that was acknowledged to whoever gave it to an open run.
type order struct{ run, id string }

func (t *truth) run(id string) *engine.Run {
	if f := t.folds[id]; f != nil {
		return f.run
	}
	return nil
}

// all returns the folds in the order of their ids.
func (t *truth) all() []*fold {
	all := make([]*fold, 0, len(t.folds))
	for _, id := range slices.Sorted(maps.Keys(t.folds)) {
		all = append(all, t.folds[id])
	}
	return all
}

// appended folds what a history has grown by, and checks that it may.
func (t *truth) appended(m *message) {
	f := t.folds[m.subject]
	if f == nil {
		f = &fold{run: engine.NewRun(m.subject)}
		t.folds[m.subject] = f
	}
	a := m.body.(*appended)
	facts := a.read()
	if f.run.Facts > 0 && f.run.State == engine.Waiting && facts.Facts[0].Claim == nil && a.state == engine.Running {
		t.s.broken("%s makes %s run that is parked, and claims nothing", a.by, short(m.subject))
	}
	for _, x := range facts.Facts {
		t.s.say("    %s: %d %s %s%s", short(m.subject), x.Number, engine.Kind(x), x.Step, claims(x))
		t.timing(f.run, x)
		if x.GetRunRetried() != nil {
			t.again[m.subject] = true
		}
		if x.GetGateEntered() != nil {
			t.order(f.run)
		}
		if e := x.GetWaitEnded(); e.GetSequence() > 0 {
			t.arrival(f.run, e)
		}
		if err := f.run.Apply(x); err != nil {
			t.s.broken("%s appends what cannot follow: %v", a.by, err)
			return
		}
	}
	if x := facts.Facts[len(facts.Facts)-1]; x.GetTimerSet() != nil || x.GetWaitStarted() != nil {
		if len(f.run.Waits()) > 0 {
			t.s.races(f.run)
		}
	}
	_ = f.run.Replay([]*v1.Facts{{State: facts.State}}) // the state, after all of its facts
	f.run.QueuedAt(m.seq)
	f.last = m.seq
	t.gate(f.run)
}

func claims(x *v1.Fact) string {
	if c := x.Claim; c != nil {
		return fmt.Sprintf(" (%s claims %s %d, epoch %d)", c.Worker, c.Stream, c.Sequence, c.Epoch)
	}
	return ""
}

// timing checks that a fact is not of the future, and no timer early.
func (t *truth) timing(r *engine.Run, x *v1.Fact) {
	if early := x.At - t.s.clock().UnixNano(); early > 0 {
		t.s.broken("fact %d of %s is dated %v ahead of the time", x.Number, short(r.ID()), time.Duration(early))
	}
	due := int64(0)
	switch k := x.Kind.(type) {
	case *v1.Fact_TimerFired:
		if set := r.Timers[k.TimerFired.Timer]; set != nil {
			due = set.Due.UnixNano()
		} else if k.TimerFired.Timer == 0 {
			due = r.Start.Deadline
		}
	case *v1.Fact_StepStarted:
		if s := r.Steps[x.Step]; s != nil && s.Status == engine.StepRetrying {
			due = s.NextAt.UnixNano()
		}
	case *v1.Fact_WaitEnded:
		if s := r.Steps[x.Step]; s != nil && s.Wait != nil && k.WaitEnded.Outcome == "timeout" {
			due = s.Wait.Deadline
		}
	}
	if due > x.At {
		t.s.broken("%s of %s comes %v early", engine.Kind(x), short(r.ID()), time.Duration(due-x.At))
	}
}

// arrival checks that a wait was ended by an event that it was for.
func (t *truth) arrival(r *engine.Run, e *v1.WaitEnded) {
	all := t.s.server.streams[events].all
	if e.Sequence > uint64(len(all)) || all[e.Sequence-1].body.(*event).Type != "came" ||
		number(all[e.Sequence-1].body.(*event).Body) != number(r.Start.Event.Body.Json) {
		t.s.broken("a wait of %s is ended by event %d, which is not for it", short(r.ID()), e.Sequence)
	}
}

// order checks that no run enters its gate before those that are in line before it.
func (t *truth) order(r *engine.Run) {
	before := 0
	for _, f := range t.folds {
		if o := f.run; o.Queued() && o.Gate.Gate == r.Gate.Gate && !o.State.Ended() && o.Gate.Place < r.Gate.Place && o.Cancel == nil && !t.again[o.ID()] {
			before++
		}
	}
	if before >= int(r.Gate.Limit) && !t.again[r.ID()] {
		t.s.broken("%s enters its gate before %d that are in line before it", short(r.ID()), before)
	}
}

// gate checks that no more runs are inside a gate than its limit, and that they got
// in line in the order of their events.
func (t *truth) gate(r *engine.Run) {
	if r.Gate == nil {
		return
	}
	inside := 0
	for _, f := range t.folds {
		if o := f.run; o.Gate != nil && o.Gate.Gate == r.Gate.Gate && o.Gate.Entered && !o.State.Ended() {
			inside++
		}
	}
	if inside > int(r.Gate.Limit) {
		t.s.broken("%d runs are inside a gate of %d", inside, r.Gate.Limit)
	}
	if first := r.Start.Event.Sequence; r.Queued() && r.Facts == 2 {
		if t.firsts[r.Gate.Gate] > first {
			t.s.broken("the run of event %d gets in line after that of event %d", first, t.firsts[r.Gate.Gate])
		}
		t.firsts[r.Gate.Gate] = first
	}
}

// reload folds all histories anew: a power failure took some of them. What was
// promised must be there.
func (t *truth) reload(v *server) {
	t.folds, t.firsts = map[string]*fold{}, map[string]uint64{}
	for _, m := range v.streams[runs].all {
		f := t.folds[m.subject]
		if f == nil {
			f = &fold{run: engine.NewRun(m.subject)}
			t.folds[m.subject] = f
		}
		if err := f.run.Replay([]*v1.Facts{m.body.(*appended).read()}); err != nil {
			t.s.broken("after a power failure: %v", err)
			return
		}
		f.run.QueuedAt(m.seq)
		f.last = m.seq
	}
	t.kept()
}

// kept checks that what was acknowledged to its source is there.
func (t *truth) kept() {
	there := map[string]bool{}
	for _, m := range t.s.server.streams[events].all {
		there[m.body.(*event).ID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(t.accepted)) {
		if !there[id] {
			t.s.broken("event %s was acknowledged to its source, and is gone", id)
		}
	}
}

// agrees checks that what an owner has in memory is what the history says.
func (t *truth) agrees(p *proc, r *engine.Run) {
	f := t.folds[r.ID()]
	if f == nil || f.run.Facts != r.Facts || !p.s.server.up || p.w.mark().life != p.s.server.life {
		return
	}
	if a, b := digest(r), digest(f.run); a != b {
		t.s.broken("%s has of %s in memory\n%s\nthe history says\n%s", p.who, short(r.ID()), a, b)
	}
}

// digest is a run in a few words.
func digest(r *engine.Run) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.State, r.Facts, r.At.UnixNano(), r.Epoch(), len(r.Timers), r.Queued(), r.Cancel != nil, r.Ending != nil)
	for _, path := range slices.Sorted(maps.Keys(r.Steps)) {
		if s := r.Steps[path]; s.Status != "" {
			fmt.Fprintln(&b, path, s.Status, s.Attempt, s.Probes, s.Outcome, s.NextAt.UnixNano(), s.Branch)
		}
	}
	return b.String()
}

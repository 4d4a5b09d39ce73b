package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/gates"
	"zflow/engine/waits"
	"zflow/proto"
)

// quietLasts is how long after the faults everything must have come to its end.
const quietLasts = 3 * time.Minute

// play plays a plan, and returns the rule that was broken, if one was.
func play(p plan) *sim {
	s := newSim(p)
	s.until(s.lasts, nil)
	if s.bad == "" {
		s.calm()
	}
	for left := "?"; s.bad == "" && left != ""; {
		if left = s.left(); left != "" && s.now > s.lasts+quietLasts {
			s.broken("after %v of quiet: %s", quietLasts, left)
		}
		s.until(s.now+time.Second, nil)
	}
	if s.bad == "" {
		s.truth.kept()
		s.promises()
	}
	s.end()
	return s
}

// calm ends the faults: no new ones come, and those there are pass.
func (s *sim) calm() {
	s.quiet = true
	s.say("--- from here on nothing fails")
}

// end lets go of all threads.
func (s *sim) end() {
	for _, w := range s.workers {
		if w != nil {
			for p := range w.procs {
				p.kill()
			}
		}
	}
	for p := range s.others {
		p.kill()
	}
}

// left says what has not come to its end; "": all has.
func (s *sim) left() string {
	if len(s.agenda) == 0 {
		return "nothing happens any more"
	}
	open := map[string]bool{}
	for _, f := range s.truth.all() {
		if f.run.State.Ended() {
			continue
		}
		open[f.run.ID()] = true
		if !s.rests(f.run) {
			return fmt.Sprintf("run %s of %s is %s, %s", short(f.run.ID()), f.run.Start.Workflow, f.run.State, standing(f.run))
		}
	}
	for _, c := range s.server.consumers {
		if m := c.left(); m != nil {
			return fmt.Sprintf("message %d of %s is not acknowledged by %s", m.seq, c.st.name, c.name)
		}
	}
	return s.leftInIndexes(open)
}

// standing says where the steps of a run are that have not ended.
func standing(r *engine.Run) string {
	text := ""
	for _, path := range sortedSteps(r) {
		if st := r.Steps[path].Status; st != "" && !st.Ended() {
			text += " " + path + " " + string(st)
		}
	}
	return strings.TrimSpace(text)
}

func sortedSteps(r *engine.Run) []string { return slices.Sorted(maps.Keys(r.Steps)) }

// rests says that a run waits, rightly, for an event that did not come.
func (s *sim) rests(r *engine.Run) bool {
	open := r.Waits()
	if r.State != engine.Waiting || len(open) == 0 || len(r.Timers) > 0 {
		return false
	}
	for _, w := range open {
		for _, x := range waitersOf(r, w) {
			for _, m := range s.server.streams[events].all {
				if e := m.body.(*event); x.Wants(e.Kind(), e.Type, e.Body) && e.ReceivedAt.UnixNano() >= w.Since {
					return false
				}
			}
		}
		if w.Approval != nil || len(waitersOf(r, w)) == 0 {
			return false
		}
	}
	return true
}

// leftInIndexes says what the indexes have that no open run needs. A timer may be
// left: who was slow may have set it when the run had ended. It fires in vain.
func (s *sim) leftInIndexes(open map[string]bool) string {
	for _, name := range []string{gateBucket, waiters} {
		st := s.server.streams[name]
		for _, key := range slices.Sorted(maps.Keys(st.of)) {
			m := st.head(key)
			if m == nil {
				continue
			}
			switch b := m.body.(type) {
			case gates.Place:
				return fmt.Sprintf("a place of run %s is left at a gate", short(b.Run))
			case []gates.Place:
				return fmt.Sprintf("run %s is left inside a gate", short(b[0].Run))
			case []waiting:
				for _, x := range b {
					if !open[x.wait.Run] && s.knows(x.wait) {
						return fmt.Sprintf("a registration of run %s is left", short(x.wait.Run))
					}
				}
			}
		}
	}
	return ""
}

// knows says that a run still names a wait: who was slow may have registered one of
// before it was retried.
func (s *sim) knows(w waits.Wait) bool {
	r := s.truth.run(w.Run)
	return r != nil && slices.ContainsFunc(r.WaitsOver(), func(o engine.OpenWait) bool { return o.Fact == w.Fact })
}

// promises checks what was promised: an accepted event has its runs, one each, and a
// command that was taken is in the history.
func (s *sim) promises() {
	for _, id := range slices.Sorted(maps.Keys(s.truth.accepted)) {
		for _, name := range flowNames {
			def := flows[name]
			e := &event{ID: id, Type: strings.Fields(id)[0], Source: "app"}
			for _, m := range s.server.streams[events].of[id] {
				e = m.body.(*event)
			}
			wanted := def.Triggers[0].Source == "app" && def.Triggers[0].Types[0] == e.Type && matches(def, e, eventOf(e)) >= 0
			if there := s.truth.run(proto.RunID(name, id)) != nil; there != wanted {
				s.broken("event %s: a run of %s is there: %v, wanted: %v", id, name, there, wanted)
			}
		}
	}
	for _, o := range s.truth.ordered {
		if r := s.truth.run(o.run); r == nil || !r.Knows(o.id) && !r.State.Ended() {
			s.broken("command %s to run %s was taken, and is nowhere", o.id, short(o.run))
		}
	}
}

package worker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"zflow/engine"
	"zflow/proto"
)

// stay is how long a run was inside its gate: from gate_entered to its end.
type stay struct {
	place     uint64
	event     int
	gate      string
	from, end int64
}

// stays reads the histories of a workflow's runs, of those that entered.
func (r *rig) stays(workflow string, ids []string) (all []stay) {
	r.t.Helper()
	for n, id := range ids {
		h, err := r.load(workflow, id)
		r.must(err)
		s := stay{event: n, end: 1 << 62}
		for _, a := range h.Appends {
			for _, f := range a.Facts {
				if e := f.GetGateEntered(); e != nil {
					s.place, s.gate, s.from = e.Place, e.Gate, f.At
				}
				if s.place > 0 && (f.GetRunCompleted() != nil || f.GetRunFailed() != nil || f.GetRunCanceled() != nil) {
					s.end = f.At
					all, s = append(all, s), stay{event: n, end: 1 << 62}
				}
			}
		}
	}
	return all
}

// checkStays holds stays against the limit of each gate and the order of events.
func checkStays(t testing.TB, all []stay, limit int) {
	t.Helper()
	for _, bad := range wrongStays(all, limit) {
		t.Error(bad)
	}
}

// wrongStays says what is wrong with stays: more are inside a gate than may be; an
// event has its place before one that came earlier; or one entered while as many
// as may be inside at a time, all with lower places, were not over. So runs go one
// after another in order where the limit is 1; of more that are let in together
// one may enter before another, whose wake is slow.
func wrongStays(all []stay, limit int) (bad []string) {
	byGate := map[string][]stay{}
	for _, s := range all {
		byGate[s.gate] = append(byGate[s.gate], s)
	}
	for gate, in := range byGate {
		slices.SortFunc(in, func(a, b stay) int { return int(a.place) - int(b.place) })
		for i, s := range in {
			if i > 0 && s.event < in[i-1].event {
				bad = append(bad, fmt.Sprintf("gate %s: event %d has a place before event %d", gate, in[i-1].event, s.event))
			}
			ahead, inside := 0, 0
			for k, o := range in {
				if k < i && s.from < o.end {
					ahead++
				}
				if o.from <= s.from && s.from < o.end {
					inside++
				}
			}
			if ahead >= limit {
				bad = append(bad, fmt.Sprintf("gate %s: place %d entered while %d runs with lower places were not over", gate, s.place, ahead))
			}
			if inside > limit {
				bad = append(bad, fmt.Sprintf("gate %s: %d runs are inside at a time, %d may be", gate, inside, limit))
			}
		}
	}
	return bad
}

func TestWrongStays(t *testing.T) {
	for name, c := range map[string]struct {
		all   []stay
		limit int
		wrong int
	}{
		"one after another":          {[]stay{{place: 1, from: 1, end: 2}, {place: 2, from: 2, end: 3}}, 1, 0},
		"out of order":               {[]stay{{place: 1, from: 2, end: 3}, {place: 2, from: 1, end: 2}}, 1, 1},
		"both inside":                {[]stay{{place: 1, from: 1, end: 3}, {place: 2, from: 2, end: 4}}, 1, 2},
		"both may be":                {[]stay{{place: 1, from: 2, end: 3}, {place: 2, from: 1, end: 4}}, 2, 0},
		"the third before the first": {[]stay{{place: 1, from: 5, end: 6}, {place: 2, from: 2, end: 7}, {place: 3, from: 1, end: 2}}, 2, 1},
		"the third after the second": {[]stay{{place: 1, from: 5, end: 6}, {place: 2, from: 1, end: 2}, {place: 3, from: 2, end: 7}}, 2, 0},
		"places against events":      {[]stay{{place: 1, event: 2, from: 1, end: 2}, {place: 2, event: 1, from: 2, end: 3}}, 1, 1},
		"two gates":                  {[]stay{{place: 1, gate: "a", from: 2, end: 3}, {place: 2, gate: "b", from: 1, end: 4}}, 1, 0},
	} {
		if bad := wrongStays(c.all, c.limit); len(bad) != c.wrong {
			t.Errorf("%s: %q", name, bad)
		}
	}
}

// A run that was let in and is slow to enter, since whoever has its wake is slow or
// dies, keeps nobody out for whom there is room, and keeps its own.
func TestSlowToEnter(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		const shared = ` concurrency: { name: shared, limit: 2 }, steps: [ { id: a, uses: test.put } ] }`
		r.deploy(`{ name: slow, on: [ { zoom: meeting.ended } ],` + shared)
		r.deploy(`{ name: swift, on: [ { zoom: recording.completed } ],` + shared)
		r.world.lasting(5 * time.Second)
		h := r.start()
		leave, _ := h.busy.Enter(t.Context(), proto.RunID("slow", r.eventOf(1, nil).ID)) // as one that has a message in hand
		slow := r.event(1, nil)
		r.queueAlone("slow", slow)
		var swift []string
		for n := range 3 {
			r.other("recording.completed", n)
			swift = append(swift, proto.EventID("default", "recording.completed", fmt.Sprint(n)))
		}
		for _, id := range swift[:2] {
			r.until("swift", id, engine.Completed)
		}
		if run := r.run("slow", slow); !run.Queued() {
			t.Fatalf("the first is %s", run.State)
		}
		leave()
		r.until("slow", slow, engine.Completed)
		r.until("swift", swift[2], engine.Completed)
		all := append(r.stays("slow", []string{slow}), r.stays("swift", swift)...)
		if all[0].place > all[1].place || all[0].from < all[2].end {
			t.Errorf("%+v", all)
		}
		checkStays(t, all[1:], 1) // the slow one has the other place all the time
		for i := range all {
			all[i].event = 0 // there is no order of events between workflows
		}
		checkStays(t, all, 2)
		r.drained()
		r.gateEmpty()
	})
}

package bench

import (
	"strings"
	"testing"
	"time"

	"zflow/internal/bench/load"
	"zflow/internal/bench/usage"
)

// TestAims: each is met at its edge, and missed beyond it.
func TestAims(t *testing.T) {
	report := func(change func(*Report)) *Report {
		m := func(system string, n int, rate, p50 float64) Measure {
			return Measure{System: system, Concurrent: n, Outcome: &load.Outcome{CompletePer: rate, EndToEnd: load.Spread{P50: p50}}, Flushes: .49}
		}
		r := &Report{
			Idle: &Memory{RSS: 60<<20 - 1}, Disk: []Disk{{Concurrent: 1, Flush: load.Spread{P50: 1}}},
			Runs: []Measure{m(Group, 1, 100, 12), m(Null, 1, 500, 2), m(Group, 64, 500, 1), m(Always, 64, 249, 1), m(Null, 64, 1000, 1)},
			Paced: []Measure{
				{System: Group, Rate: 200, Outcome: &load.Outcome{Ack: load.Spread{P99: 24.9}}},
				{System: Null, Rate: 200, Outcome: &load.Outcome{Ack: load.Spread{P99: 99}}},
			},
		}
		change(r)
		r.judge()
		return r
	}
	if r := report(func(*Report) {}); !r.Met() || len(r.Aims) != 6 {
		t.Errorf("at the edges: %+v", r.Aims)
	}
	for missed, change := range map[string]func(*Report){
		"null pipeline's": func(r *Report) { r.Runs[2].CompletePer = 499 },
		"flushes per run": func(r *Report) { r.Runs[2].Flushes = .5 },
		"group to always": func(r *Report) { r.Runs[3].CompletePer = 251 },
		"a lone run":      func(r *Report) { r.Runs[0].EndToEnd.P50 = 12.1 },
		"idle memory":     func(r *Report) { r.Idle.RSS++ },
		"p99":             func(r *Report) { r.Paced[0].Ack.P99 = 25 },
	} {
		r := report(change)
		for _, a := range r.Aims {
			if a.Met == strings.Contains(a.What, missed) {
				t.Errorf("%s: %+v", missed, a)
			}
		}
		if r.Met() {
			t.Errorf("%s: Met", missed)
		}
	}
	if r := report(func(r *Report) { *r = Report{} }); len(r.Aims) != 0 {
		t.Errorf("of nothing: %+v", r.Aims)
	}
}

func TestCost(t *testing.T) {
	m := Measure{Outcome: &load.Outcome{Complete: 10}}
	m.cost(counts{flushes: 5, appends: 100}, counts{Process: usage.Process{CPU: 200 * time.Millisecond, Written: 1000, RSS: 7}, flushes: 25, appends: 140, stored: 500})
	if m.CPU != 20 || m.Written != 100 || m.Stored != 50 || m.Appends != 4 || m.Flushes != 2 || m.Memory != 7 {
		t.Errorf("%+v", m)
	}
}

// TestSound: zflow may lose nothing; the null pipeline keeps nothing.
func TestSound(t *testing.T) {
	for system, want := range map[string]bool{Null: true, Group: false, Always: false} {
		lost := []Measure{{System: system, Outcome: &load.Outcome{Sent: 2, Accepted: 2, Complete: 1, Lost: 1}}}
		for _, r := range []*Report{{Runs: lost}, {Webhooks: lost}, {Paced: lost}} {
			if r.Sound() != want {
				t.Errorf("%s lost a run: Sound = %v", system, r.Sound())
			}
		}
	}
}

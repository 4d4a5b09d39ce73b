package tick

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"zflow/engine"
)

func at(text string) time.Time {
	t, _ := time.Parse("2006-01-02 15:04:05", text) // the zero time is seen by whoever compares
	return t
}

func polls(apart time.Duration) engine.Trigger {
	return engine.Trigger{Source: "poll", Ticks: engine.Every(apart), Poll: &engine.Poll{}}
}

func clock(apart time.Duration) engine.Trigger {
	return engine.Trigger{Source: "schedule", Ticks: engine.Every(apart)}
}

// The grid does not depend on when somebody asks.
func TestGrid(t *testing.T) {
	for _, c := range []struct {
		apart       time.Duration
		after, want string
	}{
		{15 * time.Minute, "2026-03-02 10:00:00", "2026-03-02 10:15:00"},
		{15 * time.Minute, "2026-03-02 10:14:59", "2026-03-02 10:15:00"},
		{24 * time.Hour, "2026-03-02 10:00:00", "2026-03-03 00:00:00"},
		{7 * 24 * time.Hour, "2026-03-03 10:00:00", "2026-03-09 00:00:00"}, // a Monday
	} {
		if got := engine.Every(c.apart).Next(at(c.after)); !got.Equal(at(c.want)) {
			t.Errorf("every %v after %s: %v, not %s", c.apart, c.after, got, c.want)
		}
	}
	seven := engine.Every(7 * time.Minute)
	for first, n := seven.Next(at("2026-03-02 10:00:00")), 0; n < 100; n++ {
		if next := seven.Next(first); next.Sub(first) != 7*time.Minute || !seven.Next(next.Add(-time.Nanosecond)).Equal(next) {
			t.Fatalf("%v follows %v", next, first)
		} else {
			first = next
		}
	}
}

// A new poll is due at once, one with other times only at these; what has no trigger
// any more goes, what is there stays as it was.
func TestPlansFollowTheTriggers(t *testing.T) {
	now := at("2026-03-02 10:07:00")
	quarter, half := at("2026-03-02 10:15:00"), at("2026-03-02 10:30:00")
	old := Plans{"poll every 15m0s": {Last: at("2026-03-02 10:00:00"), Next: quarter}}
	for name, c := range map[string]struct {
		before   Plans
		triggers []engine.Trigger
		want     map[string]time.Time
	}{
		"none":        {Plans{}, []engine.Trigger{{Source: "zoom"}}, map[string]time.Time{}},
		"new poll":    {Plans{}, []engine.Trigger{{Source: "zoom"}, polls(15 * time.Minute)}, map[string]time.Time{"poll every 15m0s": now}},
		"new times":   {Plans{}, []engine.Trigger{clock(15 * time.Minute)}, map[string]time.Time{"schedule every 15m0s": quarter}},
		"as before":   {old, []engine.Trigger{polls(15 * time.Minute)}, map[string]time.Time{"poll every 15m0s": quarter}},
		"other times": {old, []engine.Trigger{polls(30 * time.Minute)}, map[string]time.Time{"poll every 30m0s": half}},
		"one more": {old, []engine.Trigger{polls(15 * time.Minute), clock(30 * time.Minute)},
			map[string]time.Time{"poll every 15m0s": quarter, "schedule every 30m0s": half}},
		"gone": {old, nil, map[string]time.Time{}},
		"never polled": {Plans{"poll every 15m0s": {Next: now.Add(-time.Minute)}}, []engine.Trigger{polls(30 * time.Minute)},
			map[string]time.Time{"poll every 30m0s": now}},
	} {
		t.Run(name, func(t *testing.T) {
			p := maps.Clone(c.before)
			p.follow(c.triggers, now)
			got := map[string]time.Time{}
			for name, plan := range p {
				got[name] = plan.Next
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%v, not %v", got, c.want)
			}
			first := time.Time{}
			if all := slices.SortedFunc(maps.Values(c.want), time.Time.Compare); len(all) > 0 {
				first = all[0]
			}
			if next := p.next(); !next.Equal(first) {
				t.Errorf("the first is %v, not %v", next, first)
			}
		})
	}
}

func TestPlansThatCannotBeRead(t *testing.T) {
	if _, err := decode("flow", []byte("{")); err == nil || err.Error() != "reading the ticks of workflow flow: unexpected end of JSON input" {
		t.Errorf("%v", err)
	}
}

package tick

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/cron"
	"zflow/engine/workflow"
)

// mornings are at eight of each weekday in Berlin.
func mornings(t *testing.T, catchUp workflow.CatchUp) *engine.Trigger {
	t.Helper()
	s, err := cron.Parse("0 8 * * mon-fri")
	if err != nil {
		t.Fatal(err)
	}
	zone, err := cron.Zone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return &engine.Trigger{Source: "schedule", Ticks: &engine.Ticks{
		Plan: "0 8 * * mon-fri Europe/Berlin", Text: "0 8 * * mon-fri", Zone: zone, CatchUp: catchUp,
		Next: func(after time.Time) time.Time { return s.Next(after, zone) }}}
}

// What passed while nobody was there becomes events as catch_up says.
func TestCatchUp(t *testing.T) {
	friday, monday := at("2026-03-27 07:00:00"), at("2026-03-30 06:00:00") // summer time begins between them
	for _, c := range []struct {
		catchUp workflow.CatchUp
		now     time.Time
		at      []time.Time
		missed  int
	}{
		{"one", friday, []time.Time{friday}, 0},
		{"one", friday.Add(3 * time.Hour), []time.Time{friday}, 0},
		{"one", monday.Add(time.Hour), []time.Time{monday}, 1},
		{"", monday.Add(time.Hour), []time.Time{monday}, 1},
		{"all", friday, []time.Time{friday}, 0},
		{"all", monday.Add(time.Hour), []time.Time{friday, monday}, 0},
		{"none", friday.Add(time.Minute), []time.Time{friday}, 0},
		{"none", friday.Add(time.Minute + 1), nil, 1},
		{"none", monday, []time.Time{monday}, 1},
		{"none", monday.Add(time.Hour), nil, 2},
	} {
		d := dueOf(mornings(t, c.catchUp), Plan{Next: friday}, c.now)
		newest := friday
		if !c.now.Before(monday) {
			newest = monday
		}
		if fmt.Sprint(utc(d.at)) != fmt.Sprint(utc(c.at)) || d.missed != c.missed || !d.newest.Equal(newest) {
			t.Errorf("%s at %v: %v, %d missed, the newest %v; want %v, %d", c.catchUp, c.now, d.at, d.missed, d.newest, c.at, c.missed)
		}
	}
}

func utc(times []time.Time) (all []time.Time) {
	for _, t := range times {
		all = append(all, t.UTC())
	}
	return all
}

// After years of every second there are no more than a thousand, and they are found at
// once.
func TestCatchUpIsBounded(t *testing.T) {
	first, now := at("2020-01-01 00:00:00"), at("2026-03-02 10:00:00")
	for catchUp, want := range map[workflow.CatchUp]int{"one": 1, "all": mostCaughtUp, "none": 1} {
		trigger := clock(time.Second)
		trigger.Ticks.CatchUp = catchUp
		d := dueOf(&trigger, Plan{Next: first}, now)
		if len(d.at) != want || !d.newest.Equal(now) || !d.at[len(d.at)-1].Equal(now) || !d.at[0].Equal(now.Add(time.Duration(1-want)*time.Second)) {
			t.Errorf("%s: %d from %v to %v", catchUp, len(d.at), d.at[0], d.newest)
		}
		if least := map[workflow.CatchUp]int{"one": mostCaughtUp, "all": 1, "none": mostCaughtUp}[catchUp]; d.missed != least {
			t.Errorf("%s: %d are missed", catchUp, d.missed)
		}
	}
	yearly := &engine.Trigger{Source: "schedule", Ticks: engine.Every(366 * 24 * time.Hour)}
	if d := dueOf(yearly, Plan{Next: yearly.Ticks.Next(at("2001-01-01 00:00:00"))}, now); d.missed < 20 || d.missed > 25 || len(d.at) != 1 {
		t.Errorf("once a year: %+v", d)
	}
}

// The event of a tick is the same whoever makes it, and tells the time in the zone.
func TestEvent(t *testing.T) {
	tick := Tick{Workflow: &engine.Workflow{Name: "digest"}, Trigger: mornings(t, ""), At: at("2026-03-30 06:00:00"), Last: at("2026-03-26 07:00:00"), Missed: 1}
	e, err := Event(tick, at("2026-03-30 06:00:01"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Event(tick, at("2026-03-30 09:00:00"))
	if err != nil || again.ID != e.ID || string(again.Body) != string(e.Body) {
		t.Errorf("made again: %+v, %v", again, err)
	}
	want := `{"time":"2026-03-30T06:00:00Z","timestamp":1774850400,"local":"2026-03-30T08:00:00+02:00","timezone":"Europe/Berlin","date":"2026-03-30",` +
		`"weekday":"monday","schedule":"0 8 * * mon-fri","previous":"2026-03-26T07:00:00Z","missed":1}`
	if string(e.Body) != want {
		t.Errorf("the body is %s", e.Body)
	}
	if e.Type != "digest" || e.Kind() != "schedule" || e.Account != "" || !e.Time.Equal(tick.At) || e.Origin != "schedule" {
		t.Errorf("%+v", e)
	}
	tick.Workflow = &engine.Workflow{Name: "other"}
	if other, _ := Event(tick, tick.At); other.ID == e.ID { // it was made above
		t.Error("another workflow's event has the same id")
	}
	tick.Trigger, tick.Last = &engine.Trigger{Source: "schedule", Ticks: engine.Every(time.Hour)}, time.Time{}
	e, err = Event(tick, tick.At)
	var b map[string]any
	if json.Unmarshal(e.Body, &b) != nil || err != nil || b["previous"] != nil || b["timezone"] != "UTC" {
		t.Errorf("the first of every hour: %s, %v", e.Body, err)
	}
}

// A plan whose time is none any more, as when a zone's rules change, is made anew.
func TestPlanOfAnotherTime(t *testing.T) {
	now := at("2026-03-02 10:07:00")
	p := Plans{"schedule every 15m0s": {Last: at("2026-03-02 10:00:00"), Next: at("2026-03-02 10:20:00")}}
	p.follow([]engine.Trigger{clock(15 * time.Minute)}, now)
	if got := p["schedule every 15m0s"]; !got.Next.Equal(at("2026-03-02 10:15:00")) || got.Last.IsZero() {
		t.Errorf("%+v", got)
	}
}

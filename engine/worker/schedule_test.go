package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/proto"
)

const scheduled = `
name: bell
on: [ SCHEDULES ]
steps:
  - set: ${{ event.schedule }}
output: ${{ event.local }}
`

func ringing(schedules string) string { return strings.Replace(scheduled, "SCHEDULES", schedules, 1) }

// at sleeps until a time of the day on which a bubble begins.
func (r *rig) at(clock string) {
	r.t.Helper()
	t, err := time.Parse("2006-01-02 15:04:05", "2000-01-01 "+clock)
	r.must(err)
	time.Sleep(time.Until(t))
}

// rung are the times of the events of a workflow's schedules.
func (r *rig) rung(workflow string) (all []string) {
	r.t.Helper()
	for _, e := range r.eventsOf(proto.SourceSchedule, workflow) {
		if e.ReceivedAt.Before(e.Time) {
			r.t.Errorf("the event of %v came at %v", e.Time, e.ReceivedAt)
		}
		all = append(all, e.Time.Format("15:04"))
	}
	return all
}

// wantRung checks the times at which a workflow was to run, and that it ran.
func (r *rig) wantRung(workflow, want string) {
	r.t.Helper()
	if got := strings.Join(r.rung(workflow), " "); got != want {
		r.t.Errorf("it rang at %s, not at %s", got, want)
	}
	for _, e := range r.eventsOf(proto.SourceSchedule, workflow) {
		r.until(workflow, e.ID, engine.Completed)
	}
}

func (r *rig) missed(workflow string) (n int) {
	r.t.Helper()
	for _, e := range r.eventsOf(proto.SourceSchedule, workflow) {
		var b struct{ Missed int }
		r.must(json.Unmarshal(e.Body, &b))
		n += b.Missed
	}
	return n
}

// Each time is one event and one run, on time, though there are two workers, one dies
// while it publishes, and wakes come that nobody asked for.
func TestSchedule(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(ringing("{ schedule: every 3m }"))
		var dying *hand
		died := false
		dying = r.start(func(c *Config) {
			publish := c.Stores.Publish
			c.Stores.Publish = func(ctx context.Context, e *proto.Event) error {
				err := publish(ctx, e)
				if e.Kind() == proto.SourceSchedule {
					died = true
					dying.kill() // it published, and nobody knows
					return fmt.Errorf("dead: %w", context.Canceled)
				}
				return err
			}
		})
		r.at("00:03:30")
		if got := r.rung("bell"); !died || len(got) != 1 {
			t.Fatalf("a worker dies: %v, after %v", died, got)
		}
		second, third := r.start(), r.start()
		for _, clock := range []string{"00:05:00", "00:06:30", "00:08:59", "00:11:00", "00:13:00"} {
			r.at(clock)
			r.must(r.wakes.SetTick(context.Background(), "bell", time.Now())) // as a power failure may leave it
		}
		r.at("00:15:30")
		r.wantRung("bell", "00:03 00:06 00:09 00:12 00:15")
		if n := r.missed("bell"); n != 0 {
			t.Errorf("%d are missed", n)
		}
		if n := count("schedule_events", second, third); n < 4 || n > 5 { // the first may be made again, as the same
			t.Errorf("%d events are counted", n)
		}
		for _, e := range r.eventsOf(proto.SourceSchedule, "bell")[1:] {
			if late := e.ReceivedAt.Sub(e.Time); late > time.Second {
				t.Errorf("the event of %v came %v later", e.Time, late)
			}
		}
	})
}

// What passed while no worker and no broker was there is caught up as the workflow says,
// on the same grid.
func TestScheduleAfterAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ring := map[string]struct {
			rung           string
			missed, counts int
		}{
			"one":  {"00:02 00:04 00:14 00:16", 4, 4},
			"all":  {"00:02 00:04 00:06 00:08 00:10 00:12 00:14 00:16", 0, 0},
			"none": {"00:02 00:04 00:16", 0, 5},
		}
		for catchUp := range ring {
			r.deploy(strings.Replace(ringing("{ schedule: every 2m, catch_up: "+catchUp+" }"), "bell", catchUp, 1))
		}
		h := r.start()
		r.at("00:05:00")
		h.stop()
		r.at("00:15:30")
		r.server.Restart(t)
		h = r.start()
		r.at("00:16:30")
		for catchUp, c := range ring {
			r.wantRung(catchUp, c.rung)
			if n := r.missed(catchUp); n != c.missed {
				t.Errorf("%s: %d are missed", catchUp, n)
			}
			if n := h.Counts()[Counter{Name: "ticks_missed", Workflow: catchUp}]; int(n) != c.counts {
				t.Errorf("%s: %d are counted as missed", catchUp, n)
			}
		}
	})
}

// A deployment with the same times changes nothing, other times begin then, as those of
// a rollback do; a paused workflow catches up, nothing is left of a removed one.
func TestSchedulesFollowDeployments(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.deploy(ringing("{ schedule: every 4m }"))
		r.deploy(strings.Replace(ringing(meeting), "bell", "meet", 1))
		r.start()
		first, err := r.catalog.Get(ctx, "bell")
		r.must(err)
		r.at("00:03:30")
		r.deploy(ringing("{ schedule: every 4m }") + "# again\n")
		r.at("00:04:30")
		r.deploy(ringing(`{ schedule: "*/3 * * * *", timezone: Asia/Kathmandu }`))
		r.at("00:07:00")
		_, err = r.catalog.Rollback(ctx, "bell", first.Version)
		r.must(err)
		r.at("00:08:30")
		r.wantRung("bell", "00:04 00:06 00:08")
		r.wantMet("meet")
		r.must(r.catalog.Remove(ctx, "meet"))
		r.must(r.catalog.Pause(ctx, "bell"))
		r.at("00:21:00")
		r.wantRung("bell", "00:04 00:06 00:08")
		r.must(r.catalog.Resume(ctx, "bell"))
		r.at("00:21:30")
		r.wantRung("bell", "00:04 00:06 00:08 00:20")
		r.must(r.catalog.Remove(ctx, "bell"))
		r.at("00:29:00")
		if got := r.inWakes(); len(got) != 0 {
			t.Errorf("left in WAKES: %v", got)
		}
		r.deploy(ringing("{ schedule: every 4m }"))
		r.at("00:32:30")
		r.wantRung("bell", "00:04 00:06 00:08 00:20 00:32")
	})
}

// meeting are schedules that are due together at times; the first never takes its event.
const meeting = `{ schedule: every 3m, if: "event.date == '1999-01-01'" }, { schedule: "*/2 * * * *", timezone: Europe/Berlin }`

// wantMet checks that a workflow runs once where its schedules meet, and that each of
// them has the events of its own times.
func (r *rig) wantMet(workflow string) {
	r.t.Helper()
	if got := strings.Join(r.rung(workflow), " "); got != "00:02 00:03 00:04 00:06 00:08" {
		r.t.Errorf("it rang at %s", got)
	}
	for _, e := range r.eventsOf(proto.SourceSchedule, workflow) {
		if e.Time.Minute() != 3 {
			r.until(workflow, e.ID, engine.Completed)
			continue
		}
		if h, err := r.load(workflow, e.ID); err != nil || len(h.Appends) != 0 { // the second is not due then
			r.t.Errorf("%v has a run: %v", e.Time, err)
		}
	}
}

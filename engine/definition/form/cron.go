package form

import (
	"strings"
	"time"

	"zflow/engine/cron"
	"zflow/engine/definition/document"
	"zflow/engine/expr"
	"zflow/engine/workflow"
)

// Cron returns a schedule that is due some day, or nil after a report.
func (r *Reader) Cron(n *document.Node) *cron.Schedule {
	s := r.Text(n, "schedule")
	if s == "" {
		return nil
	}
	schedule, err := cron.Parse(s)
	if err != nil {
		hint := "such as 0 9 * * mon-fri"
		if strings.Contains(err.Error(), "this has 6") {
			hint = "leave out the seconds"
		}
		r.Fail(n, hint, "%q is no schedule: %v", s, err)
	}
	return schedule
}

// Zone returns a time zone, by default UTC.
func (r *Reader) Zone(n *document.Node) *time.Location {
	s := r.Text(n, "timezone")
	if s == "" {
		return time.UTC
	}
	zone, err := cron.Zone(s)
	if err != nil {
		r.Fail(n, zoneHint(s), "%v", err)
		return time.UTC
	}
	return zone
}

func zoneHint(name string) string {
	const shortest = 5 // of shorter ones nearly any zone differs by a letter or two
	if like := cron.ZoneLike(name); like != "" {
		return "did you mean " + like + "?"
	}
	if like := expr.Suggest(name, cron.Zones()); like != "" && len(name) >= shortest {
		return "did you mean " + like + "?"
	}
	return "such as Europe/Berlin or America/New_York"
}

const (
	leastApart = time.Second
	mostApart  = 366 * 24 * time.Hour
)

// Ticks returns the times of a schedule, a cron or every 15m, or nil after a report.
func (r *Reader) Ticks(n, timezone *document.Node) *workflow.Ticks {
	text := ""
	if n.Kind == document.Scalar {
		text = strings.TrimSpace(n.Value)
	}
	first, rest, _ := strings.Cut(text, " ")
	if strings.EqualFold(first, "every") {
		return r.every(n, strings.TrimSpace(rest), timezone)
	}
	if _, err := expr.ParseDuration(text); err == nil && text != "0" {
		r.Fail(n, "write every "+text, "%q is no schedule", text)
		return nil
	}
	schedule, zone := r.Cron(n), r.Zone(timezone)
	if schedule == nil {
		return nil
	}
	t := &workflow.Ticks{Plan: text, Text: text, Zone: zone, Next: func(after time.Time) time.Time { return schedule.Next(after, zone) }}
	if timezone != nil {
		t.Plan += " " + zone.String()
	}
	return t
}

func (r *Reader) every(n *document.Node, text string, timezone *document.Node) *workflow.Ticks {
	apart, err := expr.ParseDuration(text)
	switch {
	case err != nil:
		r.Fail(n, everyHint(text), "%q is no schedule", n.Value)
		return nil
	case apart < leastApart || apart > mostApart:
		r.Fail(n, "", "every is from 1s to 366d")
		return nil
	}
	if timezone != nil {
		r.Fail(timezone, "for a time of day write a cron, such as 0 9 * * *", "every counts the time that passes, in which zones play no part")
	}
	t := workflow.Every(apart)
	t.Text = "every " + plainDuration(apart)
	t.Plan = t.Text
	return t
}

// plainDuration is a duration without the units that are 0.
func plainDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// everyHint knows how people say it.
func everyHint(text string) string {
	units := map[string]string{"second": "1s", "minute": "1m", "hour": "1h", "day": "1d", "week": "1w"}
	switch unit, there := units[strings.ToLower(text)]; {
	case there && (unit == "1d" || unit == "1w"):
		return "write every " + unit + ", or for a time of day a cron, such as 0 9 * * *"
	case there:
		return "write every " + unit
	}
	return "write a number and a unit, such as every 15m or every 2h"
}

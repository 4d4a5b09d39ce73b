package form

import (
	"strings"
	"time"

	"zflow/engine/cron"
	"zflow/engine/definition/document"
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
	zone, err := time.LoadLocation(s)
	if err != nil || s == "Local" {
		r.Fail(n, "such as Europe/Berlin or America/New_York", "%q is no time zone", s)
		return time.UTC
	}
	return zone
}

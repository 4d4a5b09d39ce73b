package definition

import (
	"strings"
	"time"

	"zflow/engine/cron"
)

// cron returns a schedule that is due some day, or nil after a report.
func (p *parser) cron(n *node) *cron.Schedule {
	s := p.text(n, "schedule")
	if s == "" {
		return nil
	}
	schedule, err := cron.Parse(s)
	if err != nil {
		hint := "such as 0 9 * * mon-fri"
		if strings.Contains(err.Error(), "this has 6") {
			hint = "leave out the seconds"
		}
		p.Fail(n, hint, "%q is no schedule: %v", s, err)
	}
	return schedule
}

// zone returns a time zone, by default UTC.
func (p *parser) zone(n *node) *time.Location {
	s := p.text(n, "timezone")
	if s == "" {
		return time.UTC
	}
	zone, err := time.LoadLocation(s)
	if err != nil || s == "Local" {
		p.Fail(n, "such as Europe/Berlin or America/New_York", "%q is no time zone", s)
		return time.UTC
	}
	return zone
}

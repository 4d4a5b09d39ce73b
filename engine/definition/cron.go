package definition

import (
	"strings"
	"time"

	"zflow/engine/cron"
)

// cron returns a schedule that is due some day, or "" after a report.
func (p *parser) cron(n *node) string {
	s := p.text(n, "schedule")
	if s == "" {
		return ""
	}
	if _, err := cron.Parse(s); err != nil {
		hint := "such as 0 9 * * mon-fri"
		if strings.Contains(err.Error(), "this has 6") {
			hint = "leave out the seconds"
		}
		p.Fail(n, hint, "%q is no schedule: %v", s, err)
		return ""
	}
	return s
}

// zone returns the name of a time zone, or "" after a report.
func (p *parser) zone(n *node) string {
	s := p.text(n, "timezone")
	if s == "" {
		return ""
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		p.Fail(n, "such as Europe/Berlin or America/New_York", "%q is no time zone", s)
		return ""
	}
	return s
}

package cron

import (
	"slices"
	"testing"
	"time"
)

// A year of schedules in zones whose clocks change in all ways that there are, held
// against what somebody sees who looks at the clock each minute.
func TestYear(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca"} {
		zone, err := Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
		clock := clockOf(begin, begin.AddDate(1, 0, 0))
		for _, line := range []string{"30 2 * * *", "0 0 * * *", "10,40 1,2 * * sun", "*/30 * * * *", "15 */2 * * *", "59 23 28-31 * *", "5 3 25 3,10 mon"} {
			s, err := Parse(line)
			if err != nil {
				t.Fatal(err)
			}
			at := begin.Add(-time.Nanosecond)
			for i := range clock {
				if !clock.due(s, i) {
					continue
				}
				want := begin.Add(time.Duration(i) * time.Minute)
				if at = s.Next(at, zone); !at.Equal(want) {
					t.Errorf("%s in %s: %v, not %v", line, name, at, want.In(zone))
					break
				}
			}
			if last := s.Next(at, zone); last.Before(begin.AddDate(1, 0, 0)) {
				t.Errorf("%s in %s: %v is not due", line, name, last)
			}
		}
	}
}

// clock is what the clock of a zone shows, minute by minute, in minutes.
type clock []int

var anchor = time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)

func clockOf(begin, end time.Time) (all clock) {
	for at := begin; at.Before(end); at = at.Add(time.Minute) {
		shown := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
		all = append(all, int(shown.Sub(anchor)/time.Minute))
	}
	return all
}

// due tells whether somebody who looks at the clock finds that a schedule is due.
func (c clock) due(s *Schedule, i int) bool {
	if s.anyHour {
		return s.shown(c[i])
	}
	if i == 0 {
		return s.shown(c[0])
	}
	for m := c[i-1] + 1; m <= c[i]; m++ { // what the clock skipped, too
		if s.shown(m) && !slices.Contains(c[max(0, i-120):i], m) {
			return true
		}
	}
	return false
}

func (s *Schedule) shown(m int) bool {
	return s.hour.has(m/60%24) && s.minute.has(m%60) && s.onDay(anchor.Add(time.Duration(m)*time.Minute))
}

func TestZones(t *testing.T) {
	for _, name := range Zones() {
		if _, err := Zone(name); err != nil {
			t.Errorf("%v", err)
		}
	}
	for _, name := range []string{"", "Local", "Europe/Berln", "posix/Europe/Berlin", "right/UTC", "../zoneinfo/UTC"} {
		if _, err := Zone(name); err == nil {
			t.Errorf("%q is a zone", name)
		}
	}
	for name, want := range map[string]string{"europe/berlin": "Europe/Berlin", "Berlin": "Europe/Berlin", "new york": "America/New_York", "Atlantis": ""} {
		if got := ZoneLike(name); got != want {
			t.Errorf("%s is like %q, not %q", name, got, want)
		}
	}
}

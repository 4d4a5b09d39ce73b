package cron

import "time"

// horizon is how many days are looked at: a leap day may be eight years away.
const horizon = 9 * 366

// Next returns the first instant after a time at which the schedule is due by
// the clocks of a zone. A fixed hour that a day's clock shows twice is due the
// first time only, and one that a day skips at the first instant after the gap;
// where the hour is a *, elapsed time counts.
func (s *Schedule) Next(after time.Time, zone *time.Location) time.Time {
	year, month, day := after.In(zone).Date()
	for i := -1; i < horizon; i++ { // a gap at midnight moves what is due into the next day
		date := time.Date(year, month, day+i, 12, 0, 0, 0, time.UTC)
		if !s.onDay(date) {
			continue
		}
		if t := s.within(date, after, zone); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// onDay tells whether the schedule is due on a date. Where both the day of the
// month and that of the week are given, either is enough, as ever in cron.
func (s *Schedule) onDay(date time.Time) bool {
	day, weekday := s.day.has(date.Day()), s.weekday.has(int(date.Weekday()))
	if !s.month.has(int(date.Month())) {
		return false
	}
	if s.anyDay || s.anyWeekday {
		return day && weekday
	}
	return day || weekday
}

// within returns the first instant of a date after a time.
func (s *Schedule) within(date, after time.Time, zone *time.Location) (first time.Time) {
	if s.anyHour {
		return s.elapsed(date, after, zone)
	}
	for h := range 24 {
		for m := 0; s.hour.has(h) && m < 60; m++ {
			if !s.minute.has(m) {
				continue
			}
			t := instant(date, h, m, zone)
			if t.After(after) && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
	}
	return first
}

// elapsed goes through a date minute by minute, as they pass.
func (s *Schedule) elapsed(date, after time.Time, zone *time.Location) time.Time {
	const spread = 15 * time.Hour // from noon in UTC to any zone's, and half a day
	t := date.Add(-12*time.Hour - spread)
	if begin := after.Truncate(time.Minute).Add(time.Minute); begin.After(t) {
		t = begin
	}
	for ; t.Before(date.Add(12*time.Hour + spread)); t = t.Add(time.Minute) {
		local := t.In(zone)
		if local.Day() == date.Day() && s.hour.has(local.Hour()) && s.minute.has(local.Minute()) {
			return local
		}
	}
	return time.Time{}
}

// instant returns when the clocks of a zone show a time, for the first time, or
// when they have passed it.
func instant(date time.Time, hour, minute int, zone *time.Location) time.Time {
	t := time.Date(date.Year(), date.Month(), date.Day(), hour, minute, 0, 0, zone)
	begin, end := t.ZoneBounds()
	wanted := date.Truncate(24 * time.Hour).Add(time.Duration(hour*60+minute) * time.Minute)
	shown := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	switch {
	case shown.Before(wanted): // there is a gap, and t is before it
		return end
	case shown.After(wanted):
		return begin
	}
	if begin.IsZero() {
		return t
	}
	_, offset := t.Zone()
	_, before := begin.Add(-time.Second).In(zone).Zone()
	if twice := time.Duration(before-offset) * time.Second; twice > 0 && t.Sub(begin) < twice {
		return t.Add(-twice)
	}
	return t
}

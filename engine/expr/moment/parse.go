package moment

import (
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine
)

// Zone finds a time zone by its name in the IANA database.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, &Error{Message: short(name) + " is no time zone", Hint: "write one such as 'Europe/Berlin' or 'UTC'"}
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, &Error{Message: short(name) + " is no time zone", Hint: "write one such as 'Europe/Berlin' or 'UTC'"}
	}
	return l, nil
}

var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", time.RFC1123Z, time.RFC1123,
	time.RFC850, time.RFC822Z, time.RFC822, "15:04:05", "15:04",
}

// Parse reads a date or time as people and machines write it; one without a zone is
// in this one.
func Parse(s string, zone *time.Location) (time.Time, error) {
	for _, l := range layouts {
		if t, err := read(l, strings.TrimSpace(s), zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &Error{Message: short(s) + " is no date or time", Hint: "write it as 2026-03-02T10:00:00Z, or give its layout"}
}

// ParseAs reads a date or time in one of Go's layouts.
func ParseAs(layout, s string, zone *time.Location) (time.Time, error) {
	t, err := read(layout, s, zone)
	if err != nil {
		return time.Time{}, &Error{Message: short(s) + " does not look like " + short(layout)}
	}
	return t, nil
}

// read reads a time by one layout. Where clocks are changed, package time promises
// nothing of a time that names no zone: it is what the calendar makes of it.
func read(layout, s string, zone *time.Location) (time.Time, error) {
	if strings.Contains(layout, "Z07") || strings.Contains(layout, "-07") || strings.Contains(layout, "MST") {
		t, err := time.ParseInLocation(layout, s, zone)
		return withoutLocal(t), err
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return t, err
	}
	year, month, day := t.Date()
	return civil(year, month, day, clockOf(t), zone), nil
}

// withoutLocal replaces the machine's own zone, which time.Parse uses where its
// offset happens to fit, by the plain offset.
func withoutLocal(t time.Time) time.Time {
	if t.Location() != time.Local {
		return t
	}
	_, offset := t.Zone()
	return t.In(time.FixedZone("", offset))
}

// Unix returns a Unix time, in seconds or, from 10^11 on, milliseconds.
func Unix(n int64, zone *time.Location) time.Time {
	if n >= 1e11 || n <= -1e11 {
		return time.UnixMilli(n).In(zone)
	}
	return time.Unix(n, 0).In(zone)
}

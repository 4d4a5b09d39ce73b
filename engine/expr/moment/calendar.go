package moment

import (
	"slices"
	"strings"
	"time"
)

// units are those of the calendar and the clock, smallest first, and how long those
// of the clock are.
var units = []string{"second", "minute", "hour", "day", "week", "month", "quarter", "year"}

var clockUnits = map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour}

// unitOf reads a unit; days and day are the same.
func unitOf(s string) (string, error) {
	u := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), "s")
	if !slices.Contains(units, u) {
		return "", &Error{Message: short(s) + " is no unit of time", Hint: "there is " + strings.Join(units, ", ")}
	}
	return u, nil
}

// civil returns the time at which clocks of a zone show this. Where they show it
// twice, it is the first; where they leave it out, it is as much later as they were
// put forward. Values beyond their range count on, as in time.Date.
func civil(year int, month time.Month, day int, clock time.Duration, zone *time.Location) time.Time {
	wanted := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Add(clock)
	_, before := wanted.Add(-24 * time.Hour).In(zone).Zone()
	_, after := wanted.Add(24 * time.Hour).In(zone).Zone()
	early := wanted.Add(-time.Duration(before) * time.Second).In(zone)
	late := wanted.Add(-time.Duration(after) * time.Second).In(zone)
	if !shows(early, wanted) && shows(late, wanted) {
		return late
	}
	return early
}

// shows tells whether a clock shows at t what one in UTC shows at wanted.
func shows(t, wanted time.Time) bool {
	_, offset := t.Zone()
	return t.Add(time.Duration(offset) * time.Second).Equal(wanted)
}

// clockOf is what the clock shows, as the time since midnight of a day that has 24 hours.
func clockOf(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
}

// farthest bounds what may be added, in any unit: within it no year leaves four digits
// unnoticed.
const farthest = 400_000_000_000

// Add returns the time so many units later, or earlier, in the time's own zone. Days and longer
// units leave the clock as it is, whatever summer time does; where a month has no such
// day, it is its last.
func Add(t time.Time, n int, unit string) (time.Time, error) {
	unit, err := unitOf(unit)
	if err != nil {
		return t, err
	}
	out, ok := add(t, n, unit)
	if !ok {
		return t, &Error{Message: "the time would be outside of the years 0 to 9999"}
	}
	return out, nil
}

func add(t time.Time, n int, unit string) (time.Time, bool) {
	if n > farthest || n < -farthest {
		return t, false
	}
	if d, ok := clockUnits[unit]; ok {
		seconds := int64(n) * int64(d/time.Second)
		out := time.Unix(t.Unix()+seconds, int64(t.Nanosecond())).In(t.Location())
		return out, inYears(out)
	}
	if n > 4_000_000 || n < -4_000_000 {
		return t, false
	}
	out := addDates(t, n, unit)
	return out, inYears(out)
}

func inYears(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

func addDates(t time.Time, n int, unit string) time.Time {
	year, month, day := t.Date()
	switch unit {
	case "day":
		day += n
	case "week":
		day += 7 * n
	default:
		month += time.Month(n * monthsOf[unit])
		day = min(day, time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day())
	}
	return civil(year, month, day, clockOf(t), t.Location())
}

var monthsOf = map[string]int{"month": 1, "quarter": 3, "year": 12}

// Diff returns how many whole units lie between two times: so many that Add brings
// from the first not beyond the second. It is negative where the second is earlier.
func Diff(from, to time.Time, unit string) (int, error) {
	unit, err := unitOf(unit)
	if err != nil {
		return 0, err
	}
	to = to.In(from.Location())
	if to.Before(from) {
		return -diff(to.In(from.Location()), from, unit), nil
	}
	return diff(from, to, unit), nil
}

// about is how many seconds a unit has at most.
var about = map[string]int64{"second": 1, "minute": 60, "hour": 3600, "day": 90_000, "week": 608_400, "month": 2_682_000, "quarter": 7_952_400, "year": 31_626_000}

// diff starts from a number that is not too large, and takes ever smaller steps.
func diff(from, to time.Time, unit string) int {
	n := int((to.Unix() - from.Unix()) / about[unit])
	n = max(n-1, 0)
	for step := n/16 + 1; step > 0; step /= 2 {
		for {
			next, ok := add(from, n+step, unit)
			if !ok || next.After(to) {
				break
			}
			n += step
		}
	}
	return n
}

// StartOf returns the first moment of the hour, day, week, month or the like in which
// a time is, in its own zone. A week begins on Monday.
func StartOf(t time.Time, unit string) (time.Time, error) {
	unit, err := unitOf(unit)
	if err != nil {
		return t, err
	}
	return startOf(t, unit), nil
}

func startOf(t time.Time, unit string) time.Time {
	if d, ok := clockUnits[unit]; ok {
		return t.Add(-(clockOf(t) % d))
	}
	year, month, day := t.Date()
	switch unit {
	case "week":
		day -= (int(t.Weekday()) + 6) % 7
	case "month":
		day = 1
	case "quarter":
		month, day = month-(month-1)%3, 1
	case "year":
		month, day = 1, 1
	}
	return civil(year, month, day, 0, t.Location())
}

// EndOf returns the last moment, to the nanosecond, of the same.
func EndOf(t time.Time, unit string) (time.Time, error) {
	unit, err := unitOf(unit)
	if err != nil {
		return t, err
	}
	start := startOf(t, unit)
	if d, ok := clockUnits[unit]; ok {
		return start.Add(d - 1), nil
	}
	// From noon: midnight may be an hour that clocks leave out.
	year, month, day := start.Date()
	next := addDates(civil(year, month, day, 12*time.Hour, t.Location()), 1, unit)
	return startOf(next, unit).Add(-1), nil
}

// Next returns the first time after t that fits a pattern such as mon-fri 09:00, in
// t's own zone: days of the week, times of the day, or both, each of them a list with
// commas. Without a time of day it is midnight.
func Next(t time.Time, pattern string) (time.Time, error) {
	days, minutes, ok := parseNext(pattern)
	if !ok {
		return t, &Error{Message: short(pattern) + " is no day or time of day", Hint: "write it like 'mon', '09:00' or 'mon-fri 09:00,14:30'"}
	}
	year, month, day := t.Date()
	for i := range 9 {
		date := time.Date(year, month, day+i, 0, 0, 0, 0, time.UTC)
		if !days[date.Weekday()] {
			continue
		}
		for _, m := range minutes {
			at := civil(year, month, day+i, time.Duration(m)*time.Minute, t.Location())
			if at.After(t) {
				return at, nil
			}
		}
	}
	return t, &Error{Message: "no time after this fits " + short(pattern)}
}

// parseNext returns the days and, in order, the minutes of the day.
func parseNext(s string) (days [7]bool, minutes []int, ok bool) {
	fields := strings.Fields(strings.ToLower(s))
	if len(fields) == 0 || len(fields) > 2 {
		return days, nil, false
	}
	if len(fields) == 1 {
		if strings.Contains(fields[0], ":") {
			fields = []string{"mon-sun", fields[0]}
		} else {
			fields = append(fields, "00:00")
		}
	}
	var w window
	for d := range strings.SplitSeq(fields[0], ",") {
		if !w.addDays(d) {
			return days, nil, false
		}
	}
	for m := range strings.SplitSeq(fields[1], ",") {
		n, ok := minuteOf(m)
		if !ok || n == dayMinutes {
			return days, nil, false
		}
		minutes = append(minutes, n)
	}
	slices.Sort(minutes)
	return w.days, minutes, true
}

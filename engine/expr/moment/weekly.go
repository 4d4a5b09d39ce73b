package moment

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Within tells whether a time falls into a weekly pattern such as
// mon-fri 09:00-17:00, in the time's own zone. Days or hours may be left out, each
// may be a list with commas, and several patterns stand side by side with
// semicolons. The end is not in it; hours past midnight belong to the day on which
// they begin.
func Within(t time.Time, patterns string) (bool, error) {
	for pattern := range strings.SplitSeq(patterns, ";") {
		w, ok := parseWindow(pattern)
		if !ok {
			return false, &Error{Message: short(patterns) + " is no weekly pattern", Hint: "write it like 'mon-fri 09:00-17:00'"}
		}
		if w.has(t) {
			return true, nil
		}
	}
	return false, nil
}

// window is days of the week, Sunday first, and stretches of minutes in a day.
type window struct {
	days  [7]bool
	hours [][2]int
}

const dayMinutes = 24 * 60

func (w window) has(t time.Time) bool {
	minute, day := t.Hour()*60+t.Minute(), int(t.Weekday())
	for _, h := range w.hours {
		from, to := h[0], h[1]
		if from < to {
			if w.days[day] && from <= minute && minute < to {
				return true
			}
			continue
		}
		if w.days[day] && minute >= from || w.days[(day+6)%7] && minute < to {
			return true
		}
	}
	return false
}

func parseWindow(s string) (w window, ok bool) {
	fields := strings.Fields(strings.ToLower(s))
	if len(fields) == 0 || len(fields) > 2 {
		return w, false
	}
	days, hours := fields[0], "00:00-24:00"
	switch {
	case len(fields) == 2:
		hours = fields[1]
	case strings.Contains(days, ":"):
		days, hours = "mon-sun", days
	}
	for d := range strings.SplitSeq(days, ",") {
		if !w.addDays(d) {
			return w, false
		}
	}
	for h := range strings.SplitSeq(hours, ",") {
		if !w.addHours(h) {
			return w, false
		}
	}
	return w, true
}

func (w *window) addDays(s string) bool {
	from, to, ranged := strings.Cut(s, "-")
	if !ranged {
		to = from
	}
	a, b := weekday(from), weekday(to)
	if a < 0 || b < 0 {
		return false
	}
	for d := a; ; d = (d + 1) % 7 {
		w.days[d] = true
		if d == b {
			return true
		}
	}
}

func weekday(s string) int {
	names := []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	return slices.IndexFunc(names, func(n string) bool { return s == n || s == n[:3] })
}

func (w *window) addHours(s string) bool {
	from, to, ok := strings.Cut(s, "-")
	a, ok1 := minuteOf(from)
	b, ok2 := minuteOf(to)
	if !ok || !ok1 || !ok2 || a == b || a == dayMinutes {
		return false
	}
	w.hours = append(w.hours, [2]int{a, b})
	return true
}

func minuteOf(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	hour, err := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if !ok || err != nil || err2 != nil || len(m) != 2 || minute < 0 || minute > 59 || hour < 0 {
		return 0, false
	}
	n := hour*60 + minute
	return n, n <= dayMinutes
}

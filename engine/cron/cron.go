// Package cron reads schedules of five fields and tells when they are due: pure,
// in any zone, with one rule for the days on which clocks change.
package cron

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Schedule is a cron line: minute, hour, day of the month, month, day of the week.
type Schedule struct {
	minute, hour, day, month, weekday set
	anyHour, anyDay, anyWeekday       bool // the field begins with a *
}

// set has a bit for each value of a field.
type set uint64

func (s set) has(n int) bool { return s&(1<<n) != 0 }

// field says what one of the five may be.
type field struct {
	name        string
	least, most int
	words       []string // for the values from least on
}

var fields = [5]field{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of the month", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"day of the week", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

var macros = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
	"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}

// Parse reads a schedule. One that is never due is an error.
func Parse(text string) (*Schedule, error) {
	if line, ok := macros[strings.ToLower(strings.TrimSpace(text))]; ok {
		text = line
	}
	parts := strings.Fields(text)
	if len(parts) != len(fields) {
		return nil, fmt.Errorf("it has five fields (minute, hour, day of the month, month, day of the week), this has %d", len(parts))
	}
	var sets [5]set
	for i, f := range fields {
		var err error
		if sets[i], err = f.read(parts[i]); err != nil {
			return nil, err
		}
	}
	s := &Schedule{
		minute: sets[0], hour: sets[1], day: sets[2], month: sets[3], weekday: sets[4],
		anyHour: isAny(parts[1]), anyDay: isAny(parts[2]), anyWeekday: isAny(parts[4]),
	}
	if s.weekday.has(7) {
		s.weekday |= 1 // Sunday is 0 and 7
	}
	if !s.possible() {
		return nil, fmt.Errorf("it is never due: no month that it names has day %s", parts[2])
	}
	return s, nil
}

func isAny(part string) bool { return strings.HasPrefix(part, "*") || part == "?" }

// read returns the values of a list such as 1-5,10,*/15.
func (f field) read(part string) (set, error) {
	var out set
	for _, one := range strings.Split(part, ",") {
		span, every, stepped := strings.Cut(one, "/")
		least, most, err := f.span(span, stepped)
		if err != nil {
			return 0, err
		}
		step := 1
		if stepped {
			if step, err = strconv.Atoi(every); err != nil || step < 1 || step > f.most {
				return 0, fmt.Errorf("%q is no step for the %s", "/"+every, f.name)
			}
		}
		for n := least; n <= most; n += step {
			out |= 1 << n
		}
	}
	return out, nil
}

// span reads *, a value or a range; with a step after it a value is the begin of
// a range to the end.
func (f field) span(text string, stepped bool) (least, most int, err error) {
	if text == "*" || text == "?" {
		return f.least, f.most, nil
	}
	from, to, ranged := strings.Cut(text, "-")
	if least, err = f.value(from); err != nil {
		return 0, 0, err
	}
	switch {
	case ranged:
		if most, err = f.value(to); err != nil {
			return 0, 0, err
		}
		if most == 0 && f.most == 7 {
			most = 7 // sat-sun
		}
		if most < least {
			return 0, 0, fmt.Errorf("the range %s of the %s goes backwards", text, f.name)
		}
	case stepped:
		most = f.most
	default:
		most = least
	}
	return least, most, nil
}

func (f field) value(text string) (int, error) {
	if i := slices.Index(f.words, strings.ToLower(text)); i >= 0 {
		return f.least + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.least || n > f.most || text[0] == '+' {
		return 0, fmt.Errorf("%q is no %s: it goes from %d to %d", text, f.name, f.least, f.most)
	}
	return n, nil
}

// longest are the days that a month can have.
var longest = [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// possible tells whether any date is one of the schedule's.
func (s *Schedule) possible() bool {
	if !s.anyWeekday {
		return true // either day is enough, and every month has all weekdays
	}
	for m := 1; m <= 12; m++ {
		for d := 1; s.month.has(m) && d <= longest[m]; d++ {
			if s.day.has(d) {
				return true
			}
		}
	}
	return false
}

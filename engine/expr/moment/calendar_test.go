package moment

import (
	"strings"
	"testing"
	"time"
)

func in(t *testing.T, text, zone string) time.Time {
	t.Helper()
	z, err := Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := Parse(text, z)
	if err != nil {
		t.Fatal(err)
	}
	return at.In(z)
}

const berlin, newYork = "Europe/Berlin", "America/New_York"

// In 2026 clocks change in Berlin on 29 March and 25 October, in New York on 8 March
// and 1 November.
func TestAdd(t *testing.T) {
	for _, x := range []struct {
		from, zone string
		n          int
		unit, want string
	}{
		{"2026-03-28 09:00", berlin, 1, "day", "2026-03-29T09:00:00+02:00"},
		{"2026-03-28 09:00", berlin, 24, "hours", "2026-03-29T10:00:00+02:00"},
		{"2026-03-28 02:30", berlin, 1, "day", "2026-03-29T03:30:00+02:00"}, // 02:30 is left out
		{"2026-10-24 02:30", berlin, 1, "day", "2026-10-25T02:30:00+02:00"}, // the first of the two
		{"2026-10-26 02:30", berlin, -1, "day", "2026-10-25T02:30:00+02:00"},
		{"2026-10-25T02:30:00+02:00", berlin, 1, "hour", "2026-10-25T02:30:00+01:00"},
		{"2026-03-07 02:30", newYork, 1, "day", "2026-03-08T03:30:00-04:00"},
		{"2026-10-31 09:00", newYork, 1, "day", "2026-11-01T09:00:00-05:00"},
		{"2026-10-31 01:30", newYork, 1, "days", "2026-11-01T01:30:00-04:00"},
		{"2026-01-31 12:00", "UTC", 1, "month", "2026-02-28T12:00:00Z"},
		{"2028-01-31 12:00", "UTC", 1, "month", "2028-02-29T12:00:00Z"},
		{"2026-03-31 12:00", "UTC", -1, "month", "2026-02-28T12:00:00Z"},
		{"2028-02-29", "UTC", 1, "year", "2029-02-28T00:00:00Z"},
		{"2028-02-29", "UTC", 4, "years", "2032-02-29T00:00:00Z"},
		{"2026-11-30", "UTC", 1, "quarter", "2027-02-28T00:00:00Z"},
		{"2026-12-15", "UTC", 1, "Month", "2027-01-15T00:00:00Z"},
		{"2026-03-23 09:00", berlin, 1, "week", "2026-03-30T09:00:00+02:00"},
		{"2026-03-02T10:00:00.5Z", "UTC", -90, "second", "2026-03-02T09:58:30.5Z"},
	} {
		got, err := Add(in(t, x.from, x.zone), x.n, x.unit)
		if err != nil || got.Format(time.RFC3339Nano) != x.want {
			t.Errorf("%s %s %+d %s: %s, %v, want %s", x.from, x.zone, x.n, x.unit, got.Format(time.RFC3339Nano), err, x.want)
		}
	}
	for unit, n := range map[string]int{"fortnight": 1, "": 1, "year": 9000, "month": -1 << 62, "hour": 1 << 62, "day": 5_000_000, "second": 300_000_000_000} {
		if got, err := Add(monday, n, unit); err == nil {
			t.Errorf("%d %s: %v", n, unit, got)
		}
	}
}

func TestDiff(t *testing.T) {
	for _, x := range []struct {
		from, to, zone, unit string
		want                 int
	}{
		{"2026-03-28 12:00", "2026-03-29 12:00", berlin, "day", 1}, // of 23 hours
		{"2026-03-28 12:00", "2026-03-29 12:00", berlin, "hour", 23},
		{"2026-03-28 12:00", "2026-03-29 11:59", berlin, "day", 0},
		{"2026-10-24 12:00", "2026-10-25 12:00", berlin, "day", 1}, // of 25
		{"2026-10-24 12:00", "2026-10-25 11:30", berlin, "day", 0},
		{"2026-10-31 12:00", "2026-11-08 12:00", newYork, "week", 1},
		{"2026-01-31", "2026-02-28", "UTC", "month", 1},
		{"2026-01-31", "2026-02-27", "UTC", "month", 0},
		{"2026-01-15", "2027-01-14", "UTC", "month", 11},
		{"2000-02-29", "2026-02-28", "UTC", "year", 26},
		{"2026-03-02", "2026-03-02", "UTC", "year", 0},
		{"2026-03-10", "2026-03-02", "UTC", "day", -8},
		{"2027-01-01", "2026-01-01", "UTC", "quarter", -4},
		{"0001-01-01", "9999-12-31", "UTC", "year", 9998},
		{"0001-01-01", "9999-12-31", "UTC", "day", 3652058},
		{"2026-03-02T10:00:00.9Z", "2026-03-02T10:00:02.1Z", "UTC", "second", 1},
		{"2026-03-02 10:00", "2026-03-02 11:29", "UTC", "minute", 89},
	} {
		if got, err := Diff(in(t, x.from, x.zone), in(t, x.to, x.zone), x.unit); err != nil || got != x.want {
			t.Errorf("%s to %s in %ss: %d, %v, want %d", x.from, x.to, x.unit, got, err, x.want)
		}
	}
	if _, err := Diff(monday, monday, "lustrum"); err == nil || err.Error() != `"lustrum" is no unit of time: there is second, minute, hour, day, week, month, quarter, year` {
		t.Error(err)
	}
}

func TestEdges(t *testing.T) {
	for _, x := range []struct{ at, zone, unit, start, end string }{
		{"2026-03-29 15:00", berlin, "day", "2026-03-29T00:00:00+01:00", "2026-03-29T23:59:59.999999999+02:00"},
		{"2026-10-25 15:00", berlin, "day", "2026-10-25T00:00:00+02:00", "2026-10-25T23:59:59.999999999+01:00"},
		{"2026-03-08 15:00", newYork, "day", "2026-03-08T00:00:00-05:00", "2026-03-08T23:59:59.999999999-04:00"},
		{"2026-03-29 15:00", berlin, "week", "2026-03-23T00:00:00+01:00", "2026-03-29T23:59:59.999999999+02:00"}, // a Sunday
		{"2026-03-30 00:00", berlin, "week", "2026-03-30T00:00:00+02:00", "2026-04-05T23:59:59.999999999+02:00"}, // a Monday
		{"2026-02-11", "UTC", "month", "2026-02-01T00:00:00Z", "2026-02-28T23:59:59.999999999Z"},
		{"2028-02-11", "UTC", "months", "2028-02-01T00:00:00Z", "2028-02-29T23:59:59.999999999Z"},
		{"2026-11-26", "UTC", "quarter", "2026-10-01T00:00:00Z", "2026-12-31T23:59:59.999999999Z"},
		{"2026-07-01", berlin, "year", "2026-01-01T00:00:00+01:00", "2026-12-31T23:59:59.999999999+01:00"},
		{"2026-10-25T02:30:00+01:00", berlin, "hour", "2026-10-25T02:00:00+01:00", "2026-10-25T02:59:59.999999999+01:00"},
		{"2026-03-02 10:10", "Asia/Kolkata", "hour", "2026-03-02T10:00:00+05:30", "2026-03-02T10:59:59.999999999+05:30"},
		{"2026-03-02T10:00:59.5Z", "UTC", "minute", "2026-03-02T10:00:00Z", "2026-03-02T10:00:59.999999999Z"},
		{"2018-11-04 15:00", "America/Sao_Paulo", "day", "2018-11-04T01:00:00-02:00", "2018-11-04T23:59:59.999999999-02:00"}, // no midnight
		{"2018-11-03 15:00", "America/Sao_Paulo", "day", "2018-11-03T00:00:00-03:00", "2018-11-03T23:59:59.999999999-03:00"},
	} {
		start, err := StartOf(in(t, x.at, x.zone), x.unit)
		end, err2 := EndOf(in(t, x.at, x.zone), x.unit)
		if got := start.Format(time.RFC3339Nano); err != nil || got != x.start {
			t.Errorf("start of the %s of %s: %s, %v, want %s", x.unit, x.at, got, err, x.start)
		}
		if got := end.Format(time.RFC3339Nano); err2 != nil || got != x.end {
			t.Errorf("end of the %s of %s: %s, %v, want %s", x.unit, x.at, got, err2, x.end)
		}
	}
	if _, err := StartOf(monday, "decade"); err == nil {
		t.Error("there are decades")
	}
	if _, err := EndOf(monday, "decade"); err == nil {
		t.Error("there are decades")
	}
}

func TestNext(t *testing.T) {
	for _, x := range []struct{ after, zone, pattern, want string }{
		{"2026-03-02 10:00", "UTC", "mon", "2026-03-09T00:00:00Z"},
		{"2026-03-02 10:00", "UTC", "10:00", "2026-03-03T10:00:00Z"}, // after, not at
		{"2026-03-02 10:00", "UTC", "10:01", "2026-03-02T10:01:00Z"},
		{"2026-03-02 10:00", "UTC", "mon 10:00", "2026-03-09T10:00:00Z"},
		{"2026-03-06 18:00", "UTC", "mon-fri 09:00", "2026-03-09T09:00:00Z"},
		{"2026-03-02 10:00", "UTC", "Monday,wed 14:30,09:00", "2026-03-02T14:30:00Z"},
		{"2026-03-02 15:00", "UTC", "Monday,wed 14:30,09:00", "2026-03-04T09:00:00Z"},
		{"2026-03-27 12:00", berlin, "sun 09:00", "2026-03-29T09:00:00+02:00"},
		{"2026-03-28 12:00", berlin, "02:30", "2026-03-29T03:30:00+02:00"},
		{"2026-10-25T02:30:00+02:00", berlin, "02:30", "2026-10-26T02:30:00+01:00"},
		{"2026-10-31 12:00", newYork, "sun 09:00", "2026-11-01T09:00:00-05:00"},
		{"2026-03-02 23:30", "Asia/Tokyo", "00:00", "2026-03-03T00:00:00+09:00"},
	} {
		got, err := Next(in(t, x.after, x.zone), x.pattern)
		if err != nil || got.Format(time.RFC3339Nano) != x.want {
			t.Errorf("%s after %s: %s, %v, want %s", x.pattern, x.after, got.Format(time.RFC3339Nano), err, x.want)
		}
	}
	for _, pattern := range []string{"", "tomorrow", "mon 9", "24:00", "9:0", "mon tue 09:00", "25:00", "mon-x", "mon,,tue"} {
		if got, err := Next(monday, pattern); err == nil || !strings.Contains(err.Error(), "no day or time of day") {
			t.Errorf("%q: %v, %v", pattern, got, err)
		}
	}
}

func FuzzCalendar(f *testing.F) {
	f.Add(int64(1_774_746_000), int16(1), uint8(3), true)
	f.Fuzz(func(t *testing.T, at int64, n int16, unit uint8, west bool) {
		name, u := berlin, units[int(unit)%len(units)]
		if west {
			name = newYork
		}
		zone, _ := Zone(name)
		from := time.Unix(at%200_000_000_000, 0).In(zone)
		start, _ := StartOf(from, u)
		end, _ := EndOf(from, u)
		if inYears(from) && (start.After(from) || end.Before(from)) {
			t.Errorf("the %s of %v is from %v to %v", u, from, start, end)
		}
		to, err := Add(from, int(n), u)
		if err != nil || n < 0 || !inYears(from) {
			return
		}
		if d, err := Diff(from, to, u); err != nil || d < int(n)-1 || d > int(n)+1 {
			t.Errorf("%v and %d %ss are %v: %d", from, n, u, to, d)
		}
	})
}

package cron

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

// what must hold of a schedule: from an instant on, it is due at these.
func TestNext(t *testing.T) {
	for _, c := range []struct {
		line, zone, after string
		due               []string
	}{
		{"*/15 * * * *", "UTC", "2026-03-02T10:07:30Z", []string{"2026-03-02T10:15:00Z", "2026-03-02T10:30:00Z"}},
		{"0 9 * * mon-fri", "UTC", "2026-03-06T09:00:00Z", []string{"2026-03-09T09:00:00Z", "2026-03-10T09:00:00Z"}},
		{"30 8 1,15 * *", "Europe/Berlin", "2026-03-01T08:00:00Z", []string{"2026-03-15T08:30:00+01:00", "2026-04-01T08:30:00+02:00"}},
		{"0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		{"0 12 13 * FRI", "UTC", "2026-03-01T00:00:00Z", []string{"2026-03-06T12:00:00Z", "2026-03-13T12:00:00Z"}},
		{"0 12 * * 7", "UTC", "2026-03-02T00:00:00Z", []string{"2026-03-08T12:00:00Z"}},
		{"0 12 * * sat-sun", "UTC", "2026-03-02T00:00:00Z", []string{"2026-03-07T12:00:00Z", "2026-03-08T12:00:00Z"}},
		{"10/20 1 * * *", "UTC", "2026-03-02T00:00:00Z", []string{"2026-03-02T01:10:00Z", "2026-03-02T01:30:00Z", "2026-03-02T01:50:00Z", "2026-03-03T01:10:00Z"}},
		{"@daily", "Asia/Tokyo", "2026-03-02T00:00:00Z", []string{"2026-03-03T00:00:00+09:00"}},
		{"@Monthly", "UTC", "2026-12-31T23:59:59Z", []string{"2027-01-01T00:00:00Z"}},
		{"0 1 * * *", "Pacific/Kiritimati", "2026-03-02T00:00:00Z", []string{"2026-03-03T01:00:00+14:00"}},
		{"0 */6 * * *", "Pacific/Kiritimati", "2026-03-02T00:00:00Z", []string{"2026-03-02T18:00:00+14:00", "2026-03-03T00:00:00+14:00"}},
		{"0 */6 * * *", "Pacific/Pago_Pago", "2026-03-02T00:00:00Z", []string{"2026-03-01T18:00:00-11:00", "2026-03-02T00:00:00-11:00"}},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(c.line)
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		at, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.due {
			at = s.Next(at, zone)
			if got := at.In(zone).Format(time.RFC3339); got != want {
				t.Errorf("%s in %s after %s: %s, want %s", c.line, c.zone, c.after, got, want)
			}
		}
	}
}

// On a day that skips an hour, and on one that has it twice.
func TestClockChanges(t *testing.T) {
	for _, c := range []struct {
		line, zone, after string
		due               []string
	}{
		// Berlin: 02:00 becomes 03:00 on 2026-03-29, and 03:00 becomes 02:00 on 2026-10-25.
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"30 2,3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T02:30:00+02:00", "2026-10-25T03:30:00+01:00"}},
		{"30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", []string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"}},
		{"30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", []string{"2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"}},
		// New York: 2026-03-08 and 2026-11-01.
		{"15 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", []string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:15:00-04:00"}},
		{"15 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", []string{"2026-11-01T01:15:00-04:00", "2026-11-02T01:15:00-05:00"}},
		// Lord Howe moves by half an hour: 02:00 becomes 02:30 on 2026-10-04, back on 2026-04-05.
		{"10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", []string{"2026-10-04T02:30:00+11:00"}},
		{"40 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", []string{"2026-04-05T01:40:00+11:00", "2026-04-06T01:40:00+10:30"}},
		// Santiago has no midnight on 2026-09-06.
		{"0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", []string{"2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"}},
		{"0 * * * *", "America/Santiago", "2026-09-06T03:30:00Z", []string{"2026-09-06T01:00:00-03:00"}},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(c.line)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.due {
			at = s.Next(at, zone)
			if got := at.In(zone).Format(time.RFC3339); got != want {
				t.Errorf("%s in %s after %s: %s, want %s", c.line, c.zone, c.after, got, want)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for line, want := range map[string]string{
		"":                "five fields",
		"* * * *":         "this has 4",
		"0 * * * * *":     "this has 6",
		"60 * * * *":      `"60" is no minute: it goes from 0 to 59`,
		"* 24 * * *":      "hour",
		"* * 0 * *":       "day of the month",
		"* * * 13 *":      "month",
		"* * * * 8":       "day of the week",
		"* * * * mo":      "day of the week",
		"5-1 * * * *":     "goes backwards",
		"*/0 * * * *":     "no step",
		"*/x * * * *":     "no step",
		"*/99 * * * *":    "no step",
		", * * * *":       "minute",
		"+5 * * * *":      "minute",
		"-5 * * * *":      "minute",
		"1-2-3 * * * *":   "minute",
		"0 0 31 2 *":      "never due",
		"0 0 30,31 feb *": "never due",
		"0 0 31 4,6 ?":    "never due",
		"@noon":           "five fields",
	} {
		if s, err := Parse(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", line, s, err)
		}
	}
}

// FuzzNext: what is read is due some day, later than asked, on a minute.
func FuzzNext(f *testing.F) {
	f.Add("*/5 * * * *", int64(1_772_444_851))
	f.Add("0 0 29 2 *", int64(0))
	f.Add("59 23 31 12 6", int64(4_102_444_800))
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string, unix int64) {
		s, err := Parse(line)
		if err != nil || unix < 0 || unix > 1<<33 {
			return
		}
		after := time.Unix(unix, 0)
		due := s.Next(after, berlin)
		if !due.After(after) || due.Second() != 0 {
			t.Errorf("%q after %v: %v", line, after, due)
		}
	})
}

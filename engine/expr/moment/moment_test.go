package moment

import (
	"strings"
	"testing"
	"time"
)

var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func TestFormat(t *testing.T) {
	afternoon := time.Date(2026, 12, 7, 15, 4, 5, 6_007_000, time.UTC)
	for pattern, want := range map[string]string{
		"%Y %y %m %d %H %I %M %S %p %P": "2026 26 12 07 15 03 04 05 PM pm",
		"%A %a %B %b %h %e|%k|%l":       "Monday Mon December Dec Dec  7|15| 3",
		"%-d.%-m. %-H:%-M %-I":          "7.12. 15:4 3",
		"%j %V %G %u %w %s %f %L":       "341 50 2026 1 1 1796655845 006007 006",
		"%F %T %R %D %x %X %r":          "2026-12-07 15:04:05 15:04 12/07/26 12/07/26 15:04:05 03:04:05 PM",
		"%z %Z %c%n%t%%":                "+0000 UTC Mon Dec  7 15:04:05 2026\n\t%",
		"ü":                             "ü",
		"%":                             "the format ends after %: write %% for a percent sign",
		"a%-":                           "the format ends after %: write %% for a percent sign",
		"%Q":                            "the format has %Q, which does not exist: write %Y %m %d %H %M %S %a %b %Z and the like, %% for a percent sign",
	} {
		got, err := Format(afternoon, pattern)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}

func TestWithin(t *testing.T) {
	for pattern, want := range map[string]bool{
		"mon-fri 09:00-17:00": true, "mon": true, "monday": true, "tue": false, "sat,sun; mon 10:00-10:01": true,
		"10:00-11:00": true, "09:00-10:00": false, "10:01-09:59": false, "sun 22:00-10:01": true, "sun 22:00-10:00": false,
		"fri-mon": true, "mon 08:00-09:00,10:00-11:00": true, "MON 00:00-24:00": true, "tue-sun": false,
	} {
		if got, err := Within(monday, pattern); err != nil || got != want {
			t.Errorf("%s: %v, %v", pattern, got, err)
		}
	}
	for _, pattern := range []string{
		"", "weekdays", "mon 9", "mon 09:00", "mon 09:00-09:00", "mon 09:00-25:00", "mon 24:00-09:00", "mon 09:00-17:00 x",
		"mon-x", "mon 9:0-10:00", "mon; tomorrow",
	} {
		if in, err := Within(monday.AddDate(0, 0, 1), pattern); err == nil || in {
			t.Errorf("%s: %v, %v", pattern, in, err)
		}
	}
}

func TestDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "1w2d": 216 * time.Hour, "0": 0, "0s": 0,
		"1.5h": 90 * time.Minute, " 5m ": 5 * time.Minute, "-2m": -2 * time.Minute, "+3ms": 3 * time.Millisecond, "0.5d": 12 * time.Hour,
	} {
		if got, err := Duration(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "5", "m", "5 m", "1h 30m", "--5m", "5x", "1.2.3s", "200000d", "20000w", "106751d106751d", "1e3s", "∞"} {
		if d, err := Duration(s); err == nil {
			t.Errorf("%q: %v", s, d)
		}
	}
}

func TestParse(t *testing.T) {
	tokyo, err := Zone("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]string{
		"2026-03-02":                      "2026-03-02T00:00:00+09:00",
		" 2026-03-02 18:00 ":              "2026-03-02T18:00:00+09:00",
		"2026-03-02T18:00":                "2026-03-02T18:00:00+09:00",
		"2026-03-02T18:00:01.5Z":          "2026-03-02T18:00:01.5Z",
		"2026-03-02 18:00:00+01:00":       "2026-03-02T18:00:00+01:00",
		"Mon, 02 Mar 2026 10:00:00 +0100": "2026-03-02T10:00:00+01:00",
	} {
		if got, err := Parse(s, tokyo); err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	if _, err := Parse("2026-02-30", tokyo); err == nil {
		t.Error("the 30th of February is a date")
	}
	if got, err := ParseAs("02.01.2006 15", "02.03.2026 8", tokyo); err != nil || got.UTC().Hour() != 23 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ParseAs("02.01.2006", "2026", tokyo); err == nil || err.Error() != `"2026" does not look like "02.01.2006"` {
		t.Error(err)
	}
	for n, want := range map[int64]string{0: "1970-01-01T09:00:00+09:00", 1772445600: "2026-03-02T19:00:00+09:00", 1772445600123: "2026-03-02T19:00:00.123+09:00"} {
		if got := Unix(n, tokyo).Format(time.RFC3339Nano); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestZone(t *testing.T) {
	for _, name := range []string{"", "Local", "Berlin", "+01:00", "../etc/passwd"} {
		if z, err := Zone(name); err == nil {
			t.Errorf("%q is %v", name, z)
		}
	}
}

func FuzzMoment(f *testing.F) {
	f.Add("mon-fri 09:00-17:00; sat")
	f.Add("1w2d3.5h")
	f.Add("%-d %Q")
	f.Add("2026-03-02T18:00:01.5Z")
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = Within(monday, s)
		_, _ = Format(monday, s)
		if at, err := Parse(s, time.UTC); err == nil && at.Location() == time.Local {
			t.Errorf("%q is in the machine's zone", s)
		}
		if d, err := Duration(s); err == nil && (d < 0) != (strings.HasPrefix(strings.TrimSpace(s), "-") && d != 0) {
			t.Errorf("%q is %v", s, d)
		}
	})
}

// TestParseWhereClocksChange: a time that clocks show twice is the first, one that they leave
// out comes later, in every zone; a text that says its offset is what it says.
func TestParseWhereClocksChange(t *testing.T) {
	for _, c := range []struct{ zone, text, want string }{
		{"Europe/Berlin", "2026-10-25 02:00", "2026-10-25T02:00:00+02:00"},
		{"Europe/Berlin", "2026-10-25 02:59", "2026-10-25T02:59:00+02:00"},
		{"Europe/Berlin", "2026-10-25 03:00", "2026-10-25T03:00:00+01:00"},
		{"Europe/Berlin", "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00"},
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-29T03:30:00+02:00"},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01T01:30:00-04:00"},
		{"America/New_York", "2026-03-08 02:30", "2026-03-08T03:30:00-04:00"},
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05T01:45:00+11:00"},
	} {
		zone, err := Zone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(c.text, zone)
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("%s in %s: %s, not %s (%v)", c.text, c.zone, got.Format(time.RFC3339), c.want, err)
		}
	}
	zone, _ := Zone("Europe/Berlin")
	if got, err := ParseAs("02.01.2006 15:04", "25.10.2026 02:30", zone); err != nil || got.Format(time.RFC3339) != "2026-10-25T02:30:00+02:00" {
		t.Errorf("by a layout: %v %v", got, err)
	}
}

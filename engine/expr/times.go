package expr

import (
	"errors"
	"math"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine
)

func now(m *meter, args []any) (any, error) {
	t := m.now()
	if len(args) == 0 {
		return t, nil
	}
	zone, err := zoneOf(args[0])
	if err != nil {
		return nil, err
	}
	return t.In(zone), nil
}

func timezone(_ *meter, args []any) (any, error) { return zoneOf(args[0]) }

func zoneOf(v any) (*time.Location, error) {
	if l, ok := v.(*time.Location); ok && l != nil {
		return l, nil
	}
	name, err := needText(v)
	if err != nil {
		return nil, err
	}
	return loadZone(name)
}

func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, &Error{Message: short(name) + " is no time zone", Hint: "write one such as 'Europe/Berlin' or 'UTC'"}
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, &Error{Message: short(name) + " is no time zone", Hint: "write one such as 'Europe/Berlin' or 'UTC'"}
	}
	return l, nil
}

// date reads a time: date(text), date(text, zone), date(text, layout),
// date(text, layout, zone). A number is a Unix time, in seconds or, from 10^11
// on, milliseconds.
func date(_ *meter, args []any) (any, error) {
	zone, layout := time.UTC, ""
	var err error
	switch rest := args[1:]; len(rest) {
	case 1:
		if zone, layout, err = zoneOrLayout(rest[0]); err != nil {
			return nil, err
		}
	case 2:
		if layout, err = needText(rest[0]); err != nil {
			return nil, err
		}
		if zone, err = zoneOf(rest[1]); err != nil {
			return nil, err
		}
	}
	if layout == "" {
		return timeOf(args[0], zone)
	}
	s, err := needText(args[0])
	if err != nil {
		return nil, err
	}
	t, err := time.ParseInLocation(layout, s, zone)
	if err != nil {
		return nil, &Error{Message: short(s) + " does not look like " + short(layout)}
	}
	return t, nil
}

func zoneOrLayout(v any) (*time.Location, string, error) {
	s, ok := v.(string)
	if ok && strings.ContainsAny(s, "0123456789") && !strings.HasPrefix(s, "Etc/") {
		return time.UTC, s, nil
	}
	zone, err := zoneOf(v)
	return zone, "", err
}

var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", time.RFC1123Z, time.RFC1123,
	time.RFC850, time.RFC822Z, time.RFC822, "15:04:05", "15:04",
}

// timeOf returns a value as a time; a text without zone is in this one.
func timeOf(v any, zone *time.Location) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v.In(zone), nil
	case int:
		return unixTime(int64(v), zone), nil
	case int64:
		return unixTime(v, zone), nil
	case string:
		for _, l := range layouts {
			if t, err := time.ParseInLocation(l, strings.TrimSpace(v), zone); err == nil {
				return withoutLocal(t), nil
			}
		}
		return time.Time{}, &Error{Message: short(v) + " is no date or time", Hint: "write it as 2026-03-02T10:00:00Z, or give its layout"}
	}
	return time.Time{}, wrongKind("a time", v)
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

func unixTime(n int64, zone *time.Location) time.Time {
	if n >= 1e11 || n <= -1e11 {
		return time.UnixMilli(n).In(zone)
	}
	return time.Unix(n, 0).In(zone)
}

func duration(_ *meter, args []any) (any, error) {
	if d, ok := args[0].(time.Duration); ok {
		return d, nil
	}
	s, err := needText(args[0])
	if err != nil {
		return nil, err
	}
	return ParseDuration(s)
}

// ParseDuration reads a duration in text such as 90s, 1h30m, 2d or 1w2d. A day
// is 24 hours. Each number needs its unit; it is not negative but with a sign.
func ParseDuration(s string) (time.Duration, error) {
	rest := strings.TrimSpace(s)
	negative := strings.HasPrefix(rest, "-")
	rest = strings.TrimLeft(rest, "+-")
	if rest == "0" {
		return 0, nil
	}
	bad := &Error{Message: short(s) + " is no duration", Hint: "write a number and a unit, such as 30s, 5m, 2h, 1d or 1w"}
	if rest == "" || len(rest) < len(strings.TrimSpace(s))-1 {
		return 0, bad
	}
	var total time.Duration
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if n <= 0 {
			return 0, bad
		}
		end := n + strings.IndexFunc(rest[n:]+"0", func(r rune) bool { return r == '.' || '0' <= r && r <= '9' })
		d, err := oneUnit(rest[:n], rest[n:end])
		if err != nil || total > math.MaxInt64-d {
			return 0, bad
		}
		total += d
		rest = rest[end:]
	}
	if negative {
		total = -total
	}
	return total, nil
}

var errUnit = errors.New("no such unit")

func oneUnit(number, unit string) (time.Duration, error) {
	factor := time.Duration(1)
	switch unit {
	case "d":
		unit, factor = "h", 24
	case "w":
		unit, factor = "h", 7*24
	}
	d, err := time.ParseDuration(number + unit)
	if err != nil || d > math.MaxInt64/factor {
		return 0, errUnit
	}
	return d * factor, nil
}

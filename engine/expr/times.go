package expr

import (
	"errors"
	"strings"
	"time"

	"zflow/engine/expr/moment"
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
	zone, err := moment.Zone(name)
	return zone, told(err)
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
	t, err := moment.ParseAs(layout, s, zone)
	return t, told(err)
}

func zoneOrLayout(v any) (*time.Location, string, error) {
	s, ok := v.(string)
	if ok && strings.ContainsAny(s, "0123456789") && !strings.HasPrefix(s, "Etc/") {
		return time.UTC, s, nil
	}
	zone, err := zoneOf(v)
	return zone, "", err
}

// timeOf returns a value as a time; a text without zone is in this one.
func timeOf(v any, zone *time.Location) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v.In(zone), nil
	case int:
		return moment.Unix(int64(v), zone), nil
	case int64:
		return moment.Unix(v, zone), nil
	case string:
		t, err := moment.Parse(v, zone)
		return t, told(err)
	}
	return time.Time{}, wrongKind("a time", v)
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
	d, err := moment.Duration(s)
	return d, told(err)
}

// told returns an error of package moment as one of ours.
func told(err error) error {
	var e *moment.Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{Message: e.Message, Hint: e.Hint}
}

// format writes a time: format(time, '%d.%m.%Y %H:%M', 'Europe/Berlin'). The
// zone is UTC unless given.
func format(m *meter, args []any) (any, error) {
	t, pattern, err := timeAndText(args)
	if err != nil {
		return nil, err
	}
	out, err := moment.Format(t, pattern)
	if err != nil {
		return nil, told(err)
	}
	return out, m.grow(len(out))
}

// within tells whether a time falls into a weekly pattern:
// within(time, 'mon-fri 09:00-17:00', zone).
func within(_ *meter, args []any) (any, error) {
	t, pattern, err := timeAndText(args)
	if err != nil {
		return nil, err
	}
	in, err := moment.Within(t, pattern)
	return in, told(err)
}

// timeAndText reads the arguments time, text and, if there is one, zone.
func timeAndText(args []any) (t time.Time, s string, err error) {
	zone := time.UTC
	if len(args) > 2 {
		if zone, err = zoneOf(args[2]); err != nil {
			return t, "", err
		}
	}
	if t, err = timeOf(args[0], zone); err != nil {
		return t, "", err
	}
	s, err = needText(args[1])
	return t.In(zone), s, err
}

package toolbox

import (
	"strings"
	"time"

	"zflow/engine/expr/moment"
)

func timezone(_ Meter, args []any) (any, error) { return Zone(args[0]) }

// Zone returns an argument that names a time zone, or is one.
func Zone(v any) (*time.Location, error) {
	if l, ok := v.(*time.Location); ok && l != nil {
		return l, nil
	}
	name, err := Text(v)
	if err != nil {
		return nil, err
	}
	return moment.Zone(name)
}

// date reads a time: date(text), date(text, zone), date(text, layout),
// date(text, layout, zone). A number is a Unix time, in seconds or, from 10^11
// on, milliseconds.
func date(_ Meter, args []any) (any, error) {
	zone, layout := time.UTC, ""
	var err error
	switch rest := args[1:]; len(rest) {
	case 1:
		if zone, layout, err = zoneOrLayout(rest[0]); err != nil {
			return nil, err
		}
	case 2:
		if layout, err = Text(rest[0]); err != nil {
			return nil, err
		}
		if zone, err = Zone(rest[1]); err != nil {
			return nil, err
		}
	}
	if layout == "" {
		return TimeOf(args[0], zone)
	}
	s, err := Text(args[0])
	if err != nil {
		return nil, err
	}
	t, err := moment.ParseAs(layout, s, zone)
	return t, err
}

func zoneOrLayout(v any) (*time.Location, string, error) {
	s, ok := v.(string)
	if ok && strings.ContainsAny(s, "0123456789") && !strings.HasPrefix(s, "Etc/") {
		return time.UTC, s, nil
	}
	zone, err := Zone(v)
	return zone, "", err
}

// TimeOf returns a value as a time; a text without zone is in this one.
func TimeOf(v any, zone *time.Location) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v.In(zone), nil
	case int:
		return moment.Unix(int64(v), zone), nil
	case int64:
		return moment.Unix(v, zone), nil
	case string:
		return moment.Parse(v, zone)
	}
	return time.Time{}, WrongKind("a time", v)
}

func duration(_ Meter, args []any) (any, error) {
	if d, ok := args[0].(time.Duration); ok {
		return d, nil
	}
	s, err := Text(args[0])
	if err != nil {
		return nil, err
	}
	return moment.Duration(s)
}

// format writes a time: format(time, '%d.%m.%Y %H:%M', 'Europe/Berlin'). The
// zone is UTC unless given.
func format(m Meter, args []any) (any, error) {
	t, pattern, err := timeAndText(args)
	if err != nil {
		return nil, err
	}
	out, err := moment.Format(t, pattern)
	if err != nil {
		return nil, err
	}
	return out, m.Grow(len(out))
}

// within tells whether a time falls into a weekly pattern:
// within(time, 'mon-fri 09:00-17:00', zone).
func within(_ Meter, args []any) (any, error) {
	t, pattern, err := timeAndText(args)
	if err != nil {
		return nil, err
	}
	in, err := moment.Within(t, pattern)
	return in, err
}

// timeAndText reads the arguments time, text and, if there is one, zone.
func timeAndText(args []any) (t time.Time, s string, err error) {
	zone := time.UTC
	if len(args) > 2 {
		if zone, err = Zone(args[2]); err != nil {
			return t, "", err
		}
	}
	if t, err = TimeOf(args[0], zone); err != nil {
		return t, "", err
	}
	s, err = Text(args[1])
	return t.In(zone), s, err
}

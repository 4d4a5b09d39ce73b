package toolbox

import (
	"time"

	"zflow/engine/expr/moment"
)

// timeIn reads the argument time and, if there is one at i, the zone. Without one the
// time stays in its own: that of date() or now(), or the offset of the text.
func timeIn(args []any, i int) (time.Time, error) {
	if len(args) > i {
		zone, err := Zone(args[i])
		if err != nil {
			return time.Time{}, err
		}
		t, err := TimeOf(args[0], zone)
		return t.In(zone), err
	}
	if t, ok := args[0].(time.Time); ok {
		return t, nil
	}
	return TimeOf(args[0], time.UTC)
}

// addTime is addTime(time, 1, 'month', zone).
func addTime(_ Meter, args []any) (any, error) {
	t, err := timeIn(args, 3)
	if err != nil {
		return nil, err
	}
	n, err := Int(args[1])
	if err != nil {
		return nil, err
	}
	unit, err := Text(args[2])
	if err != nil {
		return nil, err
	}
	return orError(moment.Add(t, n, unit))
}

// diffTime is diffTime(from, to, 'day', zone).
func diffTime(_ Meter, args []any) (any, error) {
	from, err := timeIn(args, 3)
	if err != nil {
		return nil, err
	}
	to, err := TimeOf(args[1], from.Location())
	if err != nil {
		return nil, err
	}
	unit, err := Text(args[2])
	if err != nil {
		return nil, err
	}
	return orError(moment.Diff(from, to, unit))
}

// nextTime is nextTime(time, 'mon-fri 09:00', zone).
func nextTime(_ Meter, args []any) (any, error) {
	return timeBy(args, moment.Next)
}

// edge makes startOf and endOf: startOf(time, 'day', zone).
func edge(f func(time.Time, string) (time.Time, error)) Function {
	return func(_ Meter, args []any) (any, error) { return timeBy(args, f) }
}

func timeBy(args []any, f func(time.Time, string) (time.Time, error)) (any, error) {
	t, err := timeIn(args, 2)
	if err != nil {
		return nil, err
	}
	by, err := Text(args[1])
	if err != nil {
		return nil, err
	}
	return orError(f(t, by))
}

// orError is a result, or nothing but an error.
func orError[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

package expr

import (
	"errors"
	"time"

	"zflow/engine/expr/moment"
	"zflow/engine/expr/toolbox"
)

func now(m *meter, args []any) (any, error) {
	t := m.now()
	if len(args) == 0 {
		return t, nil
	}
	zone, err := toolbox.Zone(args[0])
	if err != nil {
		return nil, err
	}
	return t.In(zone), nil
}

// ParseDuration reads a duration in text such as 90s, 1h30m, 2d or 1w2d. A day
// is 24 hours. Each number needs its unit; it is not negative but with a sign.
func ParseDuration(s string) (time.Duration, error) {
	d, err := moment.Duration(s)
	return d, told(err)
}

// told returns an error of the packages below as one of ours.
func told(err error) error {
	var m *moment.Error
	var t *toolbox.Error
	switch {
	case errors.As(err, &m):
		return &Error{Message: m.Message, Hint: m.Hint}
	case errors.As(err, &t):
		return &Error{Message: t.Message, Hint: t.Hint, missing: t.Missing}
	}
	return err
}

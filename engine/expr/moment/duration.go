package moment

import (
	"errors"
	"math"
	"strings"
	"time"
)

// Duration reads a duration in text such as 90s, 1h30m, 2d or 1w2d. A day
// is 24 hours. Each number needs its unit; it is not negative but with a sign.
func Duration(s string) (time.Duration, error) {
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

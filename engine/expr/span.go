package expr

import (
	"fmt"
	"math"
	"time"
)

// longest is the longest duration that can be counted.
const longest = time.Duration(math.MaxInt64)

// DurationOf reads what an expression gave for a length of time: a text such as
// 30m, or seconds.
func DurationOf(v any) (d time.Duration, err error) {
	switch v := v.(type) {
	case string:
		d, err = ParseDuration(v)
	case int64:
		return DurationOf(float64(v))
	case float64:
		if v > longest.Seconds() {
			return 0, fmt.Errorf("%v seconds are more than %s", v, longest)
		}
		d = time.Duration(v * float64(time.Second))
	default:
		err = fmt.Errorf("%v is not a duration: write 30m, or a number of seconds", v)
	}
	if err == nil && d < 0 {
		err = fmt.Errorf("%v is less than nothing", v)
	}
	return d, err
}

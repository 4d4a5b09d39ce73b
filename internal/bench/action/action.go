// Package action measures what calls of single actions cost, in this process and
// without a worker around them.
package action

import (
	"slices"
	"time"
)

// Times are how long calls took.
type Times struct{ P50, P99 time.Duration }

func timesOf(all []time.Duration) (t Times) {
	slices.Sort(all)
	if n := len(all); n > 0 {
		t = Times{all[n/2], all[min(n*99/100, n-1)]}
	}
	return t
}

// timed calls again and again for a while.
func timed(length time.Duration, call func() error) (all []time.Duration, err error) {
	for begun := time.Now(); err == nil && time.Since(begun) < length; {
		before := time.Now()
		err = call()
		all = append(all, time.Since(before))
	}
	return all, err
}

package clock

import (
	"testing"
	"testing/synctest"
	"time"
)

// The broker's time is that of its last reading, and what has passed since.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		stored := time.Now().Add(-time.Hour)
		if c.Known() || !c.Due(time.Now()) {
			t.Error("a clock that never learned knows the time")
		}
		if got := c.Now(); !got.Equal(time.Now()) {
			t.Errorf("a clock that never learned says %v", got)
		}
		c.Learn(time.Now(), stored)
		time.Sleep(learnEvery)
		if got := c.Now().Sub(stored); got != learnEvery || !c.Known() || c.Due(time.Now()) {
			t.Errorf("after %v it says %v, due %v", learnEvery, got, c.Due(time.Now()))
		}
		time.Sleep(time.Millisecond)
		if !c.Due(time.Now()) {
			t.Error("it does not learn again")
		}
	})
}

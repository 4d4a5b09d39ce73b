package bubble

import (
	"strings"
	"testing"
	"time"
)

func TestRunPassesADayAtOnce(t *testing.T) {
	begun := time.Now()
	for range 2 {
		var from, to time.Time
		err := Run(func(c *Clock) {
			from = time.Now()
			c.Leap(24 * time.Hour)
			to = time.Now()
			if got := time.Unix(0, serverTime.Load()); !got.Equal(to) {
				t.Errorf("the server's clock says %v at %v", got, to)
			}
			time.Sleep(time.Second)
			if got := time.Unix(0, serverTime.Load()); time.Since(got) > beat {
				t.Errorf("the server's clock says %v at %v", got, time.Now())
			}
		})
		if err != nil || to.Sub(from) != 24*time.Hour {
			t.Errorf("from %v to %v: %v", from, to, err)
		}
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("two virtual days took %v", took)
	}
	if serverTimeUsers.Load() != 0 || serverTime.Load() != 0 {
		t.Error("the server's clock was not given back")
	}
}

func TestWhatGoesWrongInABubbleIsAnError(t *testing.T) {
	for want, f := range map[string]func(*Clock){
		"deadlock": func(*Clock) { go func() { select {} }() },
		"broken":   func(*Clock) { panic("broken") },
	} {
		err := Run(f)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if err := Run(func(*Clock) {}); err != nil {
			t.Errorf("after %s: %v", want, err)
		}
	}
}

func TestOneClockAtATime(t *testing.T) {
	err := Run(func(*Clock) {
		if _, err := Start(); err == nil {
			t.Error("a second clock was started")
		}
	})
	if err != nil {
		t.Error(err)
	}
}

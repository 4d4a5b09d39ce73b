package turnstile

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all Turnstiles
		inside, entered := map[string]int{}, 0
		for n := range 12 {
			key := string(rune('a' + n%2))
			go func() {
				leave, ok := all.Enter(t.Context(), key)
				if !ok {
					t.Error("it was not let in")
					return
				}
				defer leave()
				defer leave() // leaving twice is leaving once
				if inside[key]++; inside[key] > 1 {
					t.Errorf("%d are inside %s", inside[key], key)
				}
				time.Sleep(time.Second)
				inside[key]--
				entered++
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		if entered != 12 || len(all.busy) != 0 {
			t.Errorf("%d entered, %d are left", entered, len(all.busy))
		}
	})
}

func TestGivesUp(t *testing.T) {
	var all Turnstiles
	leave, _ := all.Enter(t.Context(), "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := all.Enter(ctx, "a"); ok {
		t.Error("two are inside")
	}
	if n := all.Users("a"); n != 1 {
		t.Errorf("%d are there, not one", n)
	}
	leave()
	if n := all.Users("a"); n != 0 || len(all.busy) != 0 {
		t.Errorf("%d are left, of %d keys", n, len(all.busy))
	}
}

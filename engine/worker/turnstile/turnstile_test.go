package turnstile

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all Turnstiles
		var inside [2]atomic.Int32
		var entered atomic.Int32
		for n := range 12 {
			key, inside := string(rune('a'+n%2)), &inside[n%2]
			go func() {
				leave, ok := all.Enter(t.Context(), key)
				if !ok {
					t.Error("it was not let in")
					return
				}
				defer leave()
				defer leave() // leaving twice is leaving once
				if now := inside.Add(1); now > 1 {
					t.Errorf("%d are inside %s", now, key)
				}
				time.Sleep(time.Second)
				inside.Add(-1)
				entered.Add(1)
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if entered.Load() != 12 || len(all.busy) != 0 {
			t.Errorf("%d entered, %d are left", entered.Load(), len(all.busy))
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

package pause

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		if !For(ctx, 40*time.Second) || time.Since(begun) != 40*time.Second {
			t.Errorf("not the whole while: %v", time.Since(begun))
		}
		if For(ctx, time.Hour) || time.Since(begun) != time.Minute {
			t.Errorf("longer than it was asked for: %v", time.Since(begun))
		}
	})
}

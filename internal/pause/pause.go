// Package pause waits no longer than whoever asked for it.
package pause

import (
	"context"
	"time"
)

// For waits a while; it returns false at once when ctx ends.
func For(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

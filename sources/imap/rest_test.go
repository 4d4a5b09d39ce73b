package imap

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Where only a person can help the next try is long after, or once the password is
// another; else it is soon.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		changes := begun.Add(24 * time.Hour)
		r := &Reader{Config: Config{Key: func(context.Context) (Key, error) {
			if time.Now().Before(changes) {
				return Key{Text: "old"}, nil
			}
			return Key{Text: "new"}, nil
		}}}
		took := func(err error) time.Duration {
			begun = time.Now()
			r.rest(t.Context(), err, "old", time.Second)
			return time.Since(begun)
		}
		if d := took(errors.New("away")); d < time.Second || d > 2*time.Second {
			t.Errorf("after a failure that passes: %s", d)
		}
		if d := took(lasting("refused")); d < longPause {
			t.Errorf("after a refusal: %s", d)
		}
		changes = time.Now().Add(time.Minute)
		if d := took(lasting("refused")); d < time.Minute || d > 2*time.Minute {
			t.Errorf("with another password: %s", d)
		}
	})
}

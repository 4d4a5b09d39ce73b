package natstest

import (
	"testing"

	"zflow/internal/bubble"
)

// VirtualTime makes servers that run in a bubble age their messages by the
// bubble's clock. It takes the place of ats.Register, is called first in the
// bubble, and holds until the end of the test. What it returns can leap.
func VirtualTime(t testing.TB) *bubble.Clock {
	t.Helper()
	c, err := bubble.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

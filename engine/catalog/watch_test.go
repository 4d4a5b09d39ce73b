package catalog

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// next waits for an entry of a watch.
func next(t testing.TB, entries <-chan Entry) Entry {
	t.Helper()
	select {
	case e, open := <-entries:
		if !open {
			t.Fatal("the watch has ended")
		}
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
	}
	return Entry{}
}

func TestWatch(t *testing.T) {
	h := open(t)
	a := h.deploy(t, source("a", "one", "meeting.ended"))
	h.deploy(t, source("b", "one", "meeting.ended"))
	must(t, h.Remove(t.Context(), "b"))
	ctx, cancel := context.WithCancel(t.Context())
	entries, err := another(t, h.server).Watch(ctx)
	must(t, err)
	if got := next(t, entries); got != a.Entry {
		t.Errorf("got %+v, want %+v", got, a.Entry)
	}
	c := h.deploy(t, source("c", "one", "meeting.ended")) // b, removed before, is not told
	if got := next(t, entries); got != c.Entry {
		t.Errorf("got %+v, want %+v", got, c.Entry)
	}
	must(t, h.Pause(t.Context(), "c"))
	if got := next(t, entries); got.Name != "c" || got.State != Paused || got.Version != c.Version {
		t.Errorf("got %+v", got)
	}
	must(t, h.Remove(t.Context(), "a"))
	if got := next(t, entries); got.Name != "a" || got.State != Removed || got.Version != a.Version {
		t.Errorf("got %+v", got)
	}
	_, err = h.bucket.PutString(t.Context(), "c", "{")
	must(t, err)
	if got := next(t, entries); got.Name != "c" || got.State != Unreadable {
		t.Errorf("got %+v", got)
	}
	must(t, h.bucket.Delete(t.Context(), "c"))
	if got := next(t, entries); got.Name != "c" || got.State != Removed {
		t.Errorf("got %+v", got)
	}
	cancel()
	for range entries {
	}
}

// TestWatchSurvivesRestart tells after a restart what changed, and that only.
func TestWatchSurvivesRestart(t *testing.T) {
	h := open(t)
	a := h.deploy(t, source("a", "one", "meeting.ended"))
	entries, err := another(t, h.server).Watch(t.Context())
	must(t, err)
	if got := next(t, entries); got != a.Entry {
		t.Fatalf("got %+v", got)
	}
	for i := range 3 {
		h.server.Restart(t)
		var d Deployed
		eventually(t, func() (err error) {
			d, _, err = h.Deploy(t.Context(), "w.yaml", source("b", string(rune('x'+i)), "meeting.ended"))
			return err
		})
		if got := next(t, entries); got != d.Entry {
			t.Errorf("restart %d: got %+v, want %+v", i, got, d.Entry)
		}
	}
}

// TestWatchSeesWhatVanished takes an entry away as a power failure would.
func TestWatchSeesWhatVanished(t *testing.T) {
	h := open(t)
	h.deploy(t, source("a", "one", "meeting.ended"))
	entries, err := another(t, h.server).Watch(t.Context())
	must(t, err)
	next(t, entries)
	s, err := h.js.Stream(t.Context(), "KV_DEFINITIONS")
	must(t, err)
	must(t, s.Purge(t.Context(), jetstream.WithPurgeSubject("$KV.DEFINITIONS.a")))
	h.server.Restart(t)
	if got := next(t, entries); got.Name != "a" || got.State != Removed {
		t.Errorf("got %+v", got)
	}
}

// TestWatchEndsWithConnection closes the connection under a watch, which then
// ends with its context.
func TestWatchEndsWithConnection(t *testing.T) {
	h := open(t)
	c := another(t, h.server)
	ctx, cancel := context.WithCancel(t.Context())
	entries, err := c.Watch(ctx)
	must(t, err)
	c.js.Conn().Close()
	cancel()
	for range entries {
	}
	if _, err := c.Watch(t.Context()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := c.List(t.Context()); err == nil {
		t.Error("listed over a closed connection")
	}
}

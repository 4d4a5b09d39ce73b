package bench

import (
	"path/filepath"
	"testing"
	"time"
)

func TestFlushes(t *testing.T) {
	dir := t.TempDir()
	all, err := flushes(t.Context(), dir, time.Millisecond)
	if err != nil || len(all) == 0 {
		t.Errorf("%d flushes, %v", len(all), err)
	}
	empty(t, dir)
	if _, err := flushes(t.Context(), filepath.Join(dir, "none"), time.Millisecond); err == nil {
		t.Error("flushes in no folder = nil")
	}
}

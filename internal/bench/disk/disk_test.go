package disk

import (
	"path/filepath"
	"testing"
	"time"
)

func TestFlushes(t *testing.T) {
	dir := t.TempDir()
	all, err := Flushes(t.Context(), dir, time.Millisecond)
	if err != nil || len(all) == 0 {
		t.Errorf("%d flushes, %v", len(all), err)
	}
	if _, err := Flushes(t.Context(), filepath.Join(dir, "none"), time.Millisecond); err == nil {
		t.Error("flushes in no folder = nil")
	}
}

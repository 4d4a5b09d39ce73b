package durable

import (
	"errors"
	"os"
	"time"
)

// A folder's time moves with the kernel's tick, on some file systems with the
// second. A folder listed sooner than this after its time can have changed
// without a trace.
const (
	tick       = 100 * time.Millisecond
	coarseTick = 2500 * time.Millisecond
)

// folder lists a folder again only where it may have changed.
type folder struct {
	path string
	seen os.FileInfo // when listed last; nil where a change could have gone unseen
}

// list returns the names, or changed false where they are those of last time.
// A folder that is not there has no names: its stream is being made or deleted.
func (d *folder) list() (names []string, changed bool, err error) {
	now, err := os.Stat(d.path)
	if errors.Is(err, os.ErrNotExist) {
		d.seen = nil
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	if d.seen != nil && os.SameFile(d.seen, now) && d.seen.ModTime().Equal(now.ModTime()) {
		return nil, false, nil
	}
	f, err := os.Open(d.path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	names, err = f.Readdirnames(-1)
	if err != nil {
		return nil, false, err
	}
	d.seen = now
	if !settled(now.ModTime(), time.Now()) {
		d.seen = nil
	}
	return names, true, nil
}

func settled(changed, now time.Time) bool {
	if changed.Nanosecond() == 0 {
		return now.Sub(changed) > coarseTick
	}
	return now.Sub(changed) > tick
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string, sync func(*os.File) error) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return sync(f)
}

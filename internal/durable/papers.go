package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// papers are the files that describe a stream and its consumers (meta.inf and
// its checksum). The server leaves them to the system's own time, and without
// them it does not read the blocks.
type papers struct {
	dir       string
	sync      func(*os.File) error
	seen      map[string]os.FileInfo
	consumers folder
}

func newPapers(dir string, sync func(*os.File) error) papers {
	return papers{dir: dir, sync: sync, seen: map[string]os.FileInfo{},
		consumers: folder{path: filepath.Join(dir, "obs")}}
}

// has says whether a folder had a description when it was looked at last.
func (p *papers) has(dir string) bool { return p.seen[filepath.Join(dir, "meta.inf")] != nil }

// flushConsumers flushes the descriptions of all consumers, and the folder that
// has their names if one is new. Unless thorough, it looks only where a consumer
// was made or deleted.
func (p *papers) flushConsumers(thorough bool) error {
	if thorough {
		p.consumers.seen = nil
	}
	names, changed, err := p.consumers.list()
	if err != nil || !changed {
		return err
	}
	anyNew := false
	for _, name := range names {
		fresh, err := p.describe(filepath.Join(p.consumers.path, name))
		if err != nil {
			return err
		}
		anyNew = anyNew || fresh
	}
	if !anyNew {
		return nil
	}
	if err := syncFolder(p.consumers.path, p.sync); err != nil {
		return err
	}
	return syncFolder(p.dir, p.sync) // which names the consumers' folder
}

// describe flushes the description in a folder, if it changed.
func (p *papers) describe(dir string) (changed bool, err error) {
	for _, name := range []string{"meta.inf", "meta.sum"} {
		c, err := p.flushPaper(filepath.Join(dir, name))
		if err != nil {
			return false, err
		}
		changed = changed || c
	}
	if changed {
		return true, syncFolder(dir, p.sync)
	}
	return false, nil
}

func (p *papers) flushPaper(path string) (changed bool, err error) {
	now, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		delete(p.seen, path)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if old := p.seen[path]; old != nil && sameContent(old, now) {
		return false, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if now, err = f.Stat(); err != nil {
		return false, err
	}
	if err := p.sync(f); err != nil {
		return false, err
	}
	p.seen[path] = now
	return true, nil
}

// flushAbove makes the stream's folder itself durable, up to the store's.
func (p *papers) flushAbove() error {
	dir := p.dir // <store>/jetstream/<account>/streams/<stream>
	for range 5 {
		if err := syncFolder(dir, p.sync); err != nil {
			return err
		}
		dir = filepath.Dir(dir)
	}
	return nil
}

package durable_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// disk models what a power failure leaves of the files below a folder: of each
// file what had been flushed, and any part of the rest; of each folder the names
// that it had when it was flushed, and any part of the changes since. It learns
// of flushes by standing in for the Flusher's Sync, and keeps every flushed file
// by a hard link, so that one that was replaced or removed can come back.
type disk struct {
	root  string
	links string

	mu     sync.Mutex
	paths  map[string]uint64            // inode flushed last under a path
	sizes  map[uint64]int64             // flushed length of a file, by inode
	names  map[uint64]map[string]uint64 // flushed names of a folder, by inode
	pinned []*os.File                   // folders: their inodes must not be used again
	old    map[string][]byte            // files that nobody flushes, at a random earlier time
}

func newDisk(t testing.TB, root string) *disk {
	t.Helper()
	d := &disk{root: root, links: t.TempDir(), paths: map[string]uint64{}, sizes: map[uint64]int64{}, names: map[uint64]map[string]uint64{}}
	t.Cleanup(func() {
		for _, f := range d.pinned {
			_ = f.Close()
		}
	})
	return d
}

// sync stands in for fdatasync: nothing else counts as flushed.
func (d *disk) sync(f *os.File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return d.syncFolder(f, inode(info))
	}
	d.paths[f.Name()] = inode(info)
	d.sizes[inode(info)] = info.Size()
	return d.keep(f.Name(), inode(info))
}

// keep links a file, unless another took its place since it was opened.
func (d *disk) keep(path string, number uint64) error {
	link := d.link(number)
	err := os.Link(path, link)
	if os.IsExist(err) || os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(link)
	if err == nil && inode(info) != number {
		err = os.Remove(link)
	}
	return err
}

func (d *disk) syncFolder(f *os.File, number uint64) error {
	entries, err := os.ReadDir(f.Name())
	if err != nil {
		return err
	}
	if d.names[number] == nil {
		pin, err := os.Open(f.Name())
		if err != nil {
			return err
		}
		d.pinned = append(d.pinned, pin)
	}
	d.names[number] = map[string]uint64{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		d.names[number][e.Name()] = inode(info)
		before := d.paths[filepath.Join(f.Name(), e.Name())]
		if before != 0 && before != inode(info) && d.sizes[inode(info)] == 0 {
			d.sizes[inode(info)] = info.Size() // replaced meanwhile: see crash.replaced
		}
	}
	return nil
}

func (d *disk) link(number uint64) string { return filepath.Join(d.links, fmt.Sprint(number)) }

// remember takes the files that nobody flushes as they are now.
func (d *disk) remember() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.old = map[string][]byte{}
	_ = filepath.WalkDir(d.root, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !flushed(path) {
			if b, err := os.ReadFile(path); err == nil {
				d.old[path] = b
			}
		}
		return nil
	})
}

// flushed tells the files that the Flusher answers for.
func flushed(path string) bool {
	base := filepath.Base(path)
	return strings.HasSuffix(base, ".blk") || base == "meta.inf" || base == "meta.sum"
}

// crash writes what a power failure now could leave, and returns what became of
// the files that nobody flushes.
func (d *disk) crash(t testing.TB, r *rand.Rand, image string) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &crash{disk: d, r: r, state: r.IntN(4)}
	if err := c.folder(d.root, image, true); err != nil {
		t.Fatalf("making a crash image: %v", err)
	}
	return []string{"newest", "older", "missing", "torn"}[c.state]
}

// crash is one image in the making.
type crash struct {
	*disk
	r     *rand.Rand
	state int // of index and consumer files: newest, older, missing, torn
}

func (c *crash) coin() bool { return c.r.IntN(2) == 0 }

func (c *crash) folder(from, to string, root bool) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	durable := c.names[inode(info)]
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	now := map[string]bool{}
	for _, e := range entries {
		now[e.Name()] = true
		if err := c.entry(from, to, e, durable, root); err != nil {
			return err
		}
	}
	for name, number := range durable { // removed since, and perhaps back again
		if !now[name] && flushed(name) && c.coin() {
			if err := c.file(c.link(number), filepath.Join(to, name), number); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *crash) entry(from, to string, e os.DirEntry, durable map[string]uint64, root bool) error {
	path, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
	info, err := e.Info()
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	number, named := durable[e.Name()]
	switch {
	case e.IsDir():
		if root || number == inode(info) || c.coin() {
			return c.folder(path, target, false)
		}
		return nil
	case !flushed(path):
		return c.stateFile(path, target)
	case named && number != inode(info):
		return c.replaced(path, target, number)
	case !named && c.coin(): // a new name that was lost
		return nil
	}
	return c.file(path, target, inode(info))
}

// replaced is a file that was put in another's place by a rename since the folder
// was flushed: the old one, or the new one as a whole. File systems that order
// such a rename after the data (ext4, btrfs) leave nothing else; docs/promises.md
// names the others.
func (c *crash) replaced(path, target string, before uint64) error {
	if _, err := os.Stat(c.link(before)); err == nil && c.coin() {
		return c.file(c.link(before), target, before)
	}
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(target, b, 0o640)
}

// file keeps what was flushed, and a random part of the rest, perhaps with a hole.
func (c *crash) file(from, to string, number uint64) error {
	f, err := os.Open(from)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	keep := min(c.sizes[number], int64(len(b)))
	rest := b[keep:]
	if len(rest) > 0 {
		rest = rest[:c.r.IntN(len(rest)+1)]
		if len(rest) > 0 && c.r.IntN(3) == 0 {
			clear(rest[:1+c.r.IntN(len(rest))])
		}
	}
	return os.WriteFile(to, b[:keep+int64(len(rest))], 0o640)
}

func (c *crash) stateFile(from, to string) error {
	b, err := os.ReadFile(from)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	switch c.state {
	case 1:
		older, ok := c.old[from]
		if !ok {
			return nil
		}
		b = older
	case 2:
		return nil
	case 3:
		if filepath.Base(from) != "o.dat" { // a consumer's state is put in place by a rename, too
			b = b[:c.r.IntN(len(b)+1)]
		}
	}
	return os.WriteFile(to, b, 0o640)
}

func inode(info os.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

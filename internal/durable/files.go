package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// errNoStream says that there is no such stream (any more).
var errNoStream = errors.New("there is no such stream")

// keptOpen is how many of a stream's newest blocks keep their descriptor.
const keptOpen = 8

// files are the files of one stream: <dir>/msgs/<n>.blk and what describes it.
type files struct {
	dir      string
	appended bool // blocks are never rewritten, only the newest change
	sync     func(*os.File) error

	msgs   folder
	blocks map[int]*block
	oldest int
	newest int
	papers papers
}

// block is one block file as it was when it was flushed last.
type block struct {
	path string
	file *os.File    // open where the block is among the newest
	seen os.FileInfo // taken before the flush; nil before the first
}

func newFiles(dir string, appended bool, sync func(*os.File) error) *files {
	return &files{
		dir: dir, appended: appended, sync: sync,
		msgs:   folder{path: filepath.Join(dir, "msgs")},
		blocks: map[int]*block{}, papers: newPapers(dir, sync),
	}
}

// flush makes everything durable that was written before the call. thorough
// looks at the consumers' descriptions too, which change rarely.
func (s *files) flush(thorough bool) error {
	if err := s.flushAll(thorough); err != nil {
		return fmt.Errorf("flushing the files of stream %s: %w", filepath.Base(s.dir), err)
	}
	return nil
}

func (s *files) flushAll(thorough bool) error {
	described, err := s.papers.describe(s.dir)
	if err != nil {
		return err
	}
	if !s.papers.has(s.dir) {
		s.reset()
		return errNoStream
	}
	if described {
		s.reset() // the stream may have been deleted and made again
	}
	if err := s.flushBlocks(); err != nil {
		return err
	}
	if err := s.papers.flushConsumers(thorough); err != nil {
		return err
	}
	if described {
		return s.papers.flushAbove()
	}
	return nil
}

// reset forgets what was flushed.
func (s *files) reset() {
	s.close()
	s.msgs.seen, s.blocks, s.newest = nil, map[int]*block{}, 0
}

func (s *files) flushBlocks() error {
	if err := s.list(); err != nil {
		return err
	}
	named := false
	for i, b := range s.blocks {
		fresh, err := s.flushBlock(b)
		if errors.Is(err, os.ErrNotExist) {
			s.forget(i) // the server removed it meanwhile
			continue
		}
		if err != nil {
			return err
		}
		named = named || fresh
	}
	s.trim()
	if !named {
		return nil
	}
	if err := syncFolder(s.msgs.path, s.sync); err != nil {
		return err
	}
	return syncFolder(s.dir, s.sync) // a purge puts another folder in its place
}

// list takes up the blocks that the folder has now, unless it is known not to
// have changed. Of an appended stream, once all were flushed, only the newest
// matter, and the oldest: the server rewrites that when it drops a part of it.
func (s *files) list() error {
	names, changed, err := s.msgs.list()
	if err != nil || !changed {
		return err
	}
	found, oldest, newest := blockFiles(names)
	if newest < s.newest { // purged, or made again
		s.newest = 0
	}
	for i, name := range found {
		if s.blocks[i] == nil && (!s.appended || i >= s.newest || i == oldest) {
			s.blocks[i] = &block{path: filepath.Join(s.msgs.path, name)}
		}
	}
	s.oldest, s.newest = oldest, newest
	return nil
}

// flushBlock flushes what changed, and says whether its name is new.
func (s *files) flushBlock(b *block) (fresh bool, err error) {
	now, err := os.Stat(b.path)
	if err != nil {
		return false, err
	}
	if b.seen != nil && sameContent(b.seen, now) {
		return false, nil
	}
	fresh = b.seen == nil || !os.SameFile(b.seen, now)
	if fresh {
		b.close()
	}
	if b.file == nil {
		if b.file, err = os.Open(b.path); err != nil {
			return false, err
		}
		if now, err = b.file.Stat(); err != nil {
			return false, err
		}
	}
	if err := s.sync(b.file); err != nil {
		return false, err
	}
	b.seen = now
	return fresh, nil
}

// trim drops what need not be looked at again, and the descriptors of old blocks.
func (s *files) trim() {
	for i, b := range s.blocks {
		switch {
		case s.appended && i < s.newest && i != s.oldest:
			s.forget(i)
		case i <= s.newest-keptOpen:
			b.close()
		}
	}
}

func (s *files) forget(i int) {
	s.blocks[i].close()
	delete(s.blocks, i)
}

func (b *block) close() {
	if b.file != nil {
		_ = b.file.Close() // opened for reading: nothing is lost
		b.file = nil
	}
}

func (s *files) close() {
	for _, b := range s.blocks {
		b.close()
	}
}

// sameContent compares what the server changes with a block: the file itself
// (a rewrite), its length (an append) and its time.
func sameContent(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// blockFiles picks the blocks out of a folder's names.
func blockFiles(names []string) (found map[int]string, oldest, newest int) {
	found = make(map[int]string, len(names))
	for _, name := range names {
		number, ok := strings.CutSuffix(name, ".blk")
		i, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		if len(found) == 0 {
			oldest, newest = i, i
		}
		found[i] = name
		oldest, newest = min(oldest, i), max(newest, i)
	}
	return found, oldest, newest
}

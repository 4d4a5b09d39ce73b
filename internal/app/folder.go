package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/engine/definition"
	"zflow/internal/described"
	"zflow/internal/operator"
)

// folder keeps the deployed workflows as the files of a folder say.
type folder struct {
	dir     string
	catalog *catalog.Catalog
	known   definition.Known
	out     io.Writer
	scripts *scripts         // that known makes
	able    func() error     // says why code cannot be run here
	files   map[string]*held // by path, as of the last sync
}

// held is a file of the folder.
type held struct {
	name, version string // of what it was last deployed as; "" while it never was
	said, refused string // the problems printed last, and why it was not deployed
	next          *engine.Workflow
	src           []byte // of next
	problems      string
}

const (
	// settleFor is how long a file must rest before it is read: editors write in parts.
	settleFor = 100 * time.Millisecond
	tryAgain  = 2 * time.Second // after a sync that failed
)

// WorkflowFiles returns the workflow files of a folder, sorted; tests are none.
func WorkflowFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && isWorkflowFile(e.Name()) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

func isWorkflowFile(name string) bool {
	base, yaml := strings.CutSuffix(strings.TrimSuffix(name, ".yml"), ".yaml")
	yaml = yaml || strings.HasSuffix(name, ".yml")
	return yaml && !strings.HasPrefix(name, ".") && !strings.HasSuffix(base, "_test") && !strings.HasPrefix(name, "vars.")
}

// sync deploys what the folder holds now and removes what it held before; it
// prints what changed, and every problem once.
func (f *folder) sync(ctx context.Context) error {
	files, err := WorkflowFiles(f.dir)
	if err != nil {
		return fmt.Errorf("reading workflows: %w", err)
	}
	now := make(map[string]*held, len(files))
	for _, file := range files {
		now[file] = f.read(file)
	}
	f.files = now
	f.refuseTwins(files)
	f.refuseContested(files)
	leaving, err := f.leaving(ctx)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := f.deploy(ctx, file, leaving); err != nil {
			return err
		}
	}
	return f.removeGone(ctx)
}

// read reads and checks a file.
func (f *folder) read(file string) *held {
	h := &held{}
	if old := f.files[file]; old != nil {
		h.name, h.version, h.said, h.refused = old.name, old.version, old.said, old.refused
	}
	src, problems, err := ReadWorkflow(file)
	if h.src = src; err != nil {
		h.problems = fmt.Sprintf("%s: %v\n", file, err)
		return h
	}
	if problems.Err() == nil {
		h.next, problems = definition.Parse(file, h.src, f.known)
	}
	h.problems += lines(problems)
	if h.next == nil || f.able == nil || len(definition.Scripts(h.next)) == 0 {
		return h
	}
	if err := f.able(); err != nil {
		h.problems += fmt.Sprintf("%s: warning: its code steps will not run: %v\n", file, err)
	}
	return h
}

// refuseTwins leaves a workflow that stands in two files to the one that had it
// before, else to the first.
func (f *folder) refuseTwins(files []string) {
	holders := map[string]string{}
	for _, file := range files {
		if h := f.files[file]; h.next != nil && h.next.Name == h.name {
			holders[h.name] = file
		}
	}
	for _, file := range files {
		h := f.files[file]
		if h.next == nil {
			continue
		}
		if holder, taken := holders[h.next.Name]; taken && holder != file {
			h.problems += fmt.Sprintf("%s: workflow %s stands in %s already: give each its own name\n", file, h.next.Name, holder)
			h.next = nil
			continue
		}
		holders[h.next.Name] = file
	}
}

// deploy deploys a file that has changed. Of one with errors the last good version
// stays.
func (f *folder) deploy(ctx context.Context, file string, leaving []string) error {
	h := f.files[file]
	if h.problems != h.said {
		fmt.Fprint(f.out, h.problems)
	}
	h.said = h.problems
	if h.next == nil || h.next.Name == h.name && h.next.Version == h.version {
		return nil
	}
	d, problems, err := f.catalog.Deploy(ctx, file, h.src, leaving...) // its problems have been printed, but for what others have
	if refused := problems.Err(); refused != nil {
		if text := refused.Error(); text != h.refused {
			h.refused = text
			fmt.Fprintln(f.out, text)
		}
		return nil
	}
	if err != nil {
		return err
	}
	h.name, h.version, h.refused = d.Name, d.Version, ""
	if d.Change != catalog.Unchanged {
		fmt.Fprintf(f.out, "%s: workflow %s %s (version %.12s)\n", file, d.Name, d.Change, d.Version)
		for _, fire := range operator.Fires(h.next, time.Now(), 1) {
			fmt.Fprintf(f.out, "%s: runs next on %s (%s)\n", file, fire.At.Format("Mon 2006-01-02 15:04:05 MST"), fire.Schedule)
		}
	}
	return nil
}

// removeGone removes the folder's workflows that no file has any more, those of an
// earlier start too.
func (f *folder) removeGone(ctx context.Context) error {
	entries, err := f.catalog.List(ctx)
	if err != nil {
		return err
	}
	stay := map[string]bool{}
	for _, h := range f.files {
		stay[h.name] = true
	}
	for _, e := range entries {
		if stay[e.Name] || filepath.Dir(e.File) != filepath.Clean(f.dir) {
			continue
		}
		if h := f.files[e.File]; h != nil && h.name == "" {
			continue // the last good version of a file that has had errors since the start
		}
		if err := f.catalog.Remove(ctx, e.Name); err != nil {
			return err
		}
		fmt.Fprintf(f.out, "workflow %s removed: no file has it any more\n", e.Name)
	}
	return nil
}

// watch syncs after each change of the folder until ctx ends.
func (f *folder) watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", f.dir, err)
	}
	defer func() { _ = w.Close() }() // nobody reads from it any more
	rest := time.NewTimer(0)         // what changed before the watch began
	defer rest.Stop()
	for said := ""; ; {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.Events:
			if f.concerns(e) {
				rest.Reset(settleFor)
			}
		case err := <-w.Errors: // such as events that were lost
			fmt.Fprintf(f.out, "watching %s: %v\n", f.dir, err)
			rest.Reset(settleFor)
		case <-rest.C:
			said = f.again(ctx, w, rest, said)
		}
	}
}

// again syncs, and sees to it that this is tried until it succeeds. The folder may
// have been replaced by another of its name. It returns what it last complained of.
func (f *folder) again(ctx context.Context, w *fsnotify.Watcher, rest *time.Timer, said string) string {
	err := w.Add(f.dir)
	if own := filepath.Join(f.dir, described.Folder); isFolder(own) {
		err = errors.Join(err, w.Add(own))
	}
	if err == nil {
		err = f.sync(ctx)
	}
	for _, dir := range f.scripts.folders() { // one that is not there yet is in another
		if dir != realPath(f.dir) && !slices.Contains(w.WatchList(), dir) && w.Add(dir) == nil {
			rest.Reset(settleFor) // what changed in it before it was watched
		}
	}
	if err == nil || ctx.Err() != nil {
		return ""
	}
	rest.Reset(tryAgain)
	text := fmt.Sprintf("following %s: %v\n", f.dir, err)
	if text != said {
		fmt.Fprint(f.out, text)
	}
	return text
}

// concerns tells whether a change may be one of the workflows.
func (f *folder) concerns(e fsnotify.Event) bool {
	return e.Name == filepath.Clean(f.dir) || e.Name == filepath.Join(f.dir, described.Folder) || isWorkflowFile(filepath.Base(e.Name)) ||
		e.Op != fsnotify.Chmod && concerns(e.Name) && slices.Contains(f.scripts.folders(), realPath(filepath.Dir(e.Name)))
}

// realPath is the one path of a folder that has others.
func realPath(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	if path, err := filepath.EvalSymlinks(abs); err == nil {
		return path
	}
	return abs
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

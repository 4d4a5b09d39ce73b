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

	"zflow/engine/catalog"
)

// folder keeps the deployed workflows as the files of a folder say.
type folder struct {
	dir     string
	catalog *catalog.Catalog
	out     io.Writer
	names   map[string]string // by file: the workflow it was deployed as; "" where it has errors
	said    map[string]string // by file: the problems printed last
}

// settleFor is how long a file must rest before it is read: editors write in parts.
const settleFor = 100 * time.Millisecond

// WorkflowFiles returns the workflow files of a folder, sorted; tests are none.
func WorkflowFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		base, yaml := strings.CutSuffix(strings.TrimSuffix(name, ".yml"), ".yaml")
		yaml = yaml || strings.HasSuffix(name, ".yml")
		if !e.IsDir() && yaml && !strings.HasPrefix(name, ".") && !strings.HasSuffix(base, "_test") && !strings.HasPrefix(name, "vars.") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files, nil
}

// sync deploys what the folder holds now and removes what it held before; it
// prints what changed, and every problem once.
func (f *folder) sync(ctx context.Context) error {
	files, err := WorkflowFiles(f.dir)
	if err != nil {
		return fmt.Errorf("reading workflows: %w", err)
	}
	for _, file := range files {
		if err := f.deploy(ctx, file); err != nil {
			return err
		}
	}
	return f.removeGone(ctx, files)
}

func (f *folder) deploy(ctx context.Context, file string) error {
	src, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it went away meanwhile
	}
	if err != nil {
		fmt.Fprintf(f.out, "%s: %v\n", file, err)
		return nil
	}
	deployed, problems, err := f.catalog.Deploy(ctx, file, src)
	text := ""
	for _, p := range problems {
		text += p.String() + "\n"
	}
	if text != f.said[file] {
		fmt.Fprint(f.out, text)
	}
	f.said[file] = text
	if problems.Err() != nil {
		f.names[file] = f.names[file] // its last good version stays deployed
		return nil
	}
	if err != nil {
		return err
	}
	if other := f.names[file]; other != "" && other != deployed.Name {
		if err := f.remove(ctx, other); err != nil {
			return err
		}
	}
	f.names[file] = deployed.Name
	if deployed.Change != catalog.Unchanged {
		fmt.Fprintf(f.out, "%s: workflow %s %s (version %.12s)\n", file, deployed.Name, deployed.Change, deployed.Version)
	}
	return nil
}

// removeGone removes workflows whose file is not there any more, those of an
// earlier start too.
func (f *folder) removeGone(ctx context.Context, files []string) error {
	entries, err := f.catalog.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if filepath.Dir(e.File) != filepath.Clean(f.dir) || slices.Contains(files, e.File) {
			continue
		}
		if err := f.remove(ctx, e.Name); err != nil {
			return err
		}
	}
	for file := range f.names {
		if !slices.Contains(files, file) {
			delete(f.names, file)
			delete(f.said, file)
		}
	}
	return nil
}

func (f *folder) remove(ctx context.Context, name string) error {
	fmt.Fprintf(f.out, "workflow %s removed: its file is gone\n", name)
	return f.catalog.Remove(ctx, name)
}

// watch syncs after each change of the folder until ctx ends.
func (f *folder) watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", f.dir, err)
	}
	defer func() { _ = w.Close() }()
	if err := w.Add(f.dir); err != nil {
		return fmt.Errorf("watching %s: %w", f.dir, err)
	}
	rest := time.NewTimer(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.Events:
			rest.Reset(settleFor)
		case err := <-w.Errors:
			fmt.Fprintf(f.out, "watching %s: %v\n", f.dir, err)
		case <-rest.C:
			if err := f.sync(ctx); err != nil && ctx.Err() == nil {
				fmt.Fprintf(f.out, "deploying %s: %v\n", f.dir, err)
			}
		}
	}
}

// Package file has the actions on files of the folders that the configuration names:
// file.read, write, list, delete and move.
//
// Obligations:
//
//  1. Nothing outside of a folder is touched, whatever a path says and wherever a
//     symbolic link points (os.Root); only plain files are read and written.
//  2. A file is whole or not there: it is written beside its place, flushed, and then
//     given its name. Appending adds to the file itself.
//  3. Nothing is overwritten unless the step says so. A file that has the very bytes
//     already is as good as written, so that a repeated attempt succeeds.
package file

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"zflow/actions"
)

// Options of the actions. The zero value refuses.
type Options struct {
	Folders map[string]string // absolute paths by name
	Files   actions.Files     // where file references lead
	MaxFile int64             // of a file that is read as a reference; 0: 1 GiB
}

// Actions returns the actions.
func Actions(o Options) []*actions.Action {
	if o.MaxFile <= 0 {
		o.MaxFile = 1 << 30
	}
	d := &desk{o}
	return []*actions.Action{
		{Spec: readSpec(), Do: d.read},
		{Spec: writeSpec(), Do: d.write, EffectOf: effectOf},
		{Spec: listSpec(), Do: d.list},
		{Spec: deleteSpec(), Do: d.delete},
		{Spec: moveSpec(), Do: d.move},
	}
}

type desk struct{ Options }

// maxPath is the longest path in bytes.
const maxPath = 1024

// unfinished ends the name of a file that is being written.
const unfinished = ".zflow-part"

// root opens the folder that a step names; the only one need not be named.
func (d *desk) root(input map[string]any) (*os.Root, error) {
	name, err := actions.TextIn(input, "folder")
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(d.Folders))
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	at, there := d.Folders[name]
	switch {
	case len(names) == 0:
		return nil, actions.Final("no folder is configured: name some in worker.folders").With(0, "no_folder")
	case !there:
		return nil, actions.Final("there is no folder %q: worker.folders has %s", name, strings.Join(names, ", ")).With(0, "no_folder")
	}
	r, err := os.OpenRoot(at)
	if err != nil {
		return nil, actions.Retryable("the folder %s cannot be opened: %v", name, reason(err)).With(0, "no_folder")
	}
	return r, nil
}

// pathOf reads a path, and refuses one that could mean different things.
func pathOf(input map[string]any, field string) (string, error) {
	p, err := actions.TextIn(input, field)
	if err != nil {
		return "", err
	}
	bad := func(why string) (string, error) {
		return "", actions.Final("%s %.100q %s", field, p, why).With(0, "bad_path")
	}
	switch {
	case p == "":
		return bad("is missing")
	case len(p) > maxPath || !utf8.ValidString(p):
		return bad("is longer than 1 KiB, or no text")
	case strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
		return bad("has a control character or a backslash")
	case path.IsAbs(p) || slices.Contains(strings.Split(p, "/"), ".."):
		return bad("leads out of the folder: write it from there, without ..")
	case strings.HasSuffix(p, unfinished):
		return bad("has the ending of unfinished files")
	}
	return path.Clean(p), nil
}

// failed explains an error of the file system.
func failed(p string, err error) error {
	var e *actions.Error
	switch {
	case err == nil || errors.As(err, &e):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return actions.Final("%s is not there", p).With(0, "not_found")
	case errors.Is(err, fs.ErrExist):
		return actions.Final("%s is there already, with other content: overwrite: true would replace it", p).With(0, "exists")
	case errors.Is(err, fs.ErrPermission):
		return actions.Final("%s: the worker has no right to", p).With(0, "denied")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EIO):
		return actions.Retryable("%s: %v", p, reason(err)).With(0, "disk")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return actions.Retryable("%s: it took too long, or was canceled: nothing was changed", p)
	case strings.Contains(err.Error(), "escapes from parent"):
		return actions.Final("%s leads out of the folder", p).With(0, "bad_path")
	}
	return actions.Final("%s: %v", p, reason(err))
}

// reason is an error without the paths of this machine.
func reason(err error) error {
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		return at.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// plain opens a plain file to read; it does not wait for whoever writes to a pipe.
func plain(r *os.Root, p string) (*os.File, fs.FileInfo, error) {
	f, err := r.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, failed(p, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = actions.Final("%s is no plain file", p).With(0, "no_file")
	}
	if err != nil {
		f.Close()
		return nil, nil, failed(p, err)
	}
	return f, info, nil
}

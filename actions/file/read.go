package file

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"io/fs"
	"mime"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"zflow/actions"
)

// maxValue is the largest content in bytes that becomes a value.
const maxValue = 4 << 20

func (d *desk) read(ctx context.Context, c actions.Call) (actions.Result, error) {
	p, err := pathOf(c.Input, "path")
	if err != nil {
		return actions.Result{}, err
	}
	as, err := actions.TextIn(c.Input, "as")
	if err != nil {
		return actions.Result{}, err
	}
	r, err := d.root(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	defer r.Close()
	f, info, err := plain(r, p)
	if err != nil {
		return actions.Result{}, err
	}
	defer f.Close()
	out := map[string]any{"path": p, "size": info.Size(), "modified_at": modified(info)}
	name, value, err := d.content(ctx, f, info, as)
	if err != nil {
		return actions.Result{}, failed(p, err)
	}
	out[name] = value
	return actions.Result{Output: out}, nil
}

func modified(info fs.FileInfo) string { return info.ModTime().UTC().Format(time.RFC3339Nano) }

// content is what a file has, in the form that a step wants.
func (d *desk) content(ctx context.Context, f *os.File, info fs.FileInfo, as string) (name string, value any, err error) {
	if as == "file" {
		v, err := d.reference(ctx, f, info)
		return "file", v, err
	}
	raw, err := io.ReadAll(io.LimitReader(reader{ctx, f}, maxValue+1))
	switch {
	case err != nil:
		return "", nil, err
	case len(raw) > maxValue:
		return "", nil, actions.Final("%s has more than %d MiB: read it as: file", info.Name(), maxValue>>20).With(0, "too_large")
	}
	switch as {
	case "", "text":
		if !utf8.Valid(raw) {
			return "", nil, actions.Final("%s is no text in UTF-8: read it as: base64, or as: file", info.Name()).With(0, "wrong_type")
		}
		return "text", string(raw), nil
	case "json":
		v, err := actions.DecodeJSON(bytes.TrimPrefix(raw, []byte("\ufeff")))
		if err != nil {
			return "", nil, actions.Final("%s is no JSON: %v", info.Name(), err).With(0, "wrong_type")
		}
		return "json", v, nil
	case "base64":
		return "base64", base64.StdEncoding.EncodeToString(raw), nil
	}
	return "", nil, actions.Final("as is text, json, base64 or file, not %.40q", as)
}

func (d *desk) reference(ctx context.Context, f *os.File, info fs.FileInfo) (any, error) {
	if d.Files.Put == nil {
		return nil, actions.Final("files cannot be kept from here")
	}
	if info.Size() > d.MaxFile {
		return nil, actions.Final("%s has %d bytes: at most %d are read", info.Name(), info.Size(), d.MaxFile).With(0, "too_large")
	}
	kept, err := d.Files.Put(ctx, reader{ctx, f}, actions.File{Name: info.Name(), Type: mime.TypeByExtension(path.Ext(info.Name()))}, d.MaxFile)
	if err != nil {
		return nil, actions.Retryable("keeping %s: %v", info.Name(), err)
	}
	return kept.Value(), nil
}

// reader reads until its context ends.
type reader struct {
	ctx  context.Context
	from io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

// mostItems is how many entries a listing has at most.
const mostItems = 10_000

func (d *desk) list(ctx context.Context, c actions.Call) (actions.Result, error) {
	l := &listing{ctx: ctx, items: []any{}, dir: "."}
	var err error
	if c.Input["path"] != nil {
		if l.dir, err = pathOf(c.Input, "path"); err != nil {
			return actions.Result{}, err
		}
	}
	if l.pattern, err = actions.TextIn(c.Input, "pattern"); err != nil {
		return actions.Result{}, err
	}
	if _, bad := path.Match(l.pattern, ""); bad != nil {
		return actions.Result{}, actions.Final("pattern %.100q cannot be read: * and ? stand for anything, [ab] for one of them", l.pattern)
	}
	if l.deep, err = actions.FlagIn(c.Input, "recursive", false); err != nil {
		return actions.Result{}, err
	}
	r, err := d.root(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	defer r.Close()
	if err := fs.WalkDir(r.FS(), l.dir, l.visit); err != nil {
		return actions.Result{}, failed(l.dir, err)
	}
	return actions.Result{Output: map[string]any{"items": l.items}}, nil
}

type listing struct {
	ctx     context.Context
	dir     string
	pattern string
	deep    bool
	items   []any
}

func (l *listing) visit(p string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil && p != l.dir:
		return nil // it went meanwhile, or is not ours to read
	case err != nil:
		return err
	case l.ctx.Err() != nil:
		return l.ctx.Err()
	case p == l.dir:
		if !entry.IsDir() {
			return actions.Final("%s is no folder", p).With(0, "no_file")
		}
		return nil
	}
	if err := l.add(p, entry); err != nil {
		return err
	}
	if entry.IsDir() && !l.deep {
		return fs.SkipDir
	}
	return nil
}

func (l *listing) add(p string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil || strings.HasSuffix(p, unfinished) || !info.IsDir() && !info.Mode().IsRegular() {
		return nil
	}
	if match, _ := path.Match(l.pattern, entry.Name()); l.pattern != "" && !match {
		return nil
	}
	if len(l.items) == mostItems {
		return actions.Final("there are more than %d: name a folder in it, or a pattern", mostItems).With(0, "too_large")
	}
	item := map[string]any{"path": p, "folder": entry.IsDir(), "modified_at": modified(info)}
	if !entry.IsDir() {
		item["size"] = info.Size()
	}
	l.items = append(l.items, item)
	return nil
}

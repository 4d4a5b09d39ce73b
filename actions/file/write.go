package file

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"zflow/actions"
)

// effectOf: appending twice is two; anything else is as once.
func effectOf(input map[string]any) actions.Effect {
	if on, _ := input["append"].(bool); on {
		return actions.Write
	}
	return actions.Idempotent
}

func (d *desk) write(ctx context.Context, c actions.Call) (actions.Result, error) {
	p, err := pathOf(c.Input, "path")
	if err != nil {
		return actions.Result{}, err
	}
	over, err := actions.FlagIn(c.Input, "overwrite", false)
	if err != nil {
		return actions.Result{}, err
	}
	adds, err := actions.FlagIn(c.Input, "append", false)
	if err != nil {
		return actions.Result{}, err
	}
	if adds && over {
		return actions.Result{}, actions.Final("append and overwrite cannot both be true")
	}
	r, err := d.root(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	defer r.Close()
	from, err := d.source(ctx, c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	defer from.Close()
	w := &writing{root: r, path: p, sum: sha256.New()}
	if adds {
		err = w.append(reader{ctx, from})
	} else {
		err = w.whole(reader{ctx, from}, over)
	}
	if err != nil {
		return actions.Result{}, failed(p, err)
	}
	return actions.Result{Output: map[string]any{"path": p, "size": w.size, "sha256": hex.EncodeToString(w.sum.Sum(nil))}}, nil
}

// source is what a step wants to be written: exactly one of the forms.
func (d *desk) source(ctx context.Context, input map[string]any) (io.ReadCloser, error) {
	var raw []byte
	var file *actions.File
	given := 0
	for _, form := range []string{"text", "json", "base64", "file"} {
		v, there := input[form]
		if !there || v == nil && form != "json" {
			continue
		}
		given++
		var err error
		if raw, file, err = bytesOf(form, v); err != nil {
			return nil, err
		}
	}
	switch {
	case given != 1:
		return nil, actions.Final("give one of text, json, base64 and file, not %d of them", given)
	case file == nil:
		return io.NopCloser(bytes.NewReader(raw)), nil
	case d.Files.Open == nil:
		return nil, actions.Final("files cannot be read from here")
	}
	from, err := d.Files.Open(ctx, *file)
	if err != nil {
		return nil, actions.Final("reading the file %s: %v", file.Name, err)
	}
	return from, nil
}

func bytesOf(form string, v any) ([]byte, *actions.File, error) {
	if form == "json" {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			return nil, nil, actions.Final("json: %v", err)
		}
		return b.Bytes(), nil, nil
	}
	if form == "file" {
		f, ok := actions.FileOf(v)
		if !ok {
			return nil, nil, actions.Final("file is no file: it is what an action gave as one")
		}
		return nil, &f, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, nil, actions.Final("%s is not text", form)
	}
	if form == "text" {
		return []byte(s), nil, nil
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, nil, actions.Final("base64: %v", err)
	}
	return raw, nil, nil
}

// writing is one on its way.
type writing struct {
	root *os.Root
	path string
	sum  interface {
		io.Writer
		Sum([]byte) []byte
	}
	size int64
}

// whole writes beside the place, flushes, and gives it its name.
func (w *writing) whole(from io.Reader, over bool) (err error) {
	dir := path.Dir(w.path)
	if err := w.root.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	part := path.Join(dir, "."+rand.Text()+unfinished)
	f, err := w.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	defer func() { _ = w.root.Remove(part) }() // gone, where it was renamed
	if err := w.fill(f, from); err != nil {
		return err
	}
	if over {
		if info, err := w.root.Lstat(w.path); err == nil && !info.Mode().IsRegular() {
			return actions.Final("%s is no plain file", w.path).With(0, "no_file")
		}
		err = w.root.Rename(part, w.path)
	} else if err = w.root.Link(part, w.path); errors.Is(err, fs.ErrExist) && w.same() {
		return nil
	}
	if err != nil {
		return err
	}
	return w.flush(dir)
}

// fill writes all that there is, and flushes and closes the file.
func (w *writing) fill(f *os.File, from io.Reader) (err error) {
	w.size, err = io.Copy(io.MultiWriter(f, w.sum), from)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// same tells whether the file has these very bytes already.
func (w *writing) same() bool {
	f, info, err := plain(w.root, w.path)
	if err != nil || info.Size() != w.size {
		return false
	}
	defer f.Close()
	there := sha256.New()
	_, err = io.Copy(there, f)
	return err == nil && bytes.Equal(there.Sum(nil), w.sum.Sum(nil))
}

// flush makes the names of a folder last.
func (w *writing) flush(dir string) error {
	d, err := w.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// append adds to the file itself. What it did when it fails is not known.
func (w *writing) append(from io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(from, maxValue+1))
	if err != nil {
		return err
	}
	if len(raw) > maxValue {
		return actions.Final("at most %d MiB are appended at once", maxValue>>20).With(0, "too_large")
	}
	dir := path.Dir(w.path)
	if err := w.root.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	if info, err := w.root.Stat(w.path); err == nil && !info.Mode().IsRegular() {
		return actions.Final("%s is no plain file", w.path).With(0, "no_file")
	}
	f, err := w.root.OpenFile(w.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	if err := w.fill(f, bytes.NewReader(raw)); err != nil {
		return actions.Unknown("%s: %v", w.path, reason(err))
	}
	return w.flush(dir)
}

func (d *desk) delete(_ context.Context, c actions.Call) (actions.Result, error) {
	p, err := pathOf(c.Input, "path")
	if err != nil {
		return actions.Result{}, err
	}
	r, err := d.root(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	defer r.Close()
	info, err := r.Lstat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return actions.Result{Output: map[string]any{"deleted": false}}, nil
	case err == nil && info.IsDir():
		return actions.Result{}, actions.Final("%s is a folder: files are deleted one by one", p).With(0, "no_file")
	case err == nil:
		err = r.Remove(p)
	}
	if err == nil {
		err = (&writing{root: r}).flush(path.Dir(p))
	}
	return actions.Result{Output: map[string]any{"deleted": true}}, failed(p, err)
}

func (d *desk) move(_ context.Context, c actions.Call) (actions.Result, error) {
	from, err := pathOf(c.Input, "path")
	if err != nil {
		return actions.Result{}, err
	}
	to, err := pathOf(c.Input, "to")
	if err != nil {
		return actions.Result{}, err
	}
	over, err := actions.FlagIn(c.Input, "overwrite", false)
	if err != nil {
		return actions.Result{}, err
	}
	r, err := d.root(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	defer r.Close()
	w := &writing{root: r, path: to}
	return actions.Result{Output: map[string]any{"path": to}}, w.move(from, over, c.Unknown)
}

// move gives a file another name. An attempt that is repeated may find it moved.
func (w *writing) move(from string, over, again bool) error {
	info, err := w.root.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) && again {
		_, err = w.root.Lstat(w.path)
		return failed(w.path, err)
	}
	if err == nil && !info.Mode().IsRegular() {
		err = actions.Final("%s is no plain file", from).With(0, "no_file")
	}
	if err == nil {
		err = w.root.MkdirAll(path.Dir(w.path), 0o750)
	}
	if err != nil {
		return failed(from, err)
	}
	if over {
		err = w.root.Rename(from, w.path)
	} else {
		if err = w.root.Link(from, w.path); errors.Is(err, fs.ErrExist) && w.is(info) {
			err = nil // an attempt before got so far
		}
		if err == nil {
			err = w.root.Remove(from)
		}
	}
	if err == nil {
		err = errors.Join(w.flush(path.Dir(w.path)), w.flush(path.Dir(from)))
	}
	return failed(w.path, err)
}

// is tells whether the place has this very file.
func (w *writing) is(file fs.FileInfo) bool {
	there, err := w.root.Lstat(w.path)
	return err == nil && os.SameFile(file, there)
}

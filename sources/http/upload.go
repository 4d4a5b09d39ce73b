package http

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"path"
	"strings"

	"zflow/actions"
)

// Files keeps what requests bring, and gives it back.
type Files struct {
	// Begin begins with the files of a request.
	Begin func() (Put, Settle, error)
	// Copy writes a file.
	Copy func(ctx context.Context, to io.Writer, f actions.File) error
}

// Put stores a file; it is durable once Settle returns. One that is too large is
// actions.ErrFileTooLarge.
type Put func(ctx context.Context, r io.Reader, f actions.File, most int64) (actions.File, error)

// Settle returns when what was put is durable.
type Settle func(ctx context.Context) error

// uploads are the files of one request.
type uploads struct {
	ctx  context.Context
	put  Put
	left int64 // bytes that may still come
	n    int
}

// errStore says that a file could not be stored, which is not the caller's fault.
type errStore struct{ error }

// source tells whether reading failed, or storing.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// ending tells whether the last boundary of a multipart body came by: to package
// multipart one that breaks off behind another boundary is at its end too.
type ending struct {
	source
	last   []byte // the last boundary
	tail   []byte // of what came, where last may have begun
	closed bool
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.source.Read(p)
	if !e.closed {
		e.tail = append(e.tail, p[:n]...)
		e.closed = bytes.Contains(e.tail, e.last)
		e.tail = append(e.tail[:0], e.tail[max(0, len(e.tail)-len(e.last)):]...)
	}
	return n, err
}

func (u *uploads) add(r io.Reader, f actions.File) (actions.File, error) {
	from := &source{Reader: r}
	kept, err := u.put(u.ctx, from, f, u.left)
	switch {
	case from.err != nil:
		return kept, from.err
	case errors.Is(err, actions.ErrFileTooLarge):
		return kept, err
	case err != nil:
		return kept, errStore{err}
	}
	u.left -= kept.Size
	u.n++
	return kept, nil
}

// file stores a body that is one.
func (b *reader) file(kind, name string) (content, *fault) {
	first := make([]byte, 1)
	n, err := io.ReadFull(b.body, first)
	if errors.Is(err, io.EOF) {
		return content{empty, kind}, nil
	}
	if err != nil {
		return content{}, broken(err)
	}
	f, err := b.uploads.add(io.MultiReader(strings.NewReader(string(first[:n])), b.body), actions.File{Name: fileName(name), Type: kind})
	if err != nil {
		return content{}, unstored(err)
	}
	raw, err := json.Marshal(f.Value())
	if err != nil {
		return content{}, unstored(err)
	}
	return content{raw, kind}, nil
}

func unstored(err error) *fault {
	var s errStore
	if errors.As(err, &s) {
		return &fault{Unavailable, "the file cannot be stored now: send it again", 0}
	}
	return broken(err)
}

// multipart reads a form with files.
func (b *reader) multipart(boundary string) (content, *fault) {
	if boundary == "" {
		return content{}, &fault{Malformed, "the Content-Type multipart/form-data has no boundary", 0}
	}
	form, left := object{}, b.most
	body := &ending{source: source{Reader: b.body}, last: []byte("--" + boundary + "--")}
	parts := multipart.NewReader(body, boundary)
	for n := 0; ; n++ {
		p, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return content{}, &fault{Malformed, "the body has no part, or not with the boundary of its Content-Type", 0}
		case errors.Is(err, io.EOF) && !body.closed:
			return content{}, &fault{Malformed, "the body ends before the last boundary", 0}
		case errors.Is(err, io.EOF):
			raw, err := json.Marshal(form)
			if err != nil {
				return content{}, broken(err)
			}
			return content{raw, "multipart/form-data"}, nil
		case err != nil:
			return content{}, broken(cmp.Or(body.err, err)) // the parts' headers hide why they broke off
		case n == mostParts:
			return content{}, &fault{TooManyParts, fmt.Sprintf("the body has more than %d parts", mostParts), 0}
		}
		value, f := b.part(p, &left)
		if f != nil {
			return content{}, f
		}
		form.add(strings.ToValidUTF8(p.FormName(), "\ufffd"), value)
	}
}

// part reads a field, or stores a file.
func (b *reader) part(p *multipart.Part, left *int64) (any, *fault) {
	name := p.FormName()
	if *left -= int64(len(name)); name == "" {
		return nil, &fault{Malformed, "a part of the body has no name", 0}
	}
	if p.FileName() != "" {
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			kind = "application/octet-stream"
		}
		f, err := b.uploads.add(p, actions.File{Name: fileName(p.FileName()), Type: kind})
		if err != nil {
			return nil, unstored(err)
		}
		return f.Value(), nil
	}
	raw, err := io.ReadAll(io.LimitReader(p, max(*left, 0)+1))
	if *left -= int64(len(raw)); *left < 0 {
		return nil, tooLong(b.most)
	}
	if err != nil {
		return nil, broken(err)
	}
	return strings.ToValidUTF8(string(raw), "\ufffd"), nil
}

func tooLong(most int64) *fault {
	return &fault{Oversize, fmt.Sprintf("the body is longer than %d bytes", most), 0}
}

// fileName is a name without a folder, whoever made it.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "\ufffd"), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name)
	if name == "." || name == "/" || name == ".." {
		return ""
	}
	return strings.ToValidUTF8(name[:min(len(name), 255)], "")
}

package http

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/textproto"
	"path"
	"slices"
	"strings"

	"zflow/actions"
)

// body is what is sent: texts and files, one after the other.
type body struct {
	kind   string // content type
	pieces []piece
	size   int64
}

// piece is a text, or a file.
type piece struct {
	text []byte
	file *actions.File
}

func (b *body) add(text []byte) {
	b.pieces = append(b.pieces, piece{text: text})
	b.size += int64(len(text))
}

func (b *body) addFile(f actions.File) {
	b.pieces = append(b.pieces, piece{file: &f})
	b.size += f.Size
}

// bodyOf returns nil where there is none.
func (c *Client) bodyOf(ctx context.Context, input map[string]any) (*body, error) {
	var given []string
	for _, name := range []string{"json", "form", "text", "file", "multipart"} {
		if _, ok := input[name]; ok {
			given = append(given, name)
		}
	}
	switch {
	case len(given) == 0:
		return nil, nil
	case len(given) > 1:
		return nil, actions.Final("%s are given: a request has one body", strings.Join(given, " and "))
	}
	b := &body{}
	var err error
	switch field := given[0]; field {
	case "json":
		err = b.json(input[field])
	case "form":
		err = b.form(input[field])
	case "text":
		err = b.plain(input[field])
	case "file":
		err = b.whole(input[field])
	case "multipart":
		err = b.multipart(input[field])
	}
	if err != nil {
		return nil, err
	}
	return b, b.there(ctx, c.o.Files)
}

func (b *body) json(v any) error {
	text, err := encode(v)
	b.kind = "application/json"
	b.add(text)
	return err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, actions.Final("writing json: %v", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (b *body) form(v any) error {
	values, err := valuesOf("form", v)
	b.kind = "application/x-www-form-urlencoded"
	b.add([]byte(values.Encode()))
	return err
}

func (b *body) plain(v any) error {
	text, ok := scalar(v)
	if !ok {
		return actions.Final("text is not text")
	}
	b.kind = "text/plain; charset=utf-8"
	b.add([]byte(text))
	return nil
}

// whole is a body that is a file.
func (b *body) whole(v any) error {
	f, ok := actions.FileOf(v)
	if !ok {
		return actions.Final("file is no reference to a file, such as another step's output has")
	}
	b.kind = typeOf(f)
	b.addFile(f)
	return nil
}

// typeOf is a file's content type, as far as it can stand in a header.
func typeOf(f actions.File) string {
	if _, _, err := mime.ParseMediaType(f.Type); err != nil {
		return "application/octet-stream"
	}
	return f.Type
}

// multipart writes fields in the order of their names: texts, files, lists of them.
func (b *body) multipart(v any) error {
	fields, ok := v.(map[string]any)
	if !ok {
		return actions.Final("multipart is not an object")
	}
	boundary := rand.Text()
	b.kind = "multipart/form-data; boundary=" + boundary
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		list, ok := fields[name].([]any)
		if !ok {
			list = []any{fields[name]}
		}
		for _, v := range list {
			if err := b.part(boundary, name, v); err != nil {
				return err
			}
		}
	}
	b.add([]byte("--" + boundary + "--\r\n"))
	return nil
}

func (b *body) part(boundary, name string, v any) error {
	if v == nil {
		return nil
	}
	header := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + quoted(name) + `"`
	if f, ok := actions.FileOf(v); ok {
		b.add([]byte(header + "; filename=\"" + quoted(path.Base(f.Name)) + "\"\r\nContent-Type: " + typeOf(f) + "\r\n\r\n"))
		b.addFile(f)
		b.add([]byte("\r\n"))
		return nil
	}
	text, ok := scalar(v)
	if !ok {
		return actions.Final("multipart.%s is neither text nor number nor boolean nor a file", name)
	}
	b.add([]byte(header + "\r\n\r\n" + text + "\r\n"))
	return nil
}

// quoted is a name as forms of browsers write it: none can end its quotes.
func quoted(name string) string {
	name = strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22").Replace(name)
	return textproto.TrimString(name)
}

// there refuses files that cannot be read, before anything is sent.
func (b *body) there(ctx context.Context, files actions.Files) error {
	for _, p := range b.pieces {
		if p.file == nil {
			continue
		}
		if files.Open == nil {
			return actions.Final("files cannot be sent here: there is no store of them")
		}
		r, err := files.Open(ctx, *p.file)
		if err != nil {
			return actions.Final("the file %s cannot be read: %v", p.file.Name, err)
		}
		_ = r.Close() // it was only looked for
	}
	return nil
}

// open returns all pieces as one.
func (b *body) open(ctx context.Context, files actions.Files) (io.ReadCloser, error) {
	return &reading{ctx: ctx, files: files, rest: b.pieces}, nil
}

// reading opens one file at a time.
type reading struct {
	ctx   context.Context
	files actions.Files
	rest  []piece
	now   io.ReadCloser
}

func (r *reading) Read(p []byte) (int, error) {
	for {
		if r.now == nil {
			if len(r.rest) == 0 {
				return 0, io.EOF
			}
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.now.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if err := r.Close(); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

func (r *reading) next() (err error) {
	p := r.rest[0]
	r.rest = r.rest[1:]
	if p.file == nil {
		r.now = io.NopCloser(bytes.NewReader(p.text))
		return nil
	}
	if r.now, err = r.files.Open(r.ctx, *p.file); err != nil {
		return fmt.Errorf("reading the file %s: %w", p.file.Name, err)
	}
	return nil
}

// Close closes the file that is open.
func (r *reading) Close() (err error) {
	if r.now != nil {
		err = r.now.Close()
		r.now = nil
	}
	return err
}

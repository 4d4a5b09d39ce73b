package actions

import (
	"context"
	"errors"
	"io"
)

// File is a file that is kept in BLOBS. Workflows see a reference to it, an object
// { file, name, type, size, sha256 }, and hand that on; its bytes never stand in a
// step's input or output.
type File struct {
	ID     string // where it is kept
	Name   string // for people; no path
	Type   string // content type; empty: not known
	Size   int64
	SHA256 string // of its bytes, in hex
}

// ErrFileTooLarge says that a file has more bytes than may be stored.
var ErrFileTooLarge = errors.New("the file is larger than is allowed")

// Files keeps files. Its funcs are nil where a process has no store for them.
type Files struct {
	// Put stores what it reads, at most so many bytes: else ErrFileTooLarge, and
	// nothing is kept. Where reading fails nothing is kept either.
	Put func(ctx context.Context, r io.Reader, f File, most int64) (File, error)
	// Open returns the bytes. They are checked against size and hash while they are
	// read: where those differ, reading ends with an error, not with io.EOF.
	Open func(ctx context.Context, f File) (io.ReadCloser, error)
}

// Value is the reference, as workflows see it.
func (f File) Value() map[string]any {
	return map[string]any{"file": f.ID, "name": f.Name, "type": f.Type, "size": f.Size, "sha256": f.SHA256}
}

// FileOf reads a reference; ok tells whether the value is one.
func FileOf(v any) (f File, ok bool) {
	object, _ := v.(map[string]any)
	f.ID, _ = object["file"].(string)
	f.Name, _ = object["name"].(string)
	f.Type, _ = object["type"].(string)
	f.Size, _ = object["size"].(int64)
	f.SHA256, _ = object["sha256"].(string)
	return f, f.ID != "" && f.SHA256 != "" && f.Size >= 0
}

// FileSchema describes a reference.
func FileSchema(doc string) Schema {
	return Schema{
		Type: "object", Doc: doc, Required: []string{"file", "size", "sha256"},
		Fields: map[string]Schema{
			"file":   {Type: "string", Doc: "Where it is kept."},
			"name":   {Type: "string", Doc: "Its name, without a folder."},
			"type":   {Type: "string", Doc: "Its content type, such as application/pdf; empty if not known."},
			"size":   {Type: "integer", Doc: "How many bytes it has."},
			"sha256": {Type: "string", Doc: "The SHA-256 of its bytes, in hex."},
		},
	}
}

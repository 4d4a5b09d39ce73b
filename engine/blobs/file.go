package blobs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/objects"
	wire "zflow/proto"
)

// ErrTooLarge says that what was to be stored has more bytes than are allowed.
var ErrTooLarge = objects.ErrTooLarge

// FileInfo is what is known of a file once it is stored.
type FileInfo struct {
	ID     string
	Size   int64
	SHA256 string // hex
}

// filePrefix begins the names of files: what is named by its hash is a value.
const filePrefix = "file-"

// PutFile stores what it reads durably, a part at a time: at most so many bytes, else
// ErrTooLarge. What was not stored whole is not kept.
func (s *Store) PutFile(ctx context.Context, r io.Reader, most int64) (FileInfo, error) {
	f := FileInfo{ID: filePrefix + rand.Text()}
	mark := s.gate.Mark()
	o, err := s.bucket().Put(ctx, f.ID, r, most)
	if err != nil {
		return FileInfo{}, fmt.Errorf("storing a file: %w", errors.Join(err, s.remove(ctx, o.ID)))
	}
	f.Size, f.SHA256 = o.Size, hex.EncodeToString(o.Sum)
	return f, s.gate.Pass(ctx, wire.Objects(wire.Blobs), mark)
}

// OpenFile returns the bytes of a file. Where they turn out not to be those that
// were stored, reading ends with ErrMissing.
func (s *Store) OpenFile(ctx context.Context, f FileInfo) (io.ReadCloser, error) {
	object, err := s.objects.Get(ctx, f.ID)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, fmt.Errorf("opening the file %s: it is not in %s any more: %w", f.ID, wire.Blobs, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the file %s: %w", f.ID, err)
	}
	return &checked{object, &counter{from: object, most: f.Size, sum: sha256.New()}, f}, nil
}

// counter reads on, and knows what it read.
type counter struct {
	from       io.Reader
	size, most int64
	sum        hash.Hash
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.size += int64(n)
	c.sum.Write(p[:n])
	if c.size > c.most {
		err = ErrTooLarge
	}
	return n, err
}

// checked is a file that is read, and compared at its end.
type checked struct {
	io.Closer
	from *counter
	want FileInfo
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	same := c.from.size == c.want.Size && hex.EncodeToString(c.from.sum.Sum(nil)) == c.want.SHA256
	if errors.Is(err, ErrTooLarge) || errors.Is(err, jetstream.ErrDigestMismatch) || errors.Is(err, io.EOF) && !same {
		return n, fmt.Errorf("reading the file %s: its bytes are not those that were stored: %w", c.want.ID, ErrMissing)
	}
	return n, err
}

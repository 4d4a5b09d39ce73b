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

	wire "zflow/proto"
)

// ErrTooLarge says that what was to be stored has more bytes than are allowed.
var ErrTooLarge = errors.New("it is larger than is allowed")

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
	counted := &counter{from: r, most: most, sum: sha256.New()}
	mark := s.gate.Mark()
	if _, err := s.objects.Put(ctx, jetstream.ObjectMeta{Name: f.ID}, counted); err != nil {
		if counted.failed != nil { // rather than what the client made of it
			err = counted.failed
		}
		return FileInfo{}, fmt.Errorf("storing a file: %w", err)
	}
	f.Size, f.SHA256 = counted.size, hex.EncodeToString(counted.sum.Sum(nil))
	return f, s.gate.Pass(ctx, wire.Objects(wire.Blobs), mark)
}

// counter reads on, and knows what it read.
type counter struct {
	from       io.Reader
	size, most int64
	sum        hash.Hash
	failed     error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.size += int64(n)
	c.sum.Write(p[:n])
	if c.size > c.most {
		err = ErrTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.failed = err
	}
	return n, err
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

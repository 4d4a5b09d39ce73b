package blobs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/objects"
	wire "zflow/proto"
)

// Writer puts files by streaming them. Other than a Store it needs no right to read
// or to remove anything.
type Writer struct {
	js   jetstream.JetStream
	gate *durable.Gate
}

// NewWriter returns a writer; the object store has to be there when it writes.
func NewWriter(js jetstream.JetStream, gate *durable.Gate) *Writer { return &Writer{js, gate} }

// Write stores what r brings, at most so many bytes, else ErrTooLarge. Nothing has a
// name before all of it is there; what was begun and not ended ages away. It is
// durable once Pass returns for a mark made before.
func (w *Writer) Write(ctx context.Context, r io.Reader, most int64) (FileInfo, error) {
	f := FileInfo{ID: filePrefix + rand.Text()}
	o, err := objects.Bucket{JS: w.js, Name: wire.Blobs}.Put(ctx, f.ID, r, most)
	if err != nil {
		return FileInfo{}, err
	}
	f.Size, f.SHA256 = o.Size, hex.EncodeToString(o.Sum)
	return f, nil
}

// Mark is made before the first Write that a Pass is for.
func (w *Writer) Mark() durable.Mark { return w.gate.Mark() }

// Pass returns when what was written since the mark is durable.
func (w *Writer) Pass(ctx context.Context, mark durable.Mark) error {
	return w.gate.Pass(ctx, wire.Objects(wire.Blobs), mark)
}

package blobs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	wire "zflow/proto"
)

// chunkSize is that of JetStream's client, whose form of objects this is.
const chunkSize = 128 << 10

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
	o := object{w: w, id: rand.Text(), sum: sha256.New()}
	if err := o.chunks(ctx, r, most); err != nil {
		return FileInfo{}, err
	}
	f := FileInfo{ID: filePrefix + o.id, Size: o.size, SHA256: hex.EncodeToString(o.sum.Sum(nil))}
	return f, o.finish(ctx, f.ID)
}

// Mark is made before the first Write that a Pass is for.
func (w *Writer) Mark() durable.Mark { return w.gate.Mark() }

// Pass returns when what was written since the mark is durable.
func (w *Writer) Pass(ctx context.Context, mark durable.Mark) error {
	return w.gate.Pass(ctx, wire.Objects(wire.Blobs), mark)
}

// object is one under way.
type object struct {
	w      *Writer
	id     string
	sum    hash.Hash
	size   int64
	pieces uint32
}

func (o *object) chunks(ctx context.Context, r io.Reader, most int64) error {
	piece := make([]byte, chunkSize)
	for {
		n, err := io.ReadFull(r, piece)
		if o.size += int64(n); o.size > most {
			return ErrTooLarge
		}
		if n > 0 {
			o.sum.Write(piece[:n])
			o.pieces++
			if _, err := o.w.js.Publish(ctx, chunkSubject(o.id), piece[:n], jetstream.WithExpectStream(wire.Objects(wire.Blobs))); err != nil {
				return fmt.Errorf("storing a file: %w", err)
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// finish gives the object its name.
func (o *object) finish(ctx context.Context, name string) error {
	info := jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkSize}},
		Bucket:     wire.Blobs, NUID: o.id, Size: uint64(o.size), Chunks: o.pieces,
		Digest: "SHA-256=" + base64.URLEncoding.EncodeToString(o.sum.Sum(nil)),
	}
	raw, err := json.Marshal(info)
	if err != nil {
		return err
	}
	m := &nats.Msg{Subject: metaSubject(name), Data: raw, Header: nats.Header{"Nats-Rollup": {"sub"}}}
	if _, err := o.w.js.PublishMsg(ctx, m, jetstream.WithExpectStream(wire.Objects(wire.Blobs))); err != nil {
		return fmt.Errorf("storing a file: %w", err)
	}
	return nil
}

func chunkSubject(id string) string { return "$O." + wire.Blobs + ".C." + id }

func metaSubject(name string) string {
	return "$O." + wire.Blobs + ".M." + base64.URLEncoding.EncodeToString([]byte(name))
}

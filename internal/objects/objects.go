// Package objects puts what is large into JetStream's object stores, in the form that
// its client reads. The client's own Put wants rights to read and to remove, and leaves
// a goroutine behind for ever where it ends before that one began (nats.go 1.55.0).
package objects

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/proto"
)

// chunkSize is that of JetStream's client.
const chunkSize = 128 << 10

// ErrTooLarge says that what was to be stored has more bytes than are allowed.
var ErrTooLarge = errors.New("it is larger than is allowed")

// Object is what was put.
type Object struct {
	ID   string // of its chunks
	Size int64  // bytes
	Sum  []byte // SHA-256
}

// Bucket is one object store.
type Bucket struct {
	JS   jetstream.JetStream
	Name string
}

// Put stores what r brings under a name, at most so many bytes, else ErrTooLarge. Nothing
// has the name before all of it is there. Chunks of what failed, and of what had the name
// before, are there until Remove or until they age.
func (b Bucket) Put(ctx context.Context, name string, r io.Reader, most int64) (Object, error) {
	p := put{to: b, sum: sha256.New(), Object: Object{ID: rand.Text()}}
	err := p.chunks(ctx, r, most)
	if err == nil {
		p.Sum = p.sum.Sum(nil)
		err = p.finish(ctx, name)
	}
	return p.Object, err
}

// Remove drops the chunks of an object.
func (b Bucket) Remove(ctx context.Context, id string) error {
	stream, err := b.JS.Stream(ctx, proto.Objects(b.Name))
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject(b.Chunks(id)))
}

// Chunks is the subject of an object's chunks.
func (b Bucket) Chunks(id string) string { return "$O." + b.Name + ".C." + id }

// put is one under way.
type put struct {
	Object
	to     Bucket
	sum    hash.Hash
	pieces uint32
}

func (p *put) chunks(ctx context.Context, r io.Reader, most int64) error {
	piece := make([]byte, chunkSize)
	for {
		n, err := fill(r, piece)
		if p.Size += int64(n); p.Size > most {
			return ErrTooLarge
		}
		if n > 0 {
			p.sum.Write(piece[:n])
			p.pieces++
			if err := p.publish(ctx, &nats.Msg{Subject: p.to.Chunks(p.ID), Data: piece[:n]}); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// fill reads until the piece is full or nothing comes. Other than io.ReadFull it tells
// an end from what broke off: who uploads a file and goes away is io.ErrUnexpectedEOF.
func fill(r io.Reader, piece []byte) (n int, err error) {
	for n < len(piece) && err == nil {
		var more int
		more, err = r.Read(piece[n:])
		n += more
	}
	return n, err
}

// finish gives the object its name.
func (p *put) finish(ctx context.Context, name string) error {
	raw, err := json.Marshal(jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkSize}},
		Bucket:     p.to.Name, NUID: p.ID, Size: uint64(p.Size), Chunks: p.pieces,
		Digest: "SHA-256=" + base64.URLEncoding.EncodeToString(p.Sum),
	})
	if err != nil {
		return err
	}
	subject := "$O." + p.to.Name + ".M." + base64.URLEncoding.EncodeToString([]byte(name))
	return p.publish(ctx, &nats.Msg{Subject: subject, Data: raw, Header: nats.Header{jetstream.MsgRollup: {jetstream.MsgRollupSubject}}})
}

func (p *put) publish(ctx context.Context, m *nats.Msg) error {
	if _, err := p.to.JS.PublishMsg(ctx, m, jetstream.WithExpectStream(proto.Objects(p.to.Name))); err != nil {
		return fmt.Errorf("storing %d bytes in %s: %w", len(m.Data), p.to.Name, err)
	}
	return nil
}

// Package blobs keeps values that are too large for a history in the object
// store BLOBS, under the SHA-256 of their bytes. They live as long as RUNS; a
// run that lives longer puts its own again, and the files that they refer to.
package blobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/objects"
	wire "zflow/proto"
)

// ErrMissing says that a value is gone, or is not what was stored.
var ErrMissing = errors.New("the value is lost")

// Large is the size in bytes above which a value belongs here.
const Large = 256 << 10

// Create makes the object store.
func Create(ctx context.Context, js jetstream.JetStream, age time.Duration, replicas int) error {
	_, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
		Bucket: wire.Blobs, Description: "values too large for a history", TTL: age,
		Storage: jetstream.FileStorage, Replicas: max(replicas, 1),
	})
	if err != nil {
		return fmt.Errorf("creating object store %s: %w", wire.Blobs, err)
	}
	return nil
}

// Store puts and gets blobs.
type Store struct {
	js      jetstream.JetStream
	objects jetstream.ObjectStore
	stream  jetstream.Stream // behind it
	gate    *durable.Gate
}

// Open looks the object store up.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Store, error) {
	objects, err := js.ObjectStore(ctx, wire.Blobs)
	if err != nil {
		return nil, fmt.Errorf("opening object store %s: %w", wire.Blobs, err)
	}
	stream, err := js.Stream(ctx, wire.Objects(wire.Blobs))
	if err != nil {
		return nil, fmt.Errorf("opening object store %s: %w", wire.Blobs, err)
	}
	return &Store{js, objects, stream, gate}, nil
}

func (s *Store) bucket() objects.Bucket { return objects.Bucket{JS: s.js, Name: wire.Blobs} }

// Put stores bytes durably and returns their name.
func (s *Store) Put(ctx context.Context, data []byte) (name string, err error) {
	sum := sha256.Sum256(data)
	name = hex.EncodeToString(sum[:])
	mark := s.gate.Mark()
	if err := s.replace(ctx, name, data); err != nil {
		return "", fmt.Errorf("storing a value of %d bytes: %w", len(data), err)
	}
	return name, s.gate.Pass(ctx, wire.Objects(wire.Blobs), mark)
}

// replace puts bytes under a name, and drops those that had it.
func (s *Store) replace(ctx context.Context, name string, data []byte) error {
	old, err := s.objects.GetInfo(ctx, name)
	if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
		return err
	}
	o, err := s.bucket().Put(ctx, name, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return errors.Join(err, s.remove(ctx, o.ID))
	}
	if old != nil {
		return s.remove(ctx, old.NUID)
	}
	return nil
}

// remove drops what has no name, or has it no more. Whoever asked may have gone.
func (s *Store) remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.bucket().Remove(ctx, id)
}

// Get returns the bytes of a name, and checks that they are those.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.objects.GetBytes(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, fmt.Errorf("reading value %.12s: it is not in %s any more: %w", name, wire.Blobs, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("reading value %.12s: %w", name, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != name {
		return nil, fmt.Errorf("reading value %.12s: its bytes are not those that were stored: %w", name, ErrMissing)
	}
	return data, nil
}

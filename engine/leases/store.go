// Package leases keeps the leases of workers, and locks, in the bucket LEASES.
//
// A lease is a key that its only writer puts again and again; it is gone Age
// after the last put, or when it is deleted. Nothing is cached: each read asks
// the leader (the bucket has no direct get). The rules by which a lease decides
// who owns a run are in package worker.
package leases

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	wire "zflow/proto"
)

// Age is how long a lease lasts after it was put.
const Age = 6 * time.Second

// markLife is how long a mark stays.
const markLife = 60 * 24 * time.Hour

// Create makes the buckets LEASES and ONCE; the latter is shared with package gates.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: wire.Bucket(wire.Leases), Subjects: []string{"$KV." + wire.Leases + ".>"}, Storage: jetstream.FileStorage,
		MaxMsgsPerSubject: 1, MaxAge: Age, Discard: jetstream.DiscardNew, Replicas: max(replicas, 1),
		AllowRollup: true, DenyDelete: true,
	})
	if err != nil {
		return fmt.Errorf("creating bucket %s: %w", wire.Leases, err)
	}
	return durable.CreateBucket(ctx, js, wire.Once, "what must happen once", replicas)
}

// Store reads and writes leases and locks.
type Store struct {
	leases, once jetstream.KeyValue
}

// Open looks the buckets up.
func Open(ctx context.Context, js jetstream.JetStream) (*Store, error) {
	leases, err := js.KeyValue(ctx, wire.Leases)
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", wire.Leases, err)
	}
	once, err := js.KeyValue(ctx, wire.Once)
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", wire.Once, err)
	}
	return &Store{leases, once}, nil
}

const workerPrefix = "worker."

func key(worker string) string { return workerPrefix + worker }

// Workers counts those that hold a lease; none where there is no bucket yet.
func Workers(ctx context.Context, js jetstream.JetStream) (n int, err error) {
	bucket, err := js.KeyValue(ctx, wire.Leases)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return 0, nil // no worker has ever been
	}
	if err != nil {
		return 0, fmt.Errorf("opening bucket %s: %w", wire.Leases, err)
	}
	keys, err := bucket.ListKeys(ctx)
	if err != nil {
		return 0, fmt.Errorf("listing leases: %w", err)
	}
	for k := range keys.Keys() {
		if strings.HasPrefix(k, workerPrefix) {
			n++
		}
	}
	return n, nil
}

// Put renews a worker's lease. The time at which this was sent, not answered, is
// what the worker may count from.
func (s *Store) Put(ctx context.Context, worker string) error {
	if _, err := s.leases.Put(ctx, key(worker), nil); err != nil {
		return fmt.Errorf("renewing the lease of worker %s: %w", worker, err)
	}
	return nil
}

// Get returns when the server stored a worker's lease, and whether there is one.
func (s *Store) Get(ctx context.Context, worker string) (at time.Time, there bool, err error) {
	e, err := s.leases.Get(ctx, key(worker))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("reading the lease of worker %s: %w", worker, err)
	}
	return e.Created(), true, nil
}

// Delete gives a worker's lease back.
func (s *Store) Delete(ctx context.Context, worker string) error {
	if err := s.leases.Purge(ctx, key(worker)); err != nil {
		return fmt.Errorf("giving back the lease of worker %s: %w", worker, err)
	}
	return nil
}

// Clear removes all leases and locks; only for a process that is alone.
func (s *Store) Clear(ctx context.Context) error {
	keys, err := s.leases.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("listing leases: %w", err)
	}
	for k := range keys.Keys() {
		if err := s.leases.Purge(ctx, k); err != nil {
			return fmt.Errorf("clearing lease %s: %w", k, err)
		}
	}
	return nil
}

// Done says whether something that happens once was marked as done.
func (s *Store) Done(ctx context.Context, what string) (bool, error) {
	_, err := s.once.Get(ctx, what)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading mark %s: %w", what, err)
	}
	return true, nil
}

// Mark marks it as done.
func (s *Store) Mark(ctx context.Context, what string) error {
	if _, err := s.once.Create(ctx, what, nil, jetstream.KeyTTL(markLife)); err != nil && !durable.Conflict(err) {
		return fmt.Errorf("setting mark %s: %w", what, err)
	}
	return nil
}

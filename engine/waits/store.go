package waits

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/proto"
)

// ErrFull says that too many runs wait for one and the same.
var ErrFull = errors.New("too many runs wait for the same events with the same values")

const (
	// maxEntry bounds an entry's bytes; the last quarter is left to arrivals.
	maxEntry = 256 << 10
	// maxArrived bounds the arrivals that a waiter has listed.
	maxArrived = 32
)

// Wait names one thing that a run waits for: an alternative of its wait_started.
type Wait struct {
	Workflow    string `json:"w"`
	Run         string `json:"r"`
	Fact        uint64 `json:"f"` // number of the wait_started
	Alternative uint32 `json:"a,omitempty"`
}

// Waiter is a wait with the events that it is for. An alternative with several
// types is a waiter for each.
type Waiter struct {
	Wait
	Source string            // of the events, such as zoom or app
	Type   string            // or a pattern, such as recording.*
	Match  map[string]string // path in the event's body to value as text
}

// Arrived are events that came for a waiter.
type Arrived struct {
	Sequences []uint64 `json:"s,omitempty"` // in EVENTS
	// Between these more lie, among others, that had no room here; 0: none do.
	From uint64 `json:"from,omitempty"`
	To   uint64 `json:"to,omitempty"`
}

// Create makes the bucket.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	return durable.CreateBucket(ctx, js, proto.Waiters, "which runs wait for which events", replicas)
}

// Store reads and changes who waits for what.
type Store struct{ bucket *durable.Bucket }

// Open looks the bucket up.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Store, error) {
	b, err := durable.OpenBucket(ctx, js, gate, proto.Waiters)
	if err != nil {
		return nil, err
	}
	return &Store{b}, nil
}

// key is where the waiter's entry is; paths are its set.
func (w *Waiter) key() (key string, paths []string) {
	paths = slices.Sorted(maps.Keys(w.Match))
	values := make([]string, len(paths))
	for i, p := range paths {
		values[i] = w.Match[p]
	}
	return proto.WaitKey(w.Source, w.Type, paths, values), paths
}

// Register makes the router bring events to waiters, durably.
func (s *Store) Register(ctx context.Context, waiters ...Waiter) error {
	if len(waiters) == 0 {
		return nil
	}
	err := s.bucket.Durably(ctx, func() error {
		for i := range waiters {
			if err := s.register(ctx, &waiters[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return told(err, "registering", &waiters[0])
}

// told wraps an error with the wait that it is about.
func told(err error, doing string, w *Waiter) error {
	if err != nil {
		return fmt.Errorf("%s run %s, which waits for %s (fact %d): %w", doing, w.Run, w.Type, w.Fact, err)
	}
	return nil
}

func (s *Store) register(ctx context.Context, w *Waiter) error {
	key, paths := w.key()
	if err := s.addPaths(ctx, w, paths); err != nil {
		return err
	}
	return s.change(ctx, key, func(e *entry) error {
		if e.find(w.Wait) != nil {
			return nil
		}
		e.Waiters = append(e.Waiters, &waiting{Wait: w.Wait})
		if e.size() > maxEntry*3/4 {
			return fmt.Errorf("%d of them: %w: match on a value that only the wanted event has", len(e.Waiters)-1, ErrFull)
		}
		return nil
	})
}

// Drop ends registrations, durably; one that is not there is no error.
func (s *Store) Drop(ctx context.Context, waiters ...Waiter) error {
	if len(waiters) == 0 {
		return nil
	}
	err := s.bucket.Durably(ctx, func() error {
		for i := range waiters {
			key, _ := waiters[i].key()
			if err := s.change(ctx, key, func(e *entry) error { e.drop(waiters[i].Wait); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	return told(err, "dropping", &waiters[0])
}

// Arrive adds the arrival of an event to the entries that it matches, durably, and
// returns who is to be woken.
func (s *Store) Arrive(ctx context.Context, sequence uint64, entries ...Entry) ([]Wait, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	var woken []Wait
	err := s.bucket.Durably(ctx, func() error {
		woken = nil
		for _, at := range entries {
			err := s.change(ctx, at.key, func(e *entry) error {
				woken = append(woken, e.arrive(sequence)...)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("telling those who wait for event %d in %s: %w", sequence, proto.Events, err)
	}
	return woken, nil
}

// Arrivals returns what came for a waiter and was not taken yet.
func (s *Store) Arrivals(ctx context.Context, w Waiter) (Arrived, error) {
	key, _ := w.key()
	e, err := s.entry(ctx, key)
	if err != nil {
		return Arrived{}, told(err, "looking what came for", &w)
	}
	if at := e.find(w.Wait); at != nil {
		return at.Arrived, nil
	}
	return Arrived{}, nil
}

// Took drops, durably, arrivals that the waiter has dealt with, those between From
// and To included.
func (s *Store) Took(ctx context.Context, w Waiter, a Arrived) error {
	key, _ := w.key()
	err := s.bucket.Durably(ctx, func() error {
		return s.change(ctx, key, func(e *entry) error {
			if at := e.find(w.Wait); at != nil {
				at.took(a)
			}
			return nil
		})
	})
	return told(err, "dropping what came for", &w)
}

// change edits an entry; one that nobody waits in is removed.
func (s *Store) change(ctx context.Context, key string, edit func(*entry) error) error {
	return s.bucket.Change(ctx, key, func(old []byte) ([]byte, error) {
		e, err := decode(key, old)
		if err != nil {
			return nil, err
		}
		if err := edit(e); err != nil || len(e.Waiters) == 0 {
			return nil, err
		}
		return json.Marshal(e)
	})
}

func (s *Store) entry(ctx context.Context, key string) (*entry, error) {
	at, err := s.bucket.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return decode(key, at.Value)
}

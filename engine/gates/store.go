package gates

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/proto"
)

// maxHolders bounds the bytes of a list of holders.
const maxHolders = 256 << 10

// Place is a run's place in the queue of a gate.
type Place struct {
	Sequence uint64 `json:"s"` // of the append in RUNS by which it queues
	Workflow string `json:"w"`
	Run      string `json:"r"`
}

// Over says whether a run no longer needs its place; see the obligations.
type Over func(ctx context.Context, p Place) (bool, error)

// Create makes the bucket GATES. ONCE is made by package leases.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	return durable.CreateBucket(ctx, js, proto.Gates, "the queues of concurrency keys", replicas)
}

// Store reads and changes gates, and what happened once.
type Store struct {
	gates, once *durable.Bucket
	counting    sync.Mutex // of quotas
}

// Open looks the buckets up.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Store, error) {
	gates, err := durable.OpenBucket(ctx, js, gate, proto.Gates)
	if err != nil {
		return nil, err
	}
	once, err := durable.OpenBucket(ctx, js, gate, proto.Once)
	if err != nil {
		return nil, err
	}
	return &Store{gates: gates, once: once}, nil
}

// Queue gives a run its place at a gate, durably.
func (s *Store) Queue(ctx context.Context, gate string, p Place) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding the place of run %s: %w", p.Run, err)
	}
	err = s.gates.Durably(ctx, func() error {
		return s.gates.Change(ctx, proto.PlaceKey(gate, p.Sequence), func([]byte) ([]byte, error) { return data, nil })
	})
	return told(err, "queuing", gate, p)
}

// told wraps an error with the run and the gate that it is about.
func told(err error, doing, gate string, p Place) error {
	if err != nil {
		return fmt.Errorf("%s run %s at gate %s, place %d: %w", doing, p.Run, gate, p.Sequence, err)
	}
	return nil
}

// Holds says whether a run is, durably, inside a gate.
func (s *Store) Holds(ctx context.Context, gate string, p Place) (bool, error) {
	in := false
	err := s.gates.Durably(ctx, func() error {
		holders, _, err := s.holders(ctx, gate)
		in = slices.Contains(holders, p)
		return err
	})
	return in && err == nil, told(err, "looking for", gate, p)
}

// Leave takes a run out of a gate and out of its queue, durably; one that is not
// there is no error.
func (s *Store) Leave(ctx context.Context, gate string, p Place) error {
	err := s.gates.Durably(ctx, func() error {
		// The place first: who admits meanwhile may have read it, and finds at the
		// swap that the holders changed; or makes a holder that is over, which it
		// wakes, and whose run then leaves again.
		if err := s.gates.Remove(ctx, proto.PlaceKey(gate, p.Sequence)); err != nil {
			return err
		}
		holders, old, err := s.holders(ctx, gate)
		if err != nil || !slices.Contains(holders, p) {
			return err
		}
		return s.setHolders(ctx, gate, old, slices.DeleteFunc(holders, func(h Place) bool { return h == p }))
	})
	return told(err, "taking out", gate, p)
}

// Ahead returns those with a lower place than this, inside and queuing, by place.
func (s *Store) Ahead(ctx context.Context, gate string, place uint64) ([]Place, error) {
	all, err := s.ahead(ctx, gate, place)
	if err != nil {
		return nil, fmt.Errorf("looking who is at gate %s before place %d: %w", gate, place, err)
	}
	return all, nil
}

func (s *Store) ahead(ctx context.Context, gate string, place uint64) ([]Place, error) {
	holders, _, err := s.holders(ctx, gate)
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(holders, func(h Place) bool { return h.Sequence >= place })
	places, err := s.places(ctx, gate)
	if err != nil {
		return nil, err
	}
	for _, sequence := range places {
		if sequence >= place || slices.ContainsFunc(all, func(h Place) bool { return h.Sequence == sequence }) {
			continue
		}
		p, there, err := s.place(ctx, gate, sequence)
		if err != nil {
			return nil, err
		}
		if there {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Place) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return all, nil
}

// holders returns who is inside, and the entry that says so.
func (s *Store) holders(ctx context.Context, gate string) ([]Place, durable.Entry, error) {
	key := proto.HoldersKey(gate)
	e, err := s.gates.Get(ctx, key)
	if err != nil || e.Value == nil {
		return nil, e, err
	}
	var holders []Place
	if err := json.Unmarshal(e.Value, &holders); err != nil {
		return nil, e, fmt.Errorf("reading %s in %s: %w", key, proto.Gates, err)
	}
	return holders, e, nil
}

func (s *Store) setHolders(ctx context.Context, gate string, old durable.Entry, holders []Place) error {
	var data []byte
	if len(holders) > 0 {
		var err error
		if data, err = json.Marshal(holders); err != nil {
			return err
		}
	}
	if len(data) > maxHolders {
		return fmt.Errorf("the list of %d runs inside is over %d bytes: lower the limit of the concurrency", len(holders), maxHolders)
	}
	return s.gates.Swap(ctx, proto.HoldersKey(gate), old, data, 0)
}

// places returns the places of a gate, the lowest first.
func (s *Store) places(ctx context.Context, gate string) ([]uint64, error) {
	keys, err := s.gates.Below(ctx, gate)
	if err != nil {
		return nil, err
	}
	places := make([]uint64, 0, len(keys))
	for _, key := range keys {
		if n, err := strconv.ParseUint(strings.TrimPrefix(key, gate+"."), 10, 64); err == nil { // else: the holders
			places = append(places, n)
		}
	}
	slices.Sort(places)
	return places, nil
}

// place reads one; it may have been left meanwhile.
func (s *Store) place(ctx context.Context, gate string, sequence uint64) (p Place, there bool, err error) {
	key := proto.PlaceKey(gate, sequence)
	e, err := s.gates.Get(ctx, key)
	if err != nil || e.Value == nil {
		return Place{}, false, err
	}
	if err := json.Unmarshal(e.Value, &p); err != nil {
		return Place{}, false, fmt.Errorf("reading %s in %s: %w", key, proto.Gates, err)
	}
	if p.Sequence != sequence {
		return Place{}, false, errors.New("reading " + key + " in " + proto.Gates + ": it says that it is another place")
	}
	return p, true, nil
}

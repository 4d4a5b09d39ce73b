package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/proto"
)

const (
	// MaxValue is the largest value in bytes of JSON.
	MaxValue = 256 << 10
	// MaxKey is the longest key in bytes.
	MaxKey = 256
	// MaxKeys is how many keys a store has at most, those included whose values are
	// gone for less than an hour. Each worker counts now and then: some more may be made.
	MaxKeys = 100_000
)

// Refusals.
var (
	ErrKey   = fmt.Errorf("a key is text of 1 to %d bytes", MaxKey)
	ErrStore = errors.New("a store's name has 1 to 64 of a-z, 0-9, - and _")
	ErrLarge = fmt.Errorf("a value has at most %d KiB: keep larger ones as files", MaxValue>>10)
	ErrKeys  = fmt.Errorf("the store has %d keys, and takes no more: delete some, or give them a ttl", MaxKeys)
	ErrFull  = errors.New("all stores together have no room: delete keys, or raise streams.data_bytes")
	ErrLate  = errors.New("it was held up for too long to be sure that it happens only once: nothing was changed")
)

// Create makes the bucket.
func Create(ctx context.Context, js jetstream.JetStream, replicas int, bytes int64) error {
	return durable.BucketConfig{Name: proto.Data, Description: "what steps keep", Replicas: replicas, Bytes: bytes}.Create(ctx, js)
}

// Store reads and changes what steps keep. It is safe for concurrent use.
type Store struct {
	bucket *durable.Bucket
	now    func() time.Time

	mu      sync.Mutex
	tallies map[string]*tally // by store
}

// Open looks the bucket up.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Store, error) {
	b, err := durable.OpenBucket(ctx, js, gate, proto.Data)
	if err != nil {
		return nil, err
	}
	return &Store{bucket: b, now: time.Now, tallies: map[string]*tally{}}, nil
}

// Place is a key of a store.
type Place struct {
	Workflow string // whose store
	Shared   string // a shared store's name; then Workflow does not matter
	Key      string
}

var storeName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

func (p Place) store() (string, error) {
	if p.Shared == "" && p.Workflow == "" || p.Shared != "" && !storeName.MatchString(p.Shared) {
		return "", ErrStore
	}
	return proto.DataStore(p.Workflow, p.Shared), nil
}

func (p Place) at() (store, key string, err error) {
	if store, err = p.store(); err != nil {
		return "", "", err
	}
	if p.Key == "" || len(p.Key) > MaxKey || !utf8.ValidString(p.Key) {
		return "", "", ErrKey
	}
	return store, proto.DataKey(store, p.Key), nil
}

// Entry is what a key has.
type Entry struct {
	Key      string
	Value    json.RawMessage // nil: there is none
	Revision uint64          // changes with each change
	Expires  time.Time       // zero: never
	Written  time.Time
}

// Get reads a key; Value is nil where it has none.
func (s *Store) Get(ctx context.Context, p Place) (Entry, error) {
	_, key, err := p.at()
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	err = s.bucket.Durably(ctx, func() error {
		old, err := s.bucket.Get(ctx, key)
		if err != nil {
			return err
		}
		r, err := read(old.Value)
		e = r.entry(p.Key, old, s.now())
		return err
	})
	return e, err
}

// tally is how many keys a store has, as last counted.
type tally struct {
	at    time.Time
	known int
	made  int // by us, since
}

// recount is how long a count is believed at most.
const recount = time.Minute

// room refuses a new key of a full store.
func (s *Store) room(ctx context.Context, store string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tallies[store]
	if t == nil {
		t = &tally{}
		s.tallies[store] = t
	}
	if now := s.now(); now.Sub(t.at) > recount || t.made > (MaxKeys-t.known)/8 {
		n, err := s.bucket.Count(ctx, store)
		if err != nil {
			return err
		}
		*t = tally{at: now, known: int(n)}
	}
	if t.known+t.made >= MaxKeys {
		return ErrKeys
	}
	t.made++
	return nil
}

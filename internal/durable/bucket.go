package durable

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/proto"
)

// ErrConflict says that another changed an entry between its reading and its writing.
var ErrConflict = errors.New("another changed it meanwhile")

const (
	// tries bounds how often Durably begins anew. Each conflict is another's
	// success, and the pauses spread the rivals, so that many lose few times each.
	tries = 100
	// emptyFor is how long a removed entry's subject keeps its marker.
	emptyFor = time.Minute

	headerOperation = "KV-Operation"
	headerRollup    = "Nats-Rollup"
	headerReason    = "Nats-Marker-Reason"
)

// CreateBucket makes a key-value bucket that decides, or brings it up to date: on
// file, without direct get, and without an age (entries may have their own).
func CreateBucket(ctx context.Context, js jetstream.JetStream, name, description string, replicas int) error {
	return BucketConfig{Name: name, Description: description, Replicas: replicas}.Create(ctx, js)
}

// BucketConfig says what a bucket is.
type BucketConfig struct {
	Name, Description string
	Replicas          int
	Bytes             int64 // that it takes: more is refused, see Full; 0: no limit of its own
}

// Create is CreateBucket.
func (c BucketConfig) Create(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: proto.Bucket(c.Name), Description: "zflow: " + c.Description, Subjects: []string{subject(c.Name, ">")},
		Storage: jetstream.FileStorage, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, Replicas: max(c.Replicas, 1),
		AllowRollup: true, DenyDelete: true, AllowMsgTTL: true, MaxBytes: c.Bytes,
	})
	if err != nil {
		return fmt.Errorf("creating bucket %s: %w", c.Name, err)
	}
	return nil
}

func subject(bucket, key string) string { return "$KV." + bucket + "." + key }

// Bucket is a key-value bucket that decides something: it is read from the leader,
// changed by compare-and-swap, and what it says is believed past the Gate only.
// Nothing is remembered between two calls. It is safe for concurrent use.
type Bucket struct {
	name   string
	js     jetstream.JetStream
	stream jetstream.Stream
	gate   *Gate
	seed   maphash.Seed
	lanes  [64]chan struct{} // one change of a key at a time in this process
}

// OpenBucket looks a bucket up.
func OpenBucket(ctx context.Context, js jetstream.JetStream, gate *Gate, name string) (*Bucket, error) {
	stream, err := js.Stream(ctx, proto.Bucket(name))
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", name, err)
	}
	b := &Bucket{name: name, js: js, stream: stream, gate: gate, seed: maphash.MakeSeed()}
	for i := range b.lanes {
		b.lanes[i] = make(chan struct{}, 1)
	}
	return b, nil
}

// Entry is what a key has, as it was read: no Value where there is none.
type Entry struct {
	Value    []byte
	Revision uint64    // of what was read, a removed value too; 0: nothing
	Written  time.Time // by the server's clock
	mark     Mark
}

// Get reads an entry. It may not be durable yet: see Durably.
func (b *Bucket) Get(ctx context.Context, key string) (Entry, error) {
	e := Entry{mark: b.gate.Mark()}
	m, err := b.stream.GetLastMsgForSubject(ctx, subject(b.name, key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return e, nil
	}
	if err != nil {
		return e, fmt.Errorf("reading %s in %s: %w", key, b.name, err)
	}
	e.Revision, e.Written = m.Sequence, m.Time
	if m.Header.Get(headerOperation) == "" && m.Header.Get(headerReason) == "" {
		e.Value = m.Data
	}
	return e, nil
}

// Swap writes an entry in place of one that was read, or returns ErrConflict; no
// bytes remove it. A life of 0 is for ever. What was read from another server, or
// over another connection, is not replaced (ErrChanged): a power failure may have
// given its revision to something else.
func (b *Bucket) Swap(ctx context.Context, key string, old Entry, next []byte, life time.Duration) error {
	_, err := b.Put(ctx, key, old, next, life)
	return err
}

// Put is Swap that tells the revision of what it wrote.
func (b *Bucket) Put(ctx context.Context, key string, old Entry, next []byte, life time.Duration) (uint64, error) {
	m := &nats.Msg{Subject: subject(b.name, key), Header: nats.Header{}, Data: next}
	if len(next) == 0 {
		if old.Value == nil {
			return old.Revision, nil
		}
		m.Header.Set(headerOperation, "PURGE")
		m.Header.Set(headerRollup, "sub")
		life = emptyFor // or the markers of all keys that ever were would stay
	}
	opts := []jetstream.PublishOpt{jetstream.WithExpectLastSequencePerSubject(old.Revision), jetstream.WithExpectStream(proto.Bucket(b.name))}
	if life > 0 {
		opts = append(opts, jetstream.WithMsgTTL(life))
	}
	if b.gate.Mark() != old.mark {
		return 0, fmt.Errorf("writing %s in %s: %w", key, b.name, ErrChanged)
	}
	ack, err := b.js.PublishMsg(ctx, m, opts...)
	if Conflict(err) {
		err = ErrConflict
	}
	if err != nil {
		return 0, fmt.Errorf("writing %s in %s: %w", key, b.name, err)
	}
	return ack.Sequence, nil
}

// Full tells that a write was refused since the bucket has no room for it.
func Full(err error) bool {
	const storeFailed = 10077
	var e *jetstream.APIError
	return errors.As(err, &e) && e.ErrorCode == storeFailed && strings.Contains(e.Description, "maximum")
}

// Conflict tells that a compare and swap found something else than was expected: the
// server has two codes for that, the client a third error.
func Conflict(err error) bool {
	const wrongLastSequence, wrongLastSequenceConstant = 10071, 10164
	var e *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) ||
		errors.As(err, &e) && (e.ErrorCode == wrongLastSequence || e.ErrorCode == wrongLastSequenceConstant)
}

// Change swaps an entry for what decide makes of it; decide returns the old bytes
// to leave it, none to remove it. Of this process one changes a key at a time;
// with others it may conflict. Use it inside Durably.
func (b *Bucket) Change(ctx context.Context, key string, decide func(old []byte) ([]byte, error)) error {
	release, err := b.Hold(ctx, key)
	if err != nil {
		return err
	}
	defer release()
	old, err := b.Get(ctx, key)
	if err != nil {
		return err
	}
	next, err := decide(old.Value)
	if err != nil || string(next) == string(old.Value) {
		return err
	}
	return b.Swap(ctx, key, old, next, 0)
}

// Hold keeps the others of this process from changing a key until release is called:
// they would only conflict.
func (b *Bucket) Hold(ctx context.Context, key string) (release func(), err error) {
	lane := b.lanes[maphash.String(b.seed, key)%uint64(len(b.lanes))]
	select {
	case lane <- struct{}{}:
		return func() { <-lane }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to change %s in %s: %w", key, b.name, context.Cause(ctx))
	}
}

// Durably does something, again and again while it conflicts with others, and
// returns nil when all that it wrote, and all that it read, is durable. What it
// does must be right to do twice, and reads anew each time.
func (b *Bucket) Durably(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		mark := b.gate.Mark()
		err := do()
		if err == nil {
			err = b.gate.Pass(ctx, proto.Bucket(b.name), mark)
		}
		switch {
		case !errors.Is(err, ErrConflict) && !errors.Is(err, ErrChanged):
			return err
		case try == tries:
			return fmt.Errorf("giving up after %d tries: %w", tries, err)
		}
		if err := rest(ctx, try); err != nil {
			return err
		}
	}
}

// rest waits a while that grows, by chance more or less, before the next try.
func rest(ctx context.Context, try int) error {
	longest := min(time.Millisecond<<min(try, 10), 50*time.Millisecond)
	timer := time.NewTimer(rand.N(longest))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for another try: %w", context.Cause(ctx))
	}
}

// Below returns the keys that have one token more than a prefix. It costs the
// server a walk over these keys, and over no others.
func (b *Bucket) Below(ctx context.Context, prefix string) ([]string, error) {
	info, err := b.stream.Info(ctx, jetstream.WithSubjectFilter(subject(b.name, prefix+".*")))
	if err != nil {
		return nil, fmt.Errorf("listing the keys below %s in %s: %w", prefix, b.name, err)
	}
	keys := make([]string, 0, len(info.State.Subjects))
	for s := range info.State.Subjects {
		keys = append(keys, strings.TrimPrefix(s, subject(b.name, "")))
	}
	return keys, nil
}

// Count returns how many entries there are below a prefix, markers of removed ones
// included. It costs the server a walk over these keys.
func (b *Bucket) Count(ctx context.Context, prefix string) (uint64, error) {
	c, err := b.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubject: subject(b.name, prefix+".>"), DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckNonePolicy,
		InactiveThreshold: 5 * time.Second, MemoryStorage: true, Replicas: 1,
	})
	if err != nil {
		return 0, fmt.Errorf("counting the keys below %s in %s: %w", prefix, b.name, err)
	}
	info := c.CachedInfo()
	_ = b.stream.DeleteConsumer(ctx, info.Name) // it would end by itself
	return info.NumPending, nil
}

// Remove removes an entry, whatever it is, and leaves no marker behind; only for
// keys that are not used again.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	if err := b.stream.Purge(ctx, jetstream.WithPurgeSubject(subject(b.name, key))); err != nil {
		return fmt.Errorf("removing %s from %s: %w", key, b.name, err)
	}
	return nil
}

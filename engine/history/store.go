package history

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/internal/durable"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// ErrConflict says that another append came first: load the run and decide again.
var ErrConflict = errors.New("another append to the run came first")

// The codes by which the server refuses an expected sequence.
const ()

// Limits of the stream.
type Limits struct {
	Age      time.Duration // 0: 30 days
	Bytes    int64         // 0: 20 GiB
	Replicas int
}

// Create makes the stream RUNS, or brings its limits up to date.
func Create(ctx context.Context, js jetstream.JetStream, l Limits) error {
	if l.Age == 0 {
		l.Age = 30 * 24 * time.Hour
	}
	if l.Bytes == 0 {
		l.Bytes = 20 << 30
	}
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: wire.Runs, Description: "what was done about each event: the histories of runs",
		Subjects: []string{"zflow.run.*.*.*"}, Storage: jetstream.FileStorage, Replicas: max(l.Replicas, 1),
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxAge: l.Age, MaxBytes: l.Bytes,
		Duplicates: 2 * time.Minute, DenyDelete: true,
	})
	if err != nil {
		return fmt.Errorf("creating stream %s: %w", wire.Runs, err)
	}
	return nil
}

// Store reads and appends histories.
type Store struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	gate   *durable.Gate
	age    time.Duration
}

// Open looks the stream up.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Store, error) {
	stream, err := js.Stream(ctx, wire.Runs)
	if err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", wire.Runs, err)
	}
	return &Store{js: js, stream: stream, gate: gate, age: stream.CachedInfo().Config.MaxAge}, nil
}

// Age returns after what time an append is dropped.
func (s *Store) Age() time.Duration { return s.age }

// Cursor is where a run's history ends, as its holder knows it. The zero Cursor
// expects a run without history.
type Cursor struct {
	Sequence uint64            // of the last append in RUNS
	Number   uint64            // of the last append in the run
	Hash     [sha256.Size]byte // of its stored bytes
	Sent     time.Time         // when the last append made through this cursor was sent
	mark     durable.Mark
}

// Append is what is to be stored together.
type Append struct {
	Workflow, Run string
	State         string
	Epoch         uint64
	Facts         []*v1.Fact
	Header        nats.Header // for subscribers; plain text
}

// Append stores facts behind the cursor and moves it.
func (s *Store) Append(ctx context.Context, c *Cursor, a Append) error {
	facts := &v1.Facts{Number: c.Number + 1, Epoch: a.Epoch, Facts: a.Facts, State: a.State}
	if c.Number > 0 {
		facts.Previous = c.Hash[:]
	}
	back := lift(a.Facts)
	data, err := proto.Marshal(facts)
	back()
	if err != nil {
		return fmt.Errorf("encoding append %d of run %s: %w", facts.Number, a.Run, err)
	}
	hash := sha256.Sum256(data)
	msg := &nats.Msg{Subject: wire.RunSubject(a.Workflow, a.Run, a.State), Header: signed(a.Header, hash), Data: data}
	mark, sent := s.gate.Mark(), time.Now()
	ack, err := s.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(wire.Runs),
		jetstream.WithExpectLastSequenceForSubject(c.Sequence, wire.RunFilter(a.Workflow, a.Run)))
	if err != nil {
		if durable.Conflict(err) {
			return fmt.Errorf("appending to run %s: %w", a.Run, ErrConflict)
		}
		return fmt.Errorf("appending to run %s: %w", a.Run, err)
	}
	*c = Cursor{Sequence: ack.Sequence, Number: facts.Number, Hash: hash, Sent: sent, mark: mark}
	return nil
}

// signed returns the headers with the hash of the append's bytes.
func signed(header nats.Header, hash [sha256.Size]byte) nats.Header {
	all := make(nats.Header, len(header)+3) // two more are the client's
	maps.Copy(all, header)
	all[headerHash] = []string{hex.EncodeToString(hash[:])}
	return all
}

// Pass waits until what the cursor stands behind is durable.
func (s *Store) Pass(ctx context.Context, c *Cursor) error {
	return s.gate.Pass(ctx, wire.Runs, c.mark)
}

package history

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// oneByOne is how many appends are asked for singly: for more a consumer is made.
// One costs 0.1 ms, a consumer about 3.
const oneByOne = 32

// History is a run's history as loaded.
type History struct {
	Appends   []*v1.Facts
	Sequences []uint64    // of each in RUNS
	Stored    []time.Time // when the server stored each
	Cursor    Cursor
}

// Load reads a run's history and checks that none of its appends is missing or
// altered. A run that does not exist has an empty history.
func (s *Store) Load(ctx context.Context, workflow, run string) (*History, error) {
	h := &History{}
	h.Cursor.mark = s.gate.Mark()
	filter := wire.RunFilter(workflow, run)
	last, err := s.stream.GetLastMsgForSubject(ctx, filter)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return h, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading run %s: %w", run, err)
	}
	if h.backwards(ctx, s, run, last) {
		return h, nil
	}
	*h = History{Cursor: Cursor{mark: h.Cursor.mark}}
	return h, s.loadForwards(ctx, h, run, filter)
}

// backwards reads a short history from its end, each append by the sequence that
// the one after it was written behind. That costs the same in a stream of any
// size: the server finds a run's next message by reading all between. It returns
// false, and says not why, if the history is long or not what was written.
func (h *History) backwards(ctx context.Context, s *Store, run string, m *jetstream.RawStreamMsg) bool {
	f := &v1.Facts{}
	if proto.Unmarshal(m.Data, f) != nil || f.Number == 0 || f.Number > oneByOne {
		return false
	}
	all := make([]*jetstream.RawStreamMsg, f.Number)
	for i := len(all) - 1; ; i-- {
		all[i] = m
		behind, err := strconv.ParseUint(m.Header.Get(headerBehind), 10, 64)
		if err != nil || (behind == 0) != (i == 0) {
			return false
		}
		if behind == 0 {
			break
		}
		if m, err = s.stream.GetMsg(ctx, behind); err != nil {
			return false
		}
	}
	for _, m := range all { // of another run it would not be what the next was chained to
		if h.add(run, stored{m.Sequence, m.Time, m.Header, m.Data}) != nil {
			return false
		}
	}
	return true
}

// loadForwards reads a history that is long, or not what was written, and says what
// is wrong with it.
func (s *Store) loadForwards(ctx context.Context, h *History, run, filter string) error {
	for next := uint64(1); len(h.Appends) < oneByOne; next = h.Cursor.Sequence + 1 {
		m, err := s.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("loading run %s: %w", run, err)
		}
		one := stored{m.Sequence, m.Time, m.Header, m.Data}
		if err := h.add(run, one); err != nil {
			return s.aged(ctx, err, one)
		}
	}
	return s.loadRest(ctx, h, run, filter)
}

// loadRest reads what follows the cursor through an ordered consumer.
func (s *Store) loadRest(ctx context.Context, h *History, run, filter string) error {
	c, err := s.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{filter}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: h.Cursor.Sequence + 1,
		InactiveThreshold: 30 * time.Second, // it stays for five minutes otherwise, and takes room
	})
	if err != nil {
		return fmt.Errorf("loading run %s: %w", run, err)
	}
	pending := c.CachedInfo().NumPending
	for pending > 0 {
		batch, err := c.Fetch(int(min(pending, 500)), jetstream.FetchMaxWait(5*time.Second))
		if err != nil {
			return fmt.Errorf("loading run %s: %w", run, err)
		}
		got := uint64(0)
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				return fmt.Errorf("loading run %s: %w", run, err)
			}
			if err := h.add(run, stored{meta.Sequence.Stream, meta.Timestamp, m.Headers(), m.Data()}); err != nil {
				return err
			}
			got++
		}
		if got == 0 {
			return fmt.Errorf("loading run %s: the server stopped after %d appends: %w", run, len(h.Appends), errors.Join(batch.Error(), ctx.Err()))
		}
		pending -= min(got, pending)
	}
	return nil
}

// add checks the next append against the one before it.
func (h *History) add(run string, m stored) error {
	l := link{h.Cursor.Number, h.Cursor.Hash}
	f, err := l.follow(run, m)
	if err != nil {
		return err
	}
	h.Appends, h.Sequences, h.Stored = append(h.Appends, f), append(h.Sequences, m.sequence), append(h.Stored, m.at)
	h.Cursor.Sequence, h.Cursor.Number, h.Cursor.Hash = m.sequence, l.number, l.hash
	return nil
}

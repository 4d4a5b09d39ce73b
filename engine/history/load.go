package history

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// oneByOne is how many appends are asked for singly before a consumer is made:
// one costs 0.1 ms, a consumer about 3.
const oneByOne = 32

// History is a run's history as loaded.
type History struct {
	Appends []*v1.Facts
	Stored  []time.Time // when the server stored each
	Cursor  Cursor
}

// Load reads a run's history and checks that none of its appends is missing or
// altered. A run that does not exist has an empty history.
func (s *Store) Load(ctx context.Context, workflow, run string) (*History, error) {
	h := &History{}
	h.Cursor.mark = s.gate.Mark()
	filter := wire.RunFilter(workflow, run)
	for next := uint64(1); len(h.Appends) < oneByOne; next = h.Cursor.Sequence + 1 {
		m, err := s.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return h, nil
		}
		if err != nil {
			return nil, fmt.Errorf("loading run %s: %w", run, err)
		}
		if err := h.add(run, m.Sequence, m.Time, m.Data); err != nil {
			return nil, err
		}
	}
	return h, s.loadRest(ctx, h, run, filter)
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
			if err := h.add(run, meta.Sequence.Stream, meta.Timestamp, m.Data()); err != nil {
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
func (h *History) add(run string, sequence uint64, stored time.Time, data []byte) error {
	f := &v1.Facts{}
	if err := proto.Unmarshal(data, f); err != nil {
		return &Damaged{Run: run, Sequence: sequence, Why: "its bytes are no facts: " + err.Error()}
	}
	if why := h.broken(f); why != "" {
		return &Damaged{Run: run, Sequence: sequence, Why: why}
	}
	h.Appends, h.Stored = append(h.Appends, f), append(h.Stored, stored)
	h.Cursor.Sequence, h.Cursor.Number, h.Cursor.Hash = sequence, f.Number, sha256.Sum256(data)
	return nil
}

// broken says why an append cannot be the next. A history may begin late where
// its first generations have aged away.
func (h *History) broken(f *v1.Facts) string {
	switch {
	case len(f.Facts) == 0:
		return "it holds no fact"
	case len(h.Appends) == 0 && f.Number == 1:
		return ""
	case len(h.Appends) == 0 && f.Facts[0].GetRunContinued() == nil:
		return fmt.Sprintf("the history begins with append %d, and that begins no generation", f.Number)
	case len(h.Appends) == 0:
		return ""
	case f.Number != h.Cursor.Number+1:
		return fmt.Sprintf("append %d follows append %d", f.Number, h.Cursor.Number)
	case !bytes.Equal(f.Previous, h.Cursor.Hash[:]):
		return fmt.Sprintf("append %d is not the one that append %d was written behind", h.Cursor.Number, f.Number)
	}
	return ""
}

// Damaged is the error about a history that is not what was written.
type Damaged struct {
	Run      string
	Sequence uint64 // in RUNS, of the first bad append
	Why      string
}

func (e *Damaged) Error() string {
	return fmt.Sprintf("loading run %s: its history is damaged at message %d of %s: %s", e.Run, e.Sequence, wire.Runs, e.Why)
}

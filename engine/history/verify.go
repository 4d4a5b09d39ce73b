package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	wire "zflow/proto"
)

// Verified is what Verify found.
type Verified struct {
	Runs, Appends uint64
	Bad           []*Damaged // the first bad append of each run that is not whole, in the order of RUNS; aged ones too
}

// quiet is how long a reader waits for a message before it asks whether any is
// left: the last ones may have aged away meanwhile.
const quiet = 5 * time.Second

// Verify reads all of RUNS once, in order, and checks that no append of any
// history is missing or altered, without keeping what it has read. What is
// appended meanwhile is left out. It tells progress after each append.
func (s *Store) Verify(ctx context.Context, progress func(done, of uint64)) (Verified, error) {
	info, err := s.stream.Info(ctx)
	if err != nil {
		return Verified{}, fmt.Errorf("verifying histories: %w", err)
	}
	v := &verifier{store: s, runs: map[string]*link{}, of: info.State.Msgs, progress: progress}
	if info.State.Msgs > 0 {
		err = v.read(ctx, info.State.LastSeq)
	}
	if err != nil {
		return Verified{}, fmt.Errorf("verifying histories: after %d of %d appends: %w", v.found.Appends, v.of, err)
	}
	v.found.Runs = uint64(len(v.runs))
	return v.found, nil
}

// verifier is a Verify in progress.
type verifier struct {
	store    *Store
	runs     map[string]*link // nil: found bad already
	of       uint64
	progress func(done, of uint64)
	found    Verified
}

// read checks all messages up to a sequence.
func (v *verifier) read(ctx context.Context, end uint64) error {
	c, err := v.store.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{InactiveThreshold: 30 * time.Second})
	if err != nil {
		return err
	}
	messages, err := c.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextMaxWait(quiet))
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, jetstream.ErrNoHeartbeat):
			continue // the server is away: it is asked again
		case errors.Is(err, nats.ErrTimeout):
			if info, err := c.Info(ctx); err != nil || info.NumPending == 0 {
				return err
			}
			continue
		case err != nil:
			return err
		}
		last, err := v.message(ctx, m, end)
		if err != nil || last {
			return err
		}
	}
}

// message checks one message, and says whether it was the last.
func (v *verifier) message(ctx context.Context, m jetstream.Msg, end uint64) (last bool, err error) {
	meta, err := m.Metadata()
	if err != nil {
		return false, err
	}
	if meta.Sequence.Stream > end {
		return true, nil
	}
	if err := v.append(ctx, m.Subject(), stored{meta.Sequence.Stream, meta.Timestamp, m.Headers(), m.Data()}); err != nil {
		return false, err
	}
	v.found.Appends++
	v.progress(v.found.Appends, v.of)
	return meta.Sequence.Stream == end || meta.NumPending == 0, nil
}

func (v *verifier) append(ctx context.Context, subject string, m stored) error {
	workflow, run, _, err := wire.ParseRunSubject(subject)
	if err != nil {
		return err
	}
	l, known := v.runs[run]
	switch {
	case !known:
		l = &link{}
		v.runs[run] = l
	case l == nil:
		return nil
	}
	var bad *Damaged
	_, err = l.follow(run, m)
	if err = v.store.aged(ctx, err, m); !errors.As(err, &bad) {
		return err
	}
	bad.Workflow = workflow
	v.runs[run] = nil
	v.found.Bad = append(v.found.Bad, bad)
	return nil
}

package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	wire "zflow/proto"
)

// Head is the last append of a run, as its subject and headers tell it.
type Head struct {
	Workflow, Run, State string
	Sequence             uint64
	At                   time.Time
	Header               nats.Header
}

// Heads calls f for the last append of each run that matches, in no order,
// reading headers only. Empty workflow and states: any.
func (s *Store) Heads(ctx context.Context, workflow string, states []string, f func(Head) error) error {
	if workflow == "" {
		workflow = "*"
	}
	last := map[string]Head{}
	err := s.lasts(ctx, []string{wire.RunSubject(workflow, "*", "*")}, func(h Head) error {
		if have, ok := last[h.Run]; !ok || h.Sequence > have.Sequence {
			last[h.Run] = h
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, h := range last {
		if len(states) > 0 && !slices.Contains(states, h.State) {
			continue
		}
		if err := f(h); err != nil {
			return err
		}
	}
	return nil
}

// OpenRuns calls f for each run whose last append says waiting or running. It asks
// for the last state of each candidate, at most one in each interval `every`, so
// that appends do not suffer.
func (s *Store) OpenRuns(ctx context.Context, every time.Duration, f func(Head) error) error {
	var open []Head
	filters := []string{wire.RunSubject("*", "*", "waiting"), wire.RunSubject("*", "*", "running")}
	if err := s.lasts(ctx, filters, func(h Head) error { open = append(open, h); return nil }); err != nil {
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for _, h := range open {
		now, err := s.Head(ctx, h.Workflow, h.Run)
		if err != nil {
			return err
		}
		if now.Sequence != h.Sequence {
			continue // it has moved on: whoever moved it looks after it
		}
		if err := f(now); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Head returns the last append of a run; its Sequence is 0 if there is none.
func (s *Store) Head(ctx context.Context, workflow, run string) (Head, error) {
	m, err := s.stream.GetLastMsgForSubject(ctx, wire.RunFilter(workflow, run))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Head{Workflow: workflow, Run: run}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("reading the state of run %s: %w", run, err)
	}
	return head(m.Subject, m.Sequence, m.Time, m.Header)
}

func head(subject string, sequence uint64, at time.Time, header nats.Header) (Head, error) {
	workflow, run, state, err := wire.ParseRunSubject(subject)
	return Head{workflow, run, state, sequence, at, header}, err
}

// listBatch is how many heads are asked for at a time.
const listBatch = 5000

// lasts calls f for the last message of each subject that matches. (An ordered
// consumer would, from its second fetch on, deliver every message: it begins
// anew by sequence then.)
func (s *Store) lasts(ctx context.Context, filters []string, f func(Head) error) error {
	c, err := s.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubjects: filters, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, HeadersOnly: true,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return fmt.Errorf("listing runs: %w", err)
	}
	// One that cannot be deleted is gone after a minute.
	defer func() { _ = s.stream.DeleteConsumer(context.WithoutCancel(ctx), c.CachedInfo().Name) }()
	for pending := c.CachedInfo().NumPending; pending > 0; {
		got, err := heads(c, int(min(pending, listBatch)), f)
		if err != nil {
			return fmt.Errorf("listing runs: %w", err)
		}
		if got == 0 {
			return fmt.Errorf("listing runs: the server stopped with %d to go", pending)
		}
		pending -= min(got, pending)
	}
	return nil
}

func heads(c jetstream.Consumer, most int, f func(Head) error) (got uint64, err error) {
	batch, err := c.Fetch(most, jetstream.FetchMaxWait(10*time.Second))
	if err != nil {
		return 0, err
	}
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return got, err
		}
		h, err := head(m.Subject(), meta.Sequence.Stream, meta.Timestamp, m.Headers())
		if err != nil {
			return got, err
		}
		if err := f(h); err != nil {
			return got, err
		}
		got++
	}
	return got, nil
}

// Find returns the head of a run whose workflow is not known.
func (s *Store) Find(ctx context.Context, run string) (Head, error) {
	m, err := s.stream.GetLastMsgForSubject(ctx, wire.RunFilter("*", run))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Head{Run: run}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("looking for run %s: %w", run, err)
	}
	return head(m.Subject, m.Sequence, m.Time, m.Header)
}

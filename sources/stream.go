package sources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"zflow/proto"

	"github.com/nats-io/nats.go/jetstream"
)

// What EVENTS holds where nothing else is configured.
const (
	DefaultMaxAge   = 28 * 24 * time.Hour
	DefaultMaxBytes = 20 << 30
)

const (
	// duplicates must be longer than Zoom's last retry, 85 minutes after the first try.
	duplicates = 2 * time.Hour
	// maxConsumers lifts the server's default of 1,000: there is one a workflow.
	maxConsumers = 10_000
)

// Limits are the settable limits of EVENTS. A zero is the default.
type Limits struct {
	MaxAge   time.Duration
	MaxBytes int64
	Replicas int
}

// Config returns what EVENTS looks like under the limits. It has no direct get:
// what a lagging replica answers could make EnsureSpace take a message for absent.
func (l Limits) Config() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:         proto.Events,
		Description:  "what happened outside, as received",
		Subjects:     []string{"zflow.event.>"},
		Retention:    jetstream.LimitsPolicy,
		Storage:      jetstream.FileStorage,
		Discard:      jetstream.DiscardNew,
		MaxAge:       cmp.Or(l.MaxAge, DefaultMaxAge),
		MaxBytes:     cmp.Or(l.MaxBytes, DefaultMaxBytes),
		Replicas:     cmp.Or(l.Replicas, 1),
		Duplicates:   duplicates,
		MaxConsumers: maxConsumers,
	}
}

// Create makes EVENTS, or brings the one that is there to these limits.
func Create(ctx context.Context, js jetstream.JetStream, l Limits) error {
	c := l.Config()
	c.Duplicates = min(c.Duplicates, c.MaxAge)
	if err := create(ctx, js, c); err != nil {
		return fmt.Errorf("creating stream %s: %w", proto.Events, err)
	}
	return nil
}

// create never asks for a stream that is there: the server would look for room for
// a second one. In this order ingest, which makes a missing one, needs no right to
// update.
func create(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) error {
	_, err := js.Stream(ctx, c.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, failed := js.CreateStream(ctx, c)
		if failed == nil {
			return nil
		}
		if _, err := js.Stream(ctx, c.Name); err != nil {
			return failed
		}
		err = nil // somebody was faster
	}
	if err != nil {
		return err
	}
	_, err = js.UpdateStream(ctx, c)
	return err
}

const (
	spaceHigh = 0.90 // above this share of MaxBytes room is made
	spaceLow  = 0.80 // down to this
)

// Space is how full EVENTS is and what EnsureSpace did about it.
type Space struct {
	Bytes, MaxBytes uint64 // after the purge
	Purged          uint64 // messages
	Unfinished      uint64 // the first sequence that a consumer has not finished
}

// Tight tells that the stream is above the mark at which room is made.
func (s Space) Tight() bool {
	return s.MaxBytes > 0 && float64(s.Bytes) > spaceHigh*float64(s.MaxBytes)
}

// EnsureSpace purges the oldest events that every consumer has finished, if EVENTS
// is above 90 % of its size, until it is at 80 %. The caller counts and logs what
// it returns. Where no consumer is there, nothing is known to be finished.
func EnsureSpace(ctx context.Context, js jetstream.JetStream) (Space, error) {
	space, err := ensureSpace(ctx, js)
	if err != nil {
		return space, fmt.Errorf("making room in stream %s: %w", proto.Events, err)
	}
	return space, nil
}

func ensureSpace(ctx context.Context, js jetstream.JetStream) (Space, error) {
	stream, err := js.Stream(ctx, proto.Events)
	if err != nil {
		return Space{}, err
	}
	info := stream.CachedInfo()
	space := Space{Bytes: info.State.Bytes, MaxBytes: uint64(max(info.Config.MaxBytes, 0))}
	if !space.Tight() {
		return space, nil
	}
	if space.Unfinished, err = unfinished(ctx, stream, info.State); err != nil {
		return space, err
	}
	target := uint64(spaceLow * float64(space.MaxBytes))
	for first := info.State.FirstSeq; space.Bytes > target && first < space.Unfinished; {
		state := info.State
		average := max(state.Bytes/max(state.Msgs, 1), 1)
		upTo := min(first+max((space.Bytes-target)/average, 1), space.Unfinished)
		if err := stream.Purge(ctx, jetstream.WithPurgeSequence(upTo)); err != nil {
			return space, err
		}
		if info, err = stream.Info(ctx); err != nil {
			return space, err
		}
		space.Purged += state.Msgs - min(info.State.Msgs, state.Msgs)
		space.Bytes, first = info.State.Bytes, upTo
	}
	return space, nil
}

// unfinished returns the lowest sequence that some consumer has not finished. The
// state was read before the consumers are: what came since is above its last
// sequence and stays.
func unfinished(ctx context.Context, stream jetstream.Stream, state jetstream.StreamState) (uint64, error) {
	lowest, consumers := state.LastSeq+1, 0
	list := stream.ListConsumers(ctx)
	for c := range list.Info() {
		consumers++
		first, err := firstUnfinished(ctx, stream, c)
		if err != nil {
			return 0, err
		}
		lowest = min(lowest, first)
	}
	if err := list.Err(); err != nil {
		return 0, err
	}
	if consumers == 0 {
		return state.FirstSeq, nil
	}
	return lowest, nil
}

const none = ^uint64(0)

// firstUnfinished returns the first message above the consumer's ack floor that
// is for it: the floor alone would stand still where its subjects are rare.
func firstUnfinished(ctx context.Context, stream jetstream.Stream, c *jetstream.ConsumerInfo) (uint64, error) {
	filters := c.Config.FilterSubjects
	if len(filters) == 0 {
		filters = []string{cmp.Or(c.Config.FilterSubject, ">")}
	}
	first := none
	for _, filter := range filters {
		m, err := stream.GetMsg(ctx, c.AckFloor.Stream+1, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return 0, err
		}
		first = min(first, m.Sequence)
	}
	return first, nil
}

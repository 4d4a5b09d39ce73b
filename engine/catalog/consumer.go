package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/proto"
)

// A consumer is made or changed against others this often. One that cannot be
// after the first few tries is deleted: a server that deleted it while somebody
// else made it may have one left that it cannot store.
const (
	attempts    = 20
	brokenAfter = 4
)

// Every workflow's consumer is like this; DESIGN's table says why.
const (
	ackWait       = 10 * time.Second
	maxAckPending = 1000
	inOrder       = 1 // of a workflow with a concurrency key: its runs queue in the order of the events
	unlimited     = -1
)

// Consumer returns the durable consumer of a workflow's events, made or put
// right if need be, or ErrNotDeployed; a consumer that a removal left is deleted
// then. A workflow that no event starts has none: the consumer is nil.
func (c *Catalog) Consumer(ctx context.Context, name string) (jetstream.Consumer, error) {
	if err := c.settle(ctx, name); err != nil {
		return nil, fmt.Errorf("preparing the consumer of %s: %w", name, err)
	}
	e, err := c.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	consumer, err := c.js.Consumer(ctx, proto.Events, e.Name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking up the consumer of %s: %w", name, err)
	}
	return consumer, nil
}

// Redeliver makes all events that are unacknowledged come again now; only where
// nobody works on them.
func (c *Catalog) Redeliver(ctx context.Context) error {
	entries, err := c.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		// The server answers nothing about one that is not there, as of a workflow that no
		// event starts: it is looked up first.
		_, err := c.js.Consumer(ctx, proto.Events, e.Name)
		if err == nil {
			_, err = c.js.ResetConsumer(ctx, proto.Events, e.Name)
		}
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return fmt.Errorf("resetting the consumer of %s: %w", e.Name, err)
		}
	}
	return nil
}

// Ordered says that a consumer gives its events one by one.
func Ordered(c jetstream.Consumer) bool { return c.CachedInfo().Config.MaxAckPending == inOrder }

// settle makes a workflow's consumer what its entry says, again whenever the
// entry, or the consumer, was changed meanwhile. Who comes last leaves it right.
func (c *Catalog) settle(ctx context.Context, name string) error {
	e, err := c.load(ctx, name)
	for lost := 0; err == nil && e != nil; {
		failed, settled := c.ensure(ctx, *e), e.Revision
		e, err = c.load(ctx, name)
		switch {
		case err != nil || e == nil || e.Revision != settled:
			continue
		case raced(failed) && lost < attempts:
			if lost++; lost%brokenAfter == 0 {
				err = c.drop(ctx, name)
			}
		default:
			return failed
		}
	}
	return err
}

// raced tells whether an error means that somebody else made or deleted the
// consumer between two calls of ours.
func raced(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeConsumerDoesNotExist, jetstream.JSErrCodeConsumerExists, jetstream.JSErrCodeConsumerCreate:
		return true
	}
	return false
}

func (c *Catalog) ensure(ctx context.Context, e Entry) error {
	config, err := c.config(ctx, e)
	if err != nil {
		return err
	}
	if config == nil {
		return c.drop(ctx, e.Name)
	}
	there, err := c.js.Consumer(ctx, proto.Events, e.Name)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
	case err != nil:
		return fmt.Errorf("looking up consumer %s: %w", e.Name, err)
	case startsAt(there.CachedInfo().Config, e.FirstDeployedAt):
		if right(there.CachedInfo().Config, config) {
			return nil
		}
	default: // of an earlier deployment, removed since: a start cannot be changed
		if err := c.drop(ctx, e.Name); err != nil {
			return err
		}
	}
	if _, err := c.js.CreateOrUpdateConsumer(ctx, proto.Events, *config); err != nil {
		return fmt.Errorf("making consumer %s: %w", e.Name, err)
	}
	return nil
}

// config returns nil for a workflow that gets no events.
func (c *Catalog) config(ctx context.Context, e Entry) (*jetstream.ConsumerConfig, error) {
	if e.State == Removed {
		return nil, nil
	}
	w, err := c.Workflow(ctx, e.Name, e.Version)
	if err != nil {
		return nil, err
	}
	filters := Filters(w.Triggers)
	if len(filters) == 0 {
		return nil, nil
	}
	pending := maxAckPending
	if w.Concurrency != nil {
		pending = inOrder
	}
	start := e.FirstDeployedAt
	return &jetstream.ConsumerConfig{
		Durable:        e.Name,
		Description:    describes + e.Name,
		DeliverPolicy:  jetstream.DeliverByStartTimePolicy,
		OptStartTime:   &start,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        ackWait,
		MaxDeliver:     unlimited,
		MaxAckPending:  pending,
		FilterSubjects: filters,
	}, nil
}

func startsAt(config jetstream.ConsumerConfig, start time.Time) bool {
	return config.DeliverPolicy == jetstream.DeliverByStartTimePolicy && config.OptStartTime != nil && config.OptStartTime.Equal(start)
}

// right tells whether a consumer needs no update.
func right(there jetstream.ConsumerConfig, want *jetstream.ConsumerConfig) bool {
	filters := there.FilterSubjects
	if there.FilterSubject != "" {
		filters = []string{there.FilterSubject}
	}
	filters = slices.Sorted(slices.Values(filters))
	return slices.Equal(filters, want.FilterSubjects) && there.AckPolicy == want.AckPolicy && there.AckWait == want.AckWait &&
		there.MaxDeliver == want.MaxDeliver && there.MaxAckPending == want.MaxAckPending &&
		len(there.BackOff) == 0 && there.InactiveThreshold == 0
}

func (c *Catalog) drop(ctx context.Context, name string) error {
	err := c.js.DeleteConsumer(ctx, proto.Events, name)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("deleting consumer %s: %w", name, err)
	}
	return nil
}

package ends

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/proto"
)

// covered is the consumer's metadata that says which wishes it has been put right for:
// of others there are ends that it has passed by.
const covered = "zflow.covered"

// consumer makes the consumer, or puts it right. It goes on where it was, but goes back
// to where a workflow was deployed since whose ends it may have passed by. What is read
// twice makes the same event. A new one begins where the first who wants it was deployed.
func (o Options) consumer(ctx context.Context, w *wishes) (jetstream.Consumer, error) {
	there, err := o.JS.Consumer(ctx, proto.Runs, durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		since := w.settle(covers{})
		return o.put(ctx, w, w.next(nil), jetstream.ConsumerConfig{
			Durable: durable, Description: "zflow: runs that ended, for workflows that these start",
			DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: pending,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("looking up consumer %s: %w", durable, err)
	}
	info := there.CachedInfo()
	before := parseCovers(info.Config.Metadata[covered])
	if since := w.settle(before); !since.IsZero() {
		if _, err := o.put(ctx, w, before, info.Config); err != nil { // should this end here, it is begun again
			return nil, err
		}
		if err := o.back(ctx, info, since); err != nil {
			return nil, fmt.Errorf("setting consumer %s back: %w", durable, err)
		}
	}
	return o.put(ctx, w, w.next(before), info.Config)
}

func (o Options) put(ctx context.Context, w *wishes, c covers, config jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	config.FilterSubject, config.FilterSubjects = "", w.filters
	config.Metadata = map[string]string{covered: c.String()}
	made, err := o.JS.CreateOrUpdateConsumer(ctx, proto.Runs, config)
	if err != nil {
		return nil, fmt.Errorf("making consumer %s: %w", durable, err)
	}
	return made, nil
}

// back makes the consumer give what was stored since a time. The server sets none before
// its start, and tells what the consumer gave out last, not what it passed by behind
// that: so it is set anew in any case, no further than what is still to come by its
// filters till now.
func (o Options) back(ctx context.Context, info *jetstream.ConsumerInfo, since time.Time) error {
	to, err := o.first(ctx, since)
	if err != nil {
		return err
	}
	switch {
	case info.NumAckPending > 0:
		to = min(to, info.AckFloor.Stream+1)
	case info.NumPending > 0:
		to = min(to, info.Delivered.Stream+1)
	}
	if at := info.Config.OptStartTime; at != nil {
		start, err := o.first(ctx, *at)
		if err != nil {
			return err
		}
		to = max(to, start)
	}
	_, err = o.JS.ResetConsumerToSequence(ctx, proto.Runs, durable, to)
	return err
}

// first is the number of the first message that was stored since a time: a consumer
// that begins then knows.
func (o Options) first(ctx context.Context, since time.Time) (uint64, error) {
	c, err := o.JS.CreateConsumer(ctx, proto.Runs, jetstream.ConsumerConfig{
		Description: "zflow: where RUNS was at a time", DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return 0, err
	}
	info := c.CachedInfo()
	_ = o.JS.DeleteConsumer(ctx, proto.Runs, info.Name) // it goes by itself
	return info.Delivered.Stream + 1, nil
}

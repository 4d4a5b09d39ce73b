// Package router brings events to the runs that wait for them (DESIGN section 4,
// rule 10). One durable consumer on EVENTS, shared by all workers, sees every
// event once: where somebody waits for it, the event's sequence is noted beside
// the waiter and the run is woken, and only then is the event acknowledged.
//
// A wait is registered before the events before it are looked through, so that
// none falls between. Nothing here decides: what ends a wait is the fact that the
// run's owner appends.
package router

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine/waits"
	"zflow/engine/wakes"
	"zflow/internal/durable"
	"zflow/internal/pause"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Consumer is the name of the router's consumer on EVENTS.
const Consumer = "router"

const (
	ackWait   = 10 * time.Second
	ackWithin = 8 * time.Second // of the pull
	most      = 256             // events in hand, and of one pull
	pullFor   = time.Second
	again     = time.Second // after which an event comes again that could not be brought
)

// Router brings events to runs.
type Router struct {
	js     jetstream.JetStream
	stream jetstream.Stream // EVENTS
	gate   *durable.Gate
	log    *zap.Logger
	Stores

	mu      sync.Mutex
	looked  map[seen]bool // waits whose past this process has looked through
	dropped map[seen]bool
}

// Stores are where it is written who waits, and who is woken.
type Stores struct {
	Waits *waits.Store
	Wakes *wakes.Store
}

// seen names a wait on one server.
type seen struct {
	server, workflow, run string
	fact                  uint64
}

// remembered bounds what is not looked at twice; beyond it all is forgotten.
const remembered = 100_000

// Create makes the consumer: of events from now on, since what came before a wait
// is looked through by the wait.
func Create(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.CreateOrUpdateConsumer(ctx, proto.Events, jetstream.ConsumerConfig{
		Name: Consumer, Durable: Consumer, Description: "zflow: brings events to runs that wait for them",
		FilterSubject: "zflow.event.>", DeliverPolicy: jetstream.DeliverNewPolicy,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: most,
	})
	if err != nil {
		return fmt.Errorf("creating consumer %s on %s: %w", Consumer, proto.Events, err)
	}
	return nil
}

// Open returns a router that does nothing until Run.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate, s Stores, log *zap.Logger) (*Router, error) {
	stream, err := js.Stream(ctx, proto.Events)
	if err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", proto.Events, err)
	}
	return &Router{js: js, stream: stream, gate: gate, Stores: s, log: log, looked: map[seen]bool{}, dropped: map[seen]bool{}}, nil
}

// Run brings events until ctx ends, and tells of those that nobody waits for. One
// that comes again is told of again.
func (r *Router) Run(ctx context.Context, unawaited func(*proto.Event)) {
	for ctx.Err() == nil {
		consumer, err := r.stream.Consumer(ctx, Consumer)
		if err == nil {
			err = r.pull(ctx, consumer, unawaited)
		}
		if err != nil && ctx.Err() == nil {
			r.log.Warn("events are not brought to those who wait", zap.Error(err))
		}
		pause.For(ctx, again)
	}
}

// pull brings what the consumer has until ctx ends or the consumer is gone.
func (r *Router) pull(ctx context.Context, consumer jetstream.Consumer, unawaited func(*proto.Event)) error {
	for ctx.Err() == nil {
		if !r.js.Conn().IsConnected() { // a pull that cannot be sent would leave its subscription in the client for ever
			return nats.ErrConnectionReconnecting
		}
		mark, asked := r.gate.Mark(), time.Now()
		batch, err := consumer.Fetch(most, jetstream.FetchMaxWait(pullFor))
		if err != nil {
			return err
		}
		for m := range batch.Messages() {
			if err := r.bring(ctx, m, mark, unawaited); err != nil {
				r.later(ctx, m, err)
				continue
			}
			if time.Since(asked) < ackWithin && r.gate.Mark() == mark {
				_ = m.Ack() // lost: it comes again, and changes nothing
			}
		}
		if err := batch.Error(); errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, nats.ErrNoResponders) {
			return err
		}
	}
	return nil
}

// later lets an event come again, and says so unless it is a stop that keeps it back.
func (r *Router) later(ctx context.Context, m jetstream.Msg, why error) {
	if ctx.Err() == nil {
		r.log.Warn("an event is brought later to those who wait", zap.String("subject", m.Subject()), zap.Error(why))
	}
	_ = m.NakWithDelay(again) // lost: it comes after the ack wait
}

// bring notes an event beside those who wait for it, and wakes them.
func (r *Router) bring(ctx context.Context, m jetstream.Msg, mark durable.Mark, unawaited func(*proto.Event)) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	e, err := proto.ReadEvent(m.Subject(), m.Headers(), m.Data(), meta.Sequence.Stream, meta.Timestamp)
	if err != nil {
		return nil // no event: nobody can wait for it
	}
	entries, err := r.Waits.Match(ctx, e.Kind(), e.Type, e.Body)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		unawaited(e)
		return nil
	}
	if err := r.gate.Pass(ctx, proto.Events, mark); err != nil {
		return err
	}
	return r.arrive(ctx, e.Sequence, entries)
}

// arrive notes an event in entries and wakes who waits there.
func (r *Router) arrive(ctx context.Context, sequence uint64, entries []waits.Entry) error {
	woken, err := r.Waits.Arrive(ctx, sequence, entries...)
	if err != nil {
		return err
	}
	for _, w := range woken {
		wake := &v1.Wake{Reason: "arrival", Fact: w.Fact, Sequence: sequence, Alternative: w.Alternative}
		if err := r.Wakes.Wake(ctx, w.Workflow, w.Run, wake); err != nil {
			return err
		}
	}
	return nil
}

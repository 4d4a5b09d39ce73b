package sources

import (
	"context"
	"errors"
	"fmt"

	"zflow/internal/durable"
	"zflow/proto"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoRoom says that the broker's disk is filled to its reserve.
var ErrNoRoom = durable.ErrNoRoom

// Ack tells where an event is stored.
type Ack struct {
	Sequence  uint64
	Duplicate bool // it was stored before, within the duplicate window
}

// Publisher writes events to EVENTS. It is safe for concurrent use; many
// concurrent calls share the flushes.
type Publisher struct {
	js   jetstream.JetStream
	gate *durable.Gate
}

// NewPublisher returns a publisher. Nothing else may write to EVENTS with js but
// what waits at the same Gate.
func NewPublisher(js jetstream.JetStream, gate *durable.Gate) *Publisher {
	return &Publisher{js: js, gate: gate}
}

// Room returns ErrNoRoom while nothing new may be accepted from outside. Events
// that zflow makes itself need not ask: what was accepted goes on.
func (p *Publisher) Room(ctx context.Context) error { return p.gate.Room(ctx) }

// Publish stores the event and returns when it is durable. Give ctx a deadline:
// it is the only one.
func (p *Publisher) Publish(ctx context.Context, e *proto.Event) (Ack, error) {
	if e.ID == "" || e.Type == "" || e.Source == "" {
		return Ack{}, fmt.Errorf("publishing event %q of type %q: an event has an id, a type and a source", e.ID, e.Type)
	}
	ack, err := p.publish(ctx, e)
	if errors.Is(err, durable.ErrChanged) {
		// Whether it is stored is unknown; the id makes a second try safe.
		ack, err = p.publish(ctx, e)
	}
	if err != nil {
		return Ack{}, fmt.Errorf("publishing event %s: %w", e.ID, err)
	}
	return ack, nil
}

func (p *Publisher) publish(ctx context.Context, e *proto.Event) (Ack, error) {
	subject, header := e.Wire()
	m := &nats.Msg{Subject: subject, Header: header, Data: e.Body}
	mark := p.gate.Mark()
	ack, err := p.js.PublishMsg(ctx, m, jetstream.WithExpectStream(proto.Events))
	if err != nil {
		return Ack{}, err
	}
	if err := p.gate.Pass(ctx, proto.Events, mark); err != nil {
		return Ack{}, err
	}
	return Ack{Sequence: ack.Sequence, Duplicate: ack.Duplicate}, nil
}

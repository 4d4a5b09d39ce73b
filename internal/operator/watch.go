package operator

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/history"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Append is what became true of a run at one time.
type Append struct {
	Run      string `json:"id"`
	Workflow string `json:"workflow"`
	Status   string `json:"status"`
	Facts    []Fact `json:"facts"`
}

// Watch calls f for what is appended to a run, from its beginning until it has
// ended; without id for what is appended to any run from now on. It ends with
// the context, without an error.
func (o *Operator) Watch(ctx context.Context, id string, f func(Append) error) error {
	config := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy}
	var head history.Head
	if id != "" {
		var err error
		if head, err = o.Find(ctx, id); err != nil {
			return err
		}
		config.DeliverPolicy = jetstream.DeliverAllPolicy
		config.FilterSubjects = []string{wire.RunFilter(head.Workflow, head.Run)}
	}
	return o.follow(ctx, wire.Runs, config, func(m jetstream.Msg, sequence uint64) (bool, error) {
		a, err := appended(m)
		if err != nil {
			return false, err
		}
		over := id != "" && engine.State(a.Status).Ended() && sequence >= head.Sequence
		return !over, f(a)
	})
}

func appended(m jetstream.Msg) (Append, error) {
	workflow, run, state, err := wire.ParseRunSubject(m.Subject())
	if err != nil {
		return Append{}, err
	}
	facts := &v1.Facts{}
	if err := proto.Unmarshal(m.Data(), facts); err != nil {
		return Append{}, fmt.Errorf("reading an append of run %s: %w", run, err)
	}
	a := Append{Run: run, Workflow: workflow, Status: state}
	for _, fact := range facts.Facts {
		a.Facts = append(a.Facts, factOf(fact))
	}
	return a, nil
}

// follow calls f for each message, in order, until f says that it was the last,
// or ctx ends.
func (o *Operator) follow(ctx context.Context, stream string, c jetstream.OrderedConsumerConfig, f func(jetstream.Msg, uint64) (more bool, err error)) error {
	c.InactiveThreshold = idle
	consumer, err := o.JS.OrderedConsumer(ctx, stream, c)
	if err != nil {
		return fmt.Errorf("following %s: %w", stream, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("following %s: %w", stream, err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		m, err := messages.Next()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, jetstream.ErrNoHeartbeat):
			continue // the server is away: it is asked again
		case err != nil:
			return fmt.Errorf("following %s: %w", stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("following %s: %w", stream, err)
		}
		if more, err := f(m, meta.Sequence.Stream); err != nil || !more {
			return err
		}
	}
}

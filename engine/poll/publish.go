package poll

import (
	"context"
	"strconv"
	"sync"
	"time"

	"zflow/engine"
	wire "zflow/proto"
)

// atOnce is how many events are published at a time. They share flushes; those of one
// poll are about different items, so that their order says nothing.
const atOnce = 32

// publish publishes events, and returns when all are durable.
func (p *Poller) publish(ctx context.Context, def *engine.Workflow, polled time.Time, events []event) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan event)
	var publishers sync.WaitGroup
	for range min(atOnce, len(events)) {
		publishers.Go(func() {
			for e := range todo {
				if err := p.publishOne(ctx, p.wire(def, polled, e)); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, e := range events {
		select {
		case todo <- e:
		case <-ctx.Done():
		}
	}
	close(todo)
	publishers.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	p.Count("poll_events", def.Name, len(events))
	return nil
}

// publishWithin is how long one event may take to be durable.
const publishWithin = 20 * time.Second

func (p *Poller) publishOne(ctx context.Context, e *wire.Event) error {
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	return p.Publish(ctx, e)
}

// wire is an event as it is published: of the account that was asked, if that is known.
func (p *Poller) wire(def *engine.Workflow, polled time.Time, e event) *wire.Event {
	out := &wire.Event{
		ID: e.ID, Type: def.Name, Source: wire.SourcePoll, Origin: wire.FromPoll, Subject: e.Item,
		ContentType: "application/json", Time: polled, ReceivedAt: p.Now(), Body: e.Body,
	}
	for _, t := range def.Triggers {
		if t.Poll == nil || p.Account == nil {
			continue
		}
		if id, known := p.Account(t.Poll.Uses.Connection); known {
			out.Account = id
		}
	}
	return out
}

func versionText(n uint64) string { return strconv.FormatUint(n, 10) }

package app

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/actions/flow"
	"zflow/internal/app/routes"
	"zflow/proto"
	"zflow/sources"
)

// flowOn is how a worker's runs publish events and answer whoever waits for them.
func flowOn(nc *nats.Conn, events *sources.Publisher) flow.Options {
	return flow.Options{
		Emit: func(ctx context.Context, e flow.Event) (string, error) {
			now := time.Now().UTC()
			event := &proto.Event{
				ID: proto.EventID(proto.SourceApp, e.Type, e.Key), Type: e.Type, Source: proto.SourceApp, Origin: proto.FromEmit,
				ContentType: "application/json", Time: now, ReceivedAt: now, Body: e.Data,
			}
			_, err := events.Publish(ctx, event)
			return event.ID, err
		},
		Respond: func(_ context.Context, event string, a flow.Answer) error { return routes.Over(nc).Responded(event, a) },
	}
}

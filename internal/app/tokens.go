package app

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/zoomapi"
)

type tokens struct {
	Token func(ctx context.Context, connection, account string) (zoomapi.Token, error)
	Renew func(ctx context.Context, refused zoomapi.Token) (zoomapi.Token, error)
}

func openConnections(_ context.Context, _ jetstream.JetStream, _ *durable.Gate, _ WorkerConfig) (tokens, error) {
	return tokens{}, nil
}

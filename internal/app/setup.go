package app

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/wakes"
	"zflow/internal/connections"
	"zflow/internal/settings"
	"zflow/sources"
)

// MakeStreams makes every stream and bucket, or brings its limits up to date.
// Several processes may do so at once.
func MakeStreams(ctx context.Context, js jetstream.JetStream, s settings.Streams) error {
	runs := history.Limits{Age: time.Duration(s.RunsAge), Bytes: int64(s.RunsBytes), Replicas: s.Replicas}
	for _, create := range []func() error{
		func() error {
			return sources.Create(ctx, js, sources.Limits{MaxAge: time.Duration(s.EventsAge), MaxBytes: int64(s.EventsBytes), Replicas: s.Replicas})
		},
		func() error { return history.Create(ctx, js, runs) },
		func() error { return wakes.Create(ctx, js, s.Replicas, int64(s.WakesBytes)) },
		func() error { return leases.Create(ctx, js, s.Replicas) },
		func() error { return blobs.Create(ctx, js, runs.Age, s.Replicas) },
		func() error { return catalog.Create(ctx, js, s.Replicas) },
		func() error { return connections.Create(ctx, js, s.Replicas) },
	} {
		if err := create(); err != nil {
			return err
		}
	}
	return nil
}

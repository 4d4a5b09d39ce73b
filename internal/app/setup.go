package app

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/wakes"
	"zflow/internal/connections"
	"zflow/internal/durable"
	"zflow/internal/settings"
	"zflow/sources"
)

// diskShare is how much of the disk the streams may fill by their limits.
const diskShare = 0.9

// FitStreams returns the limits as they fit on the disk: all smaller by one factor
// where they do not. The server refuses limits that its disk does not have.
func FitStreams(s settings.Streams, d durable.Disk) (fitted settings.Streams, smaller bool) {
	want := float64(s.EventsBytes + s.RunsBytes + s.WakesBytes)
	have := diskShare * float64(d.Size)
	if d.Size == 0 || want <= have {
		return s, false
	}
	for _, bytes := range []*settings.Bytes{&s.EventsBytes, &s.RunsBytes, &s.WakesBytes} {
		*bytes = settings.Bytes(float64(*bytes) * have / want)
	}
	return s, true
}

// fitStreams is FitStreams for the disk of a server; what it changes is logged.
func fitStreams(ctx context.Context, gate *durable.Gate, s settings.Streams, log *zap.Logger) (settings.Streams, error) {
	disk, err := gate.Disk(ctx)
	if err != nil {
		return s, err
	}
	fitted, smaller := FitStreams(s, disk)
	if smaller {
		log.Warn("the streams' limits are fitted to the disk", zap.Uint64("disk_bytes", disk.Size),
			zap.Int64("events_bytes", int64(fitted.EventsBytes)), zap.Int64("runs_bytes", int64(fitted.RunsBytes)),
			zap.Int64("wakes_bytes", int64(fitted.WakesBytes)))
	}
	return fitted, nil
}

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

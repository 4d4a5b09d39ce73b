// Package streams makes the streams and buckets of zflow, as large as their server
// has room for.
package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/data"
	"zflow/engine/gates"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/router"
	"zflow/engine/tick"
	"zflow/engine/waits"
	"zflow/engine/wakes"
	"zflow/internal/connections"
	"zflow/internal/durable"
	"zflow/internal/settings"
	"zflow/internal/tokens"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/imap/place"
)

// diskShare is how much of the disk the streams may fill by their limits.
const diskShare = 0.9

// Fit returns the limits as they fit on the disk: all smaller by one factor
// where they do not. The server refuses limits that its disk does not have.
func Fit(s settings.Streams, d durable.Disk) (fitted settings.Streams, smaller bool) {
	want := float64(s.EventsBytes + s.RunsBytes + s.WakesBytes + s.DataBytes)
	have := diskShare * float64(d.Size)
	if d.Size == 0 || want <= have {
		return s, false
	}
	for _, bytes := range []*settings.Bytes{&s.EventsBytes, &s.RunsBytes, &s.WakesBytes, &s.DataBytes} {
		*bytes = settings.Bytes(float64(*bytes) * have / want)
	}
	return s, true
}

// FitOn is Fit for the disk of a server; what it changes is logged.
func FitOn(ctx context.Context, gate *durable.Gate, s settings.Streams, log *zap.Logger) (settings.Streams, error) {
	disk, err := gate.Disk(ctx)
	if err != nil {
		return s, err
	}
	fitted, smaller := Fit(s, disk)
	if smaller {
		log.Warn("the streams' limits are fitted to the disk", zap.Uint64("disk_bytes", disk.Size),
			zap.Int64("events_bytes", int64(fitted.EventsBytes)), zap.Int64("runs_bytes", int64(fitted.RunsBytes)),
			zap.Int64("wakes_bytes", int64(fitted.WakesBytes)))
	}
	return fitted, nil
}

// leastEvents is what EVENTS is made with at least.
const leastEvents = 16 << 20

// MakeIn is Make on a server whose store may be smaller than its disk,
// which it tells nobody: streams that are there keep their limits then, and new
// ones are made with smaller limits.
func MakeIn(ctx context.Context, js jetstream.JetStream, s settings.Streams, log *zap.Logger) error {
	there, err := limitsThere(ctx, js, s)
	if err != nil {
		return err
	}
	for {
		err := Make(ctx, js, s)
		switch {
		case !noStorage(err):
			return err
		case there != nil && s != *there:
			s = *there
		case there == nil && s.EventsBytes >= 2*leastEvents:
			s.EventsBytes, s.RunsBytes, s.WakesBytes, s.DataBytes = s.EventsBytes/2, s.RunsBytes/2, s.WakesBytes/2, s.DataBytes/2
		default:
			return fmt.Errorf("%w: the server's store has no room for %d bytes of events, %d of runs and %d of wakes: "+
				"raise its max_file_store, or lower the limits of the streams", err, s.EventsBytes, s.RunsBytes, s.WakesBytes)
		}
		log.Warn("the server's store has no room for the streams' limits: they are smaller", zap.Int64("events_bytes", int64(s.EventsBytes)),
			zap.Int64("runs_bytes", int64(s.RunsBytes)), zap.Int64("wakes_bytes", int64(s.WakesBytes)))
	}
}

// limitsThere returns the limits with those that streams have already, where these
// are smaller; nil while there are no runs.
func limitsThere(ctx context.Context, js jetstream.JetStream, s settings.Streams) (*settings.Streams, error) {
	for name, limit := range map[string]*settings.Bytes{proto.Events: &s.EventsBytes, proto.Runs: &s.RunsBytes, proto.Wakes: &s.WakesBytes, proto.Bucket(proto.Data): &s.DataBytes} {
		stream, err := js.Stream(ctx, name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound) && name == proto.Runs:
			return nil, nil
		case errors.Is(err, jetstream.ErrStreamNotFound):
		case err != nil:
			return nil, fmt.Errorf("looking up stream %s: %w", name, err)
		case stream.CachedInfo().Config.MaxBytes > 0:
			*limit = min(*limit, settings.Bytes(stream.CachedInfo().Config.MaxBytes))
		}
	}
	return &s, nil
}

// noStorage tells that the server has not so much to reserve.
func noStorage(err error) bool {
	const insufficientStorage = 10047
	var e *jetstream.APIError
	return errors.As(err, &e) && e.ErrorCode == insufficientStorage
}

// Make makes every stream and bucket, or brings its limits up to date.
// Several processes may do so at once.
func Make(ctx context.Context, js jetstream.JetStream, s settings.Streams) error {
	runs := history.Limits{Age: time.Duration(s.RunsAge), Bytes: int64(s.RunsBytes), Replicas: s.Replicas}
	for _, create := range []func() error{
		func() error {
			return sources.Create(ctx, js, sources.Limits{MaxAge: time.Duration(s.EventsAge), MaxBytes: int64(s.EventsBytes), Replicas: s.Replicas})
		},
		func() error { return history.Create(ctx, js, runs) },
		func() error { return wakes.Create(ctx, js, s.Replicas, int64(s.WakesBytes)) },
		func() error { return leases.Create(ctx, js, s.Replicas) },
		func() error { return waits.Create(ctx, js, s.Replicas) },
		func() error { return router.Create(ctx, js) },
		func() error { return gates.Create(ctx, js, s.Replicas) },
		func() error { return blobs.Create(ctx, js, runs.Age, s.Replicas) },
		func() error { return data.Create(ctx, js, s.Replicas, int64(s.DataBytes)) },
		func() error { return catalog.Create(ctx, js, s.Replicas) },
		func() error { return tick.Create(ctx, js, s.Replicas) },
		func() error { return place.Create(ctx, js, s.Replicas) },
		func() error { return connections.Create(ctx, js, s.Replicas) },
		func() error { return tokens.Create(ctx, js, s.Replicas) },
	} {
		if err := create(); err != nil {
			return err
		}
	}
	return nil
}

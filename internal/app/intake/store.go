package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"zflow/engine/blobs"
	"zflow/internal/app/link"
	"zflow/internal/app/streams"
	"zflow/internal/durable"
	"zflow/internal/settings"
	"zflow/proto"
	"zflow/sources"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// store is what events are stored with, once NATS was reached.
type store struct {
	*sources.Publisher
	*blobs.Writer
	js   jetstream.JetStream
	gate *durable.Gate
}

// errNotOpened says that NATS was not reached yet.
var errNotOpened = errors.New("NATS was not reached since the start")

func (in *Intake) publish(ctx context.Context, e *proto.Event) (sources.Ack, error) {
	s := in.store.Load()
	if s == nil {
		return sources.Ack{}, errNotOpened
	}
	return s.Publish(ctx, e)
}

func (in *Intake) room(ctx context.Context) error {
	s := in.store.Load()
	if s == nil {
		return errNotOpened
	}
	return s.Room(ctx)
}

// maxPayload is 0 until NATS has told it.
func (in *Intake) maxPayload() int64 {
	if in.store.Load() == nil {
		return 0
	}
	return in.nc.MaxPayload()
}

// connect begins to connect and does not wait for it. Nothing is buffered while
// NATS is away: a message sent after it was reported as failed would be a lie.
func (in *Intake) connect() (*nats.Conn, error) {
	c := in.config.NATS
	if c.Conn != nil {
		return c.Conn, nil
	}
	o := link.Options(link.Config{URL: c.URL, Creds: c.Creds, Name: "zflow ingest", Options: c.Options})
	signal := func(*nats.Conn) {
		select {
		case in.linked <- struct{}{}:
		default:
		}
	}
	o = append(o, nats.RetryOnFailedConnect(true), nats.ConnectHandler(signal),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			in.log.Info("NATS is back", zap.String("server", nc.ConnectedServerName()))
			signal(nc)
		}),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() {
				in.log.Warn("NATS is away: events are answered 503", zap.Error(err))
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			in.log.Warn("NATS reports an error", zap.Error(err))
		}))
	nc, err := nats.Connect(c.URL, o...)
	if err != nil {
		return nil, fmt.Errorf("connecting to NATS: %w", err)
	}
	return nc, nil
}

// keep opens the store, then sees to it that the stream has room, until ctx ends.
func (in *Intake) keep(ctx context.Context) {
	every := time.NewTicker(cmp.Or(in.config.NATS.OpenEvery, defaultOpenEvery))
	defer every.Stop()
	for said := ""; in.store.Load() == nil; {
		err := in.open(ctx)
		if err == nil {
			break
		}
		if ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			in.log.Warn("events cannot be stored yet", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-in.linked:
		case <-every.C:
		}
	}
	every.Reset(spaceEvery)
	for {
		in.makeRoom(ctx)
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (in *Intake) open(ctx context.Context) error {
	if !in.nc.IsConnected() {
		return errNotOpened
	}
	js, err := jetstream.New(in.nc)
	if err != nil {
		return err
	}
	gate, err := in.gate(ctx)
	if err != nil {
		return err
	}
	// An existing stream keeps the limits that it was given.
	if _, err = js.Stream(ctx, proto.Events); errors.Is(err, jetstream.ErrStreamNotFound) {
		err = in.create(ctx, js, gate)
	}
	if err != nil {
		return err
	}
	if err := in.web.open(); err != nil {
		return err
	}
	in.store.Store(&store{Publisher: sources.NewPublisher(js, gate), Writer: blobs.NewWriter(js, gate), js: js, gate: gate})
	close(in.opened)
	in.log.Info("events are stored", zap.String("durability", string(gate.Mode())), zap.String("server", in.nc.ConnectedServerName()))
	if w := gate.Warning(); w != "" {
		in.log.Warn(w)
	}
	return nil
}

// gate is that of the connection.
func (in *Intake) gate(ctx context.Context) (*durable.Gate, error) {
	if c := in.config.NATS; c.Conn != nil {
		return c.Gate, nil
	}
	return durable.Open(ctx, in.nc, durable.Options{Declared: in.config.NATS.Declared, Streams: []string{proto.Events}})
}

// create makes the stream, as large as it fits on the disk beside the others.
func (in *Intake) create(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) error {
	l := in.config.Limits
	want := settings.Streams{EventsBytes: settings.Bytes(cmp.Or(l.MaxBytes, sources.DefaultMaxBytes)), RunsBytes: settings.Bytes(in.config.Beside)}
	fitted, err := streams.FitOn(ctx, gate, want, in.log)
	if err != nil {
		return err
	}
	l.MaxBytes = int64(fitted.EventsBytes)
	return sources.Create(ctx, js, l)
}

// makeRoom purges finished events from a stream that is nearly full.
func (in *Intake) makeRoom(ctx context.Context) {
	if !in.nc.IsConnected() {
		return
	}
	space, err := sources.EnsureSpace(ctx, in.store.Load().js)
	if err != nil {
		if ctx.Err() == nil {
			in.log.Warn("the stream's room is unknown", zap.Error(err))
		}
		return
	}
	in.numbers.space(space)
	if space.Purged > 0 {
		in.log.Info("finished events were purged to make room", zap.Uint64("messages", space.Purged), zap.Uint64("bytes", space.Bytes))
	}
	if space.Tight() {
		in.log.Warn("the stream of events is nearly full and what is left is unfinished",
			zap.Uint64("bytes", space.Bytes), zap.Uint64("max_bytes", space.MaxBytes), zap.Uint64("stream_seq", space.Unfinished))
	}
}

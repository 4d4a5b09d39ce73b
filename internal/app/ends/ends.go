// Package ends makes events of runs that end, for the workflows that such events start.
//
// Obligations:
//
//  1. Each end of a run of a workflow that a deployed trigger run names is one event,
//     however often it is read: the fact that ended the run is its identity, so that a
//     run that was retried and ends again is another event.
//  2. What is read is acknowledged once its event is durable. What ended before any
//     workflow that wants it was deployed makes none.
//  3. No change of what is deployed loses an end: what a workflow wants counts from the
//     moment it was deployed, however late it is seen here, and while the server does not
//     say what one wants nothing is read.
//  4. Of all workers one does this at a time. Two that believe so do no harm.
//  5. Workflows that start each other come to an end: behind a chain of runs that is too
//     long no event is made, which is said.
package ends

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/proto"
	"zflow/sources"
)

// Options are what ends are read and told with.
type Options struct {
	JS      jetstream.JetStream
	Catalog *catalog.Catalog
	History *history.Store
	Blobs   *blobs.Store
	Leases  *leases.Store
	Holder  string // the worker's id
	Publish func(context.Context, *proto.Event) (sources.Ack, error)
	Log     *zap.Logger
}

const (
	duty    = "ends"       // the lock
	durable = "zflow-ends" // the consumer on RUNS
	ackWait = 30 * time.Second
	pending = 256
)

// Run makes events until ctx ends, while no other worker does.
func (o Options) Run(ctx context.Context) {
	o.Leases.Duty(ctx, duty, o.Holder, o.serve, func(err error) {
		o.Log.Warn("making events of runs that ended stopped and is begun again", zap.Error(err))
	})
}

// serve follows what is deployed.
func (o Options) serve(ctx context.Context) error {
	entries, err := o.Catalog.Watch(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		w, err := o.wanted(ctx)
		if err != nil {
			return err
		}
		if err := o.until(ctx, entries, w); err != nil {
			return err
		}
	}
	return nil
}

// until reads until something else is deployed. What was given out by then is told
// first, so that nobody waits for it to come again.
func (o Options) until(ctx context.Context, entries <-chan catalog.Entry, w *wishes) error {
	changed, read := make(chan struct{}), make(chan error, 1)
	go func() { read <- o.read(ctx, changed, w) }()
	defer func() {
		if close(changed); read != nil {
			<-read
		}
	}()
	select {
	case <-ctx.Done():
	case _, open := <-entries:
		if open {
			catalog.Together(entries)
		}
	case err := <-read:
		read = nil
		return err
	}
	return nil
}

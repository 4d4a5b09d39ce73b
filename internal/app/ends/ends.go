// Package ends makes events of runs that end, for the workflows that such events start.
//
// Obligations:
//
//  1. Each end of a run of a workflow that a deployed trigger run names is one event,
//     however often it is read: the fact that ended the run is its identity, so that a
//     run that was retried and ends again is another event.
//  2. What is read is acknowledged once its event is durable. What ended before any
//     workflow that wants it was deployed makes none.
//  3. Of all workers one does this at a time. Two that believe so do no harm.
//  4. Workflows that start each other come to an end: behind a chain of runs that is too
//     long no event is made, which is said.
package ends

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/workflow"
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

// until reads until something else is deployed.
func (o Options) until(ctx context.Context, entries <-chan catalog.Entry, w *wishes) error {
	within, stop := context.WithCancel(ctx)
	read := make(chan error, 1)
	go func() { read <- o.read(within, w) }()
	defer func() {
		if stop(); read != nil {
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

// wishes are the ends that deployed workflows want to know of.
type wishes struct {
	of      []wish
	filters []string  // subjects of RUNS, none of which overlap
	since   time.Time // the first of them was deployed as it is
}

// wish is what one workflow wants.
type wish struct {
	name  string
	types []string
	since time.Time // it is deployed
}

func (o Options) wanted(ctx context.Context) (*wishes, error) {
	entries, err := o.Catalog.List(ctx)
	if err != nil {
		return nil, err
	}
	w := &wishes{}
	for _, e := range entries {
		if e.State == catalog.Removed {
			continue
		}
		def, err := o.Catalog.Workflow(ctx, e.Name, e.Version)
		if err != nil {
			o.Log.Warn("which runs start a workflow is not known", zap.String("workflow", e.Name), zap.Error(err))
			continue
		}
		one := wish{name: e.Name, since: e.FirstDeployedAt}
		for _, t := range def.Triggers {
			if t.Source == workflow.SourceRun {
				one.types = append(one.types, t.Types...)
			}
		}
		if len(one.types) > 0 {
			w.add(one, e.DeployedAt)
		}
	}
	w.filters = proto.Disjoint(w.filters)
	return w, nil
}

func (w *wishes) add(one wish, deployed time.Time) {
	w.of = append(w.of, one)
	for _, t := range one.types {
		flow, end := workflow.EndOf(t)
		w.filters = append(w.filters, proto.RunsFilter(flow, string(end)))
	}
	if w.since.IsZero() || deployed.Before(w.since) {
		w.since = deployed
	}
}

// want tells whether somebody wants to know of an end that was stored at a time.
func (w *wishes) want(flow, end string, stored time.Time) bool {
	runType := workflow.RunType(flow, workflow.State(end))
	return slices.ContainsFunc(w.of, func(one wish) bool {
		return one.name != flow && !stored.Before(one.since) && workflow.MatchesAny(one.types, runType)
	})
}

// consumer makes the consumer, or puts it right. It goes on where it was; a new one
// begins where the first who wants it was deployed.
func (o Options) consumer(ctx context.Context, w *wishes) (jetstream.Consumer, error) {
	config := jetstream.ConsumerConfig{
		Durable: durable, Description: "zflow: runs that ended, for workflows that these start",
		DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &w.since,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: pending,
	}
	there, err := o.JS.Consumer(ctx, proto.Runs, durable)
	switch {
	case err == nil:
		config = there.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return nil, fmt.Errorf("looking up consumer %s: %w", durable, err)
	}
	config.FilterSubject, config.FilterSubjects = "", w.filters
	c, err := o.JS.CreateOrUpdateConsumer(ctx, proto.Runs, config)
	if err != nil {
		return nil, fmt.Errorf("making consumer %s: %w", durable, err)
	}
	return c, nil
}

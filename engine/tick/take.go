package tick

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

const (
	busyPause  = 2 * time.Second  // until a wake comes again that another worker was at
	failPause  = 30 * time.Second // until one comes again that failed
	ensureWait = time.Second      // between tries to set a tick; each is twice as long as the one before
	ensureMost = time.Minute      // but for this
)

// Delivery is a workflow's wake in the hands of a worker.
type Delivery struct {
	Since time.Time             // when it was asked for
	Every time.Duration         // how often it is to be kept
	Keep  func() bool           // keeps it from redelivery
	Done  func(since time.Time) // acknowledges it, unless since is too long ago
	Again func(time.Duration)   // lets it come again after a while
}

// Take handles a workflow's wake, and keeps it meanwhile.
func (k *Keeper) Take(ctx context.Context, workflow string, d Delivery) {
	held, stop := context.WithCancel(ctx)
	defer stop()
	kept := make(chan time.Time, 1)
	go func() { kept <- d.keep(held) }()
	err := k.Handle(ctx, workflow)
	stop()
	since := <-kept
	switch {
	case err == nil:
		d.Done(since)
	case ctx.Err() != nil:
		d.Again(0) // the worker stops
	case errors.Is(err, ErrBusy):
		d.Again(busyPause)
	default:
		k.Count("ticks_failed", workflow, 1)
		k.Log.Warn("a tick was not handled and comes again", zap.String("workflow", workflow), zap.Error(err))
		d.Again(failPause)
	}
}

// keep keeps a wake until ctx ends, and returns when that succeeded last.
func (d *Delivery) keep(ctx context.Context) (since time.Time) {
	since = d.Since
	beat := time.NewTicker(d.Every)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return since
		case <-beat.C:
		}
		if sent := time.Now(); d.Keep() {
			since = sent
		}
	}
}

// EnsureAtLast is Ensure, again until it succeeds or ctx ends.
func (k *Keeper) EnsureAtLast(ctx context.Context, workflow string) {
	for wait := ensureWait; ; wait = min(2*wait, ensureMost) {
		err := k.Ensure(ctx, workflow)
		if err == nil || ctx.Err() != nil {
			return
		}
		k.notSet(workflow, err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// EnsureAgain is Ensure for a sweep, which a workflow that cannot be read does not
// stop.
func (k *Keeper) EnsureAgain(ctx context.Context, workflow string) error {
	if err := k.Ensure(ctx, workflow); err != nil && ctx.Err() == nil {
		k.notSet(workflow, err)
	}
	return ctx.Err()
}

func (k *Keeper) notSet(workflow string, err error) {
	if !errors.Is(err, ErrBusy) {
		k.Log.Warn("the tick of a workflow is not set", zap.String("workflow", workflow), zap.Error(err))
	}
}

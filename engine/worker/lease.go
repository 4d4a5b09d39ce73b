package worker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

const (
	beat   = 1500 * time.Millisecond // from put to put, and between reads of a lease that is absent
	belief = 4 * time.Second         // how long a worker may act on a put, and on an append
)

// lease is the worker's own. It believes in a put from the moment it was sent.
type lease struct {
	put atomic.Pointer[time.Time] // when the last one that succeeded was sent; monotonic
}

func (l *lease) fresh() bool {
	at := l.put.Load()
	return at != nil && time.Since(*at) < belief
}

// renew puts the lease once, and learns the broker's time from it.
func (w *Worker) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	sent := time.Now()
	if err := w.Stores.Leases.Put(ctx, w.id); err != nil {
		return err
	}
	answered := time.Now()
	w.lease.put.Store(&sent)
	if w.Watch.Renewed != nil {
		w.Watch.Renewed(sent, answered)
	}
	if !w.clock.Due(answered) {
		return nil
	}
	at, there, err := w.Stores.Leases.Get(ctx, w.id)
	if err == nil && there {
		w.clock.Learn(time.Now(), at)
	}
	switch {
	case w.clock.Known():
		return nil
	case err == nil:
		err = errors.New("learning the broker's time: the lease that was just put is gone")
	}
	return err // the own clock may be wrong by any amount
}

// keepLease renews at each beat and at once after a reconnect. A put that fails
// forces a new connection: a silent one would lose the lease.
func (w *Worker) keepLease(ctx context.Context) {
	connected := w.NC.StatusChanged(nats.CONNECTED)
	defer w.NC.RemoveStatusListener(connected)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-connected:
		}
		if err := w.renew(ctx); err != nil && ctx.Err() == nil {
			w.Log.Warn("the lease is not renewed", zap.Error(err))
			w.reconnect()
		}
	}
}

// reconnect forces a new connection; one that is being made already is left.
func (w *Worker) reconnect() {
	if w.NC.Status() != nats.CONNECTED {
		return
	}
	if err := w.NC.ForceReconnect(); err != nil {
		w.Log.Warn("reconnecting failed", zap.Error(err))
	}
}

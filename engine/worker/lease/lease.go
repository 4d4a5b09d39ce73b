// Package lease is how a worker shows that it lives and sees whether others do (DESIGN
// section 4, rules 3 and 4).
//
// Obligations:
//   - A worker believes in its lease for 4 s from the moment a put that succeeded was
//     sent.
//   - A lease is absent only if it was so four times in a row, each read answered by one
//     server over one connection and sent a beat after the answer before it.
package lease

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"zflow/engine/leases"
	"zflow/engine/worker/clock"
	"zflow/internal/durable"
	"zflow/internal/pause"
)

const (
	Beat   = 1500 * time.Millisecond // from put to put, and between reads of a lease that is absent
	Belief = 4 * time.Second         // how long a worker may act on a put, and on an append

	absences = 4 // in a row, of a lease that is gone
)

// Looking is how long it takes to see that a lease is gone.
const Looking = (absences - 1) * Beat

// Lease is a worker's own.
type Lease struct {
	Config
	put atomic.Pointer[time.Time] // when the last one that succeeded was sent; monotonic
}

// Config is what a Lease is made of.
type Config struct {
	Worker  string // whose it is
	NC      *nats.Conn
	Store   *leases.Store
	Clock   *clock.Clock // learns the broker's time from puts
	Log     *zap.Logger
	Renewed func(sent, answered time.Time) // of each put that succeeded; nil: not called
}

// New returns a lease that was never put.
func New(c Config) *Lease { return &Lease{Config: c} }

// Fresh says that it may be believed in.
func (l *Lease) Fresh() bool {
	age, put := l.Age()
	return put && age < Belief
}

// Age is the time since the last put that succeeded was sent.
func (l *Lease) Age() (age time.Duration, put bool) {
	at := l.put.Load()
	if at == nil {
		return 0, false
	}
	return time.Since(*at), true
}

// Renew puts the lease once, and learns the broker's time from it.
func (l *Lease) Renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	sent := time.Now()
	if err := l.Store.Put(ctx, l.Worker); err != nil {
		return err
	}
	answered := time.Now()
	l.put.Store(&sent)
	if l.Renewed != nil {
		l.Renewed(sent, answered)
	}
	if !l.Clock.Due(answered) {
		return nil
	}
	at, there, err := l.Store.Get(ctx, l.Worker)
	if err == nil && there {
		l.Clock.Learn(time.Now(), at)
	}
	switch {
	case l.Clock.Known():
		return nil
	case err == nil:
		err = errors.New("learning the broker's time: the lease that was just put is gone")
	}
	return err // the own clock may be wrong by any amount
}

// Keep renews at each beat and at once after a reconnect, until ctx ends. A put that
// fails forces a new connection: a silent one would lose the lease.
func (l *Lease) Keep(ctx context.Context) {
	connected := l.NC.StatusChanged(nats.CONNECTED)
	defer l.NC.RemoveStatusListener(connected)
	tick := time.NewTicker(Beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-connected:
		}
		if err := l.Renew(ctx); err != nil && ctx.Err() == nil {
			l.Log.Warn("the lease is not renewed", zap.Error(err))
			l.reconnect()
		}
	}
}

// reconnect forces a new connection; one that is being made already is left.
func (l *Lease) reconnect() {
	if l.NC.Status() != nats.CONNECTED {
		return
	}
	if err := l.NC.ForceReconnect(); err != nil {
		l.Log.Warn("reconnecting failed", zap.Error(err))
	}
}

// Leave gives the lease back: it is not believed in from now on.
func (l *Lease) Leave(ctx context.Context) {
	l.put.Store(nil)
	if err := l.Store.Delete(ctx, l.Worker); err != nil {
		l.Log.Warn("the lease is left to run out", zap.Error(err))
	}
}

// There says whether another worker's lease is there; it looks for some 4.5 s before
// it says that it is not.
func (l *Lease) There(ctx context.Context, worker string, mark func() durable.Mark) (bool, error) {
	began := mark()
	for i := range absences {
		if i > 0 {
			pause.For(ctx, Beat)
		}
		_, there, err := l.Store.Get(ctx, worker)
		switch {
		case err != nil:
			return false, err
		case there:
			return true, nil
		case mark() != began:
			return false, errors.New("the server or the connection changed while a lease was read")
		}
	}
	return false, nil
}

// Package sweep says when workers make RUNS and its indexes agree (DESIGN section 4):
// after each start of the broker and once a day, one worker at a time.
package sweep

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/wakes"
	"zflow/internal/pause"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const (
	key   = "sweep"
	every = 24 * time.Hour
	pace  = 200 * time.Microsecond // between runs, so that appends do not suffer
	look  = time.Second
)

// Sweeper sweeps for one worker.
type Sweeper struct {
	Worker  string
	NC      *nats.Conn
	Leases  *leases.Store
	History *history.Store
	Wakes   *wakes.Store
	Log     *zap.Logger
	Parked  func(context.Context, history.Head) error // ensures what a parked run waits for
	Rest    func(context.Context) error               // what else is swept
}

// Run sweeps until ctx ends. A new server id tells a start of the broker.
func (s *Sweeper) Run(ctx context.Context) {
	var swept string
	var at time.Time
	for ctx.Err() == nil {
		server := s.NC.ConnectedServerId()
		if server != "" && (server != swept || time.Since(at) > every) {
			done, err := s.once(ctx, server, server == swept)
			if err != nil && ctx.Err() == nil {
				s.Log.Warn("a sweep did not end", zap.Error(err))
			}
			if done {
				swept, at = server, time.Now()
			}
		}
		pause.For(ctx, look)
	}
}

// once sweeps under the lock, unless another has done so for this server.
func (s *Sweeper) once(ctx context.Context, server string, daily bool) (done bool, err error) {
	mark := "sweep." + proto.Token(server)
	if daily {
		mark += "." + time.Now().UTC().Format("2006-01-02")
	}
	if done, err = s.Leases.Done(ctx, mark); done || err != nil {
		return done, err
	}
	held, err := s.Leases.While(ctx, key, s.Worker, func(ctx context.Context) error {
		begun := time.Now()
		runs, err := s.runs(ctx)
		if err = errors.Join(err, s.Rest(ctx)); err != nil {
			return err
		}
		s.Log.Info("swept", zap.Int("open_runs", runs), zap.Duration("took", time.Since(begun)))
		return s.Leases.Mark(ctx, mark)
	})
	return held && err == nil, err // where another sweeps: look again for its mark
}

// runs has each parked run looked at, and wakes each running one whose owner's lease
// is gone.
func (s *Sweeper) runs(ctx context.Context) (n int, err error) {
	alive := map[string]bool{}
	err = s.History.OpenRuns(ctx, pace, func(h history.Head) error {
		n++
		if h.State == string(engine.Waiting) {
			return s.Parked(ctx, h)
		}
		owner := h.Header.Get("zflow-worker")
		if _, known := alive[owner]; !known {
			_, there, err := s.Leases.Get(ctx, owner)
			if err != nil {
				return err
			}
			alive[owner] = there
		}
		if alive[owner] {
			return nil
		}
		return s.Wakes.Wake(ctx, h.Workflow, h.Run, &v1.Wake{Reason: "sweep"})
	})
	return n, err
}

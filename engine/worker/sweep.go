package worker

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/internal/pause"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const (
	sweepKey   = "sweep"
	sweepEvery = 24 * time.Hour
	sweepPace  = 200 * time.Microsecond // between runs, so that appends do not suffer
	lookEvery  = time.Second
)

// sweeps makes RUNS and its indexes agree after each start of the broker, which
// a new server id tells, and once a day; consumers that nobody is for go then.
func (w *Worker) sweeps(ctx context.Context) {
	var swept string
	var at time.Time
	for ctx.Err() == nil {
		server := w.NC.ConnectedServerId()
		if server != "" && (server != swept || time.Since(at) > sweepEvery) {
			done, err := w.sweepOnce(ctx, server, server == swept)
			if err != nil && ctx.Err() == nil {
				w.Log.Warn("a sweep did not end", zap.Error(err))
			}
			if done {
				swept, at = server, time.Now()
			}
		}
		pause.For(ctx, lookEvery)
	}
}

// sweepOnce sweeps under the lock, unless another has done so for this server.
func (w *Worker) sweepOnce(ctx context.Context, server string, daily bool) (done bool, err error) {
	mark := "sweep." + proto.Token(server)
	if daily {
		mark += "." + time.Now().UTC().Format("2006-01-02")
	}
	if done, err = w.Stores.Leases.Done(ctx, mark); done || err != nil {
		return done, err
	}
	held, err := w.Stores.Leases.While(ctx, sweepKey, w.id, func(ctx context.Context) error {
		begun := time.Now()
		runs, err := w.sweep(ctx)
		if err = errors.Join(err, w.Catalog.Tidy(ctx), w.Catalog.Each(ctx, w.ticks().EnsureAgain)); err != nil {
			return err
		}
		w.Log.Info("swept", zap.Int("open_runs", runs), zap.Duration("took", time.Since(begun)))
		return w.Stores.Leases.Mark(ctx, mark)
	})
	return held && err == nil, err // where another sweeps: look again for its mark
}

// sweep ensures what each parked run waits for, and wakes each running run whose
// owner's lease is gone.
func (w *Worker) sweep(ctx context.Context) (runs int, err error) {
	alive := map[string]bool{}
	err = w.Stores.History.OpenRuns(ctx, sweepPace, func(h history.Head) error {
		runs++
		if h.State == string(engine.Waiting) {
			return w.sweepParked(ctx, h)
		}
		owner := h.Header.Get("zflow-worker")
		if _, known := alive[owner]; !known {
			_, there, err := w.Stores.Leases.Get(ctx, owner)
			if err != nil {
				return err
			}
			alive[owner] = there
		}
		if alive[owner] {
			return nil
		}
		return w.Stores.Wakes.Wake(ctx, h.Workflow, h.Run, &v1.Wake{Reason: "sweep"})
	})
	return runs, err
}

func (w *Worker) sweepParked(ctx context.Context, h history.Head) error {
	l, err := w.load(ctx, h.Workflow, h.Run)
	if err != nil {
		w.Log.Error("a parked run cannot be read", zap.String("workflow", h.Workflow), zap.String("run_id", h.Run), zap.Error(err))
		return nil // the others go on; runs list and doctor show it
	}
	if l.run.State != engine.Waiting {
		return nil
	}
	if l.run.Due(w.now(nil, l.run.At)) != nil {
		return w.Stores.Wakes.Wake(ctx, h.Workflow, h.Run, &v1.Wake{Reason: "sweep"})
	}
	return w.ensure(ctx, l)
}

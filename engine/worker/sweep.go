package worker

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/engine/worker/sweep"
	v1 "zflow/proto/zflow/v1"
)

// sweeper ensures parked runs; consumers and ticks that nobody is for go then too.
func (w *Worker) sweeper() *sweep.Sweeper {
	return &sweep.Sweeper{
		Worker: w.id, NC: w.NC, Leases: w.Stores.Leases, History: w.Stores.History, Wakes: w.Stores.Wakes, Log: w.Log, Parked: w.sweepParked,
		Rest: func(ctx context.Context) error {
			return errors.Join(w.Catalog.Tidy(ctx), w.Catalog.Each(ctx, w.ticks().EnsureAgain))
		},
	}
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

package worker

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/history"
	v1 "zflow/proto/zflow/v1"
)

// largestGeneration is how many bytes the state may have with which a generation
// begins; the server takes 8 MiB. What is large in it lies in BLOBS.
const largestGeneration = 6 << 20

// renewHistory begins a new generation of a parked run whose oldest append is
// half as old as RUNS allows, or that has many facts.
func (w *Worker) renewHistory(ctx context.Context, l *loaded, now time.Time) error {
	if now.Before(w.renewal(l.run)) && !l.run.Outgrown(engine.Limits{}) {
		return nil
	}
	return w.anew(ctx, l, now)
}

// anew begins a new generation: its first append holds the run's state.
func (w *Worker) anew(ctx context.Context, l *loaded, now time.Time) error {
	f := l.run.Continue(now)
	if err := w.Stores.Blobs.Renew(ctx, history.Values([]*v1.Fact{f})); err != nil {
		return err
	}
	if err := w.offload(ctx, []*v1.Fact{f}); err != nil {
		return err
	}
	if sizeOf(f) > largestGeneration {
		w.counts.add("runs_outgrown", l.run.Start.Workflow)
		l.run.Postpone()
		return nil
	}
	if err := l.run.Apply(f); err != nil {
		return err
	}
	w.counts.add("runs_continued", l.run.Start.Workflow)
	return w.append(ctx, l, []*v1.Fact{f})
}

// outgrown is anew for a run that its owner works on, between two decisions. The
// append that begins a generation holds nothing else.
func (w *Worker) outgrown(ctx context.Context, o *owned) error {
	if err := w.flush(ctx, o); err != nil {
		return err
	}
	l := &loaded{o.run, o.cursor}
	if err := w.anew(ctx, l, w.now(nil, o.run.At)); err != nil {
		return err
	}
	o.cursor, o.passed = l.cursor, false
	return nil
}

// sizeOf is how many bytes a fact has in RUNS.
func sizeOf(f *v1.Fact) int {
	n := proto.Size(f)
	for _, v := range history.Values([]*v1.Fact{f}) {
		if v.Blob != "" {
			n -= len(v.Json)
		}
	}
	return n
}

// renewal is when a run that is still open begins a new generation.
func (w *Worker) renewal(r *engine.Run) time.Time {
	return r.GenerationBegan().Add(w.Stores.History.Age() / 2)
}

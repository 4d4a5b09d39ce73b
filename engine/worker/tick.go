package worker

import (
	"context"
	"time"

	"zflow/engine"
	"zflow/engine/poll"
	"zflow/engine/tick"
	"zflow/engine/worker/attempt"
)

// ticks makes and handles the ticks of workflows.
func (w *Worker) ticks() *tick.Keeper {
	now := func() time.Time { return w.now(nil, time.Time{}) }
	count := func(name, workflow string, n int) {
		w.counts.addMany(Counter{Name: name, Workflow: workflow}, uint64(n))
	}
	p := poll.New(poll.Config{
		Bucket: w.Stores.Ticks, Publish: w.Stores.Publish, Call: w.callOutside, Account: w.Account, Secrets: w.Secrets(),
		Now: now, Count: count, Log: w.Log,
	})
	return &tick.Keeper{
		Bucket: w.Stores.Ticks, Wakes: w.Stores.Wakes, Leases: w.Stores.Leases, Deployed: w.Catalog.Current, Worker: w.id, Now: now,
		Poll: func(ctx context.Context, t tick.Tick) error {
			return p.Do(ctx, poll.Tick{Workflow: t.Workflow, Trigger: t.Trigger, At: t.At})
		}, Publish: w.Stores.Publish, Forget: p.Forget,
		Count: count, Log: w.Log,
	}
}

// onTick handles the wake of a workflow.
func (w *Worker) onTick(ctx context.Context, m *message) {
	defer w.recovered(m)
	same := func() bool { return w.Gate.Mark() == m.mark } // else it comes again by itself
	w.ticks().Take(ctx, m.workflow, tick.Delivery{
		Since: m.asked, Every: keepEvery, Keep: func() bool { return same() && m.InProgress() == nil },
		Done: func(since time.Time) { w.ackSince(m, since) },
		Again: func(after time.Duration) {
			if same() {
				_ = m.NakWithDelay(after) // lost: it comes sooner
			}
		},
	})
}

// callOutside calls an action that reads, for no run, in a slot as any attempt.
func (w *Worker) callOutside(ctx context.Context, a *engine.Attempt) *engine.Outcome {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
	}
	return w.caller.Do(ctx, attempt.Of{}, a)
}

package tick

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/engine/leases"
	"zflow/engine/wakes"
	"zflow/internal/durable"
)

// Tick is one that is due.
type Tick struct {
	Workflow *engine.Workflow
	Trigger  *engine.Trigger
	At       time.Time // when it was to be
}

// Keeper sets ticks, and handles those that are due. It remembers nothing.
type Keeper struct {
	Bucket *durable.Bucket // TICKS; nil: nothing ticks here
	Wakes  *wakes.Store
	Leases *leases.Store
	Worker string           // who handles
	Now    func() time.Time // the broker's time
	Do     func(context.Context, Tick) error
	Count  func(name, workflow string, n int)
	Log    *zap.Logger
	Forget func(ctx context.Context, workflow string) error // what Do remembers of a workflow that ticks no more
	// Deployed returns a workflow as it is deployed now, and whether it is active; nil
	// if none of the name is.
	Deployed func(ctx context.Context, workflow string) (def *engine.Workflow, active bool, err error)
}

// ErrBusy says that another worker handles a tick of the workflow.
var ErrBusy = errors.New("another worker handles a tick of the workflow")

// Ensure makes the next tick of a workflow come, and none where it has none.
func (k *Keeper) Ensure(ctx context.Context, workflow string) error {
	if k.Bucket == nil {
		return nil
	}
	def, active, err := k.ticking(ctx, workflow)
	switch {
	case err != nil:
		return err
	case def == nil:
		if plans, err := PlansOf(ctx, k.Bucket, workflow); err != nil || len(plans) == 0 {
			return err
		}
		return k.locked(ctx, workflow, func(ctx context.Context) error { return k.forget(ctx, workflow) })
	case !active:
		return nil
	}
	plans, err := k.planned(ctx, def)
	if err != nil {
		return err
	}
	return k.set(ctx, workflow, plans)
}

// ticking returns a workflow that has ticks, nil if none of the name does.
func (k *Keeper) ticking(ctx context.Context, workflow string) (def *engine.Workflow, active bool, err error) {
	def, active, err = k.Deployed(ctx, workflow)
	if err != nil || def == nil {
		return nil, false, err
	}
	if !slices.ContainsFunc(def.Triggers, func(t engine.Trigger) bool { return t.Ticks != nil }) {
		return nil, false, nil
	}
	return def, active, nil
}

func (k *Keeper) planned(ctx context.Context, def *engine.Workflow) (Plans, error) {
	return k.change(ctx, def.Name, func(p Plans) { p.follow(def.Triggers, k.Now()) })
}

func (k *Keeper) set(ctx context.Context, workflow string, plans Plans) error {
	next := plans.next()
	if next.IsZero() {
		return nil
	}
	return k.Wakes.SetTick(ctx, workflow, next)
}

// Handle does what a workflow's wake asks for: what is due, then the next tick. Its
// error means that the wake is to come again.
func (k *Keeper) Handle(ctx context.Context, workflow string) error {
	if k.Bucket == nil {
		return nil
	}
	def, active, err := k.ticking(ctx, workflow)
	if err != nil || def != nil && !active { // of a paused one, whoever resumes it sets the tick
		return err
	}
	return k.locked(ctx, workflow, func(ctx context.Context) error {
		if def == nil {
			return k.forget(ctx, workflow)
		}
		return k.handle(ctx, def)
	})
}

func (k *Keeper) handle(ctx context.Context, def *engine.Workflow) error {
	plans, err := k.planned(ctx, def)
	if err != nil {
		return err
	}
	for i := range def.Triggers {
		t := &def.Triggers[i]
		if t.Ticks == nil || plans[nameOf(t)].Next.After(k.Now()) {
			continue
		}
		if plans, err = k.due(ctx, Tick{def, t, plans[nameOf(t)].Next}); err != nil {
			return err
		}
	}
	return k.set(ctx, def.Name, plans)
}

// due handles one tick, and plans the next.
func (k *Keeper) due(ctx context.Context, t Tick) (Plans, error) {
	if err := k.Do(ctx, t); err != nil {
		return nil, err
	}
	name := nameOf(t.Trigger)
	return k.change(ctx, t.Workflow.Name, func(p Plans) {
		if p[name].Next.Equal(t.At) { // else it was deployed with other times meanwhile
			p[name] = Plan{Last: t.At, Next: t.Trigger.Ticks.Next(later(k.Now(), t.At))}
		}
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// forget removes what there is of a workflow that has no ticks; its plans last, so
// that what is left of it is found.
func (k *Keeper) forget(ctx context.Context, workflow string) error {
	err := k.Forget(ctx, workflow)
	if err == nil {
		err = k.Wakes.DropTick(ctx, workflow)
	}
	if err == nil {
		_, err = k.change(ctx, workflow, func(p Plans) { clear(p) })
	}
	if err != nil {
		return fmt.Errorf("forgetting the ticks of workflow %s: %w", workflow, err)
	}
	return nil
}

// locked does something while no other worker does the like for the workflow. Who
// loses the lock is stopped.
func (k *Keeper) locked(ctx context.Context, workflow string, do func(context.Context) error) error {
	held, err := k.Leases.While(ctx, "tick."+workflow, k.Worker, do)
	if err == nil && !held {
		return ErrBusy
	}
	return err
}

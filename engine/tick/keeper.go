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
	wire "zflow/proto"
)

// Tick is one that is due.
type Tick struct {
	Workflow *engine.Workflow
	Trigger  *engine.Trigger
	At       time.Time // when it was to be
	Last     time.Time // the one handled before; zero: none was
	Missed   int       // ticks of a schedule between the two that are left out
}

// Keeper sets ticks, and handles those that are due. It remembers nothing.
type Keeper struct {
	Bucket *durable.Bucket // TICKS; nil: nothing ticks here
	Wakes  *wakes.Store
	Leases *leases.Store
	Worker string                            // who handles
	Now    func() time.Time                  // the broker's time
	Poll   func(context.Context, Tick) error // looks for what has happened
	Count  func(name, workflow string, n int)
	Log    *zap.Logger
	Forget func(ctx context.Context, workflow string) error // what Poll remembers of a workflow that ticks no more
	// Publish returns when an event is durable.
	Publish func(context.Context, *wire.Event) error
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
		if plans, err = k.due(ctx, def, t, plans[nameOf(t)]); err != nil {
			return err
		}
	}
	return k.set(ctx, def.Name, plans)
}

// due handles what is due of a trigger, and plans its next tick.
func (k *Keeper) due(ctx context.Context, def *engine.Workflow, t *engine.Trigger, was Plan) (Plans, error) {
	d := dueOf(t, was, k.Now())
	last, left := was.Last, d.missed
	for _, at := range d.at {
		if err := k.do(ctx, Tick{Workflow: def, Trigger: t, At: at, Last: last, Missed: left}); err != nil {
			return nil, err
		}
		last, left = at, 0
	}
	if d.missed > 0 {
		k.Count("ticks_missed", def.Name, d.missed)
		k.Log.Warn("ticks of a schedule passed while nobody could handle them", zap.String("workflow", def.Name),
			zap.String("schedule", t.Ticks.Plan), zap.Int("left_out", d.missed))
	}
	from := d.newest
	if t.Poll != nil {
		from = later(k.Now(), from)
	}
	name := nameOf(t)
	return k.change(ctx, def.Name, func(p Plans) {
		if p[name].Next.Equal(was.Next) { // else it was deployed with other times meanwhile
			p[name] = Plan{Last: last, Next: t.Ticks.Next(from)}
		}
	})
}

// do handles one tick: a poll, or the event of a schedule.
func (k *Keeper) do(ctx context.Context, t Tick) error {
	if t.Trigger.Poll != nil {
		return k.Poll(ctx, t)
	}
	e, err := Event(t, k.Now())
	if err == nil {
		err = k.Publish(ctx, e)
	}
	if err == nil {
		k.Count("schedule_events", t.Workflow.Name, 1)
	}
	return err
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

// Package backfill runs a workflow over events that were recorded before.
//
// A run is started by a wake that carries how it begins. Its id derives from
// workflow and event as ever, so an event that has a run of the workflow, from
// before, by its own delivery or by another back-fill, is not run twice: not
// after an interruption either.
package backfill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/engine/expr"
	"zflow/engine/trigger"
	"zflow/internal/operator"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// reason is that of the wakes.
const reason = "backfill"

// Backfill says which events a workflow is run over.
type Backfill struct {
	Workflow string
	Since    time.Time // stored at or after
	Until    time.Time // stored before; zero: now
	Rate     float64   // runs started a second; 0: as fast as it goes
	DryRun   bool
	Progress func(Done) // after each event; nil: none
}

// Done is how far a back-fill came.
type Done struct {
	Workflow string `json:"workflow"`
	Version  string `json:"version"` // that the runs begin with
	DryRun   bool   `json:"dry_run"`
	Read     uint64 `json:"read"`    // events of the triggers' types
	Replays  uint64 `json:"replays"` // events that are others once more: left out
	Filtered uint64 `json:"filtered"`
	Invalid  uint64 `json:"invalid"` // of which no `if` could be evaluated
	Had      uint64 `json:"had"`     // a run already
	Started  uint64 `json:"started"` // or would be
	Problem  string `json:"problem,omitempty"`
}

// job is a back-fill in progress.
type job struct {
	Backfill
	o    *operator.Operator
	def  *engine.Workflow
	done Done
	tick <-chan time.Time // nil: as fast as it goes
}

// Run starts the runs, and returns how far it came, with an error too.
func Run(ctx context.Context, o *operator.Operator, b Backfill) (Done, error) {
	j := &job{Backfill: b, o: o, done: Done{Workflow: b.Workflow, DryRun: b.DryRun}}
	err := j.prepare(ctx)
	if err == nil {
		err = j.run(ctx)
	}
	if err != nil {
		return j.done, fmt.Errorf("back-filling workflow %s: %w", b.Workflow, err)
	}
	return j.done, nil
}

func (j *job) prepare(ctx context.Context) error {
	e, err := j.o.Catalog.Get(ctx, j.Workflow)
	if err != nil {
		return err
	}
	if e.State == catalog.Paused && !j.DryRun {
		return fmt.Errorf("it is paused: zflow workflows resume %s", e.Name)
	}
	if j.def, err = j.o.Catalog.Workflow(ctx, e.Name, e.Version); err != nil {
		return err
	}
	for _, t := range j.def.Triggers {
		if len(t.Connections) > 0 {
			return errors.New("a trigger takes events of some connections only, and which those are is not recorded with an event: check the account in if, without connection")
		}
	}
	j.done.Version = e.Version
	return nil
}

func (j *job) run(ctx context.Context) error {
	filters := catalog.Filters(j.def.Triggers)
	stream, err := j.o.JS.Stream(ctx, wire.Events)
	if err != nil || len(filters) == 0 {
		return err
	}
	if j.Rate > 0 && !j.DryRun {
		t := time.NewTicker(time.Duration(float64(time.Second) / j.Rate))
		defer t.Stop()
		j.tick = t.C
	}
	if j.Until.IsZero() {
		j.Until = stream.CachedInfo().TimeStamp
	}
	c, err := j.o.JS.OrderedConsumer(ctx, wire.Events, jetstream.OrderedConsumerConfig{
		FilterSubjects: filters, DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &j.Since, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return err
	}
	if c.CachedInfo().NumPending == 0 {
		return nil
	}
	return j.read(ctx, c, stream.CachedInfo().State.LastSeq)
}

// quiet is how long an event is waited for before it is asked whether any is left.
const quiet = 5 * time.Second

// read takes the events up to a sequence, or until they are too young.
func (j *job) read(ctx context.Context, c jetstream.Consumer, end uint64) error {
	messages, err := c.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextMaxWait(quiet))
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, jetstream.ErrNoHeartbeat):
			continue // the server is away: it is asked again
		case errors.Is(err, nats.ErrTimeout):
			if info, err := c.Info(ctx); err != nil || info.NumPending == 0 {
				return err
			}
			continue
		case err != nil:
			return err
		}
		meta, err := m.Metadata()
		if err != nil || meta.Sequence.Stream > end || !meta.Timestamp.Before(j.Until) {
			return err
		}
		e, err := wire.ReadEvent(m.Subject(), m.Headers(), m.Data(), meta.Sequence.Stream, meta.Timestamp)
		if err != nil {
			return err
		}
		if err := j.event(ctx, e); err != nil {
			return err
		}
		if j.Progress != nil {
			j.Progress(j.done)
		}
		if meta.Sequence.Stream == end || meta.NumPending == 0 {
			return nil
		}
	}
}

// event starts the run of an event, if it is to have one and has none.
func (j *job) event(ctx context.Context, e *wire.Event) error {
	j.done.Read++
	if e.ReplayOf != "" {
		j.done.Replays++
		return nil
	}
	event := trigger.Event(e)
	trigger, err := j.match(e, event)
	switch {
	case err != nil:
		if j.done.Invalid++; j.done.Problem == "" {
			j.done.Problem = fmt.Sprintf("event %s: %v", e.ID, err)
		}
		return nil
	case trigger < 0:
		j.done.Filtered++
		return nil
	}
	run := wire.RunID(j.Workflow, e.ID)
	head, err := j.o.History.Head(ctx, j.Workflow, run)
	if err != nil {
		return err
	}
	if head.Sequence > 0 {
		j.done.Had++
		return nil
	}
	if !j.DryRun {
		if err := j.pace(ctx); err != nil {
			return err
		}
		start := &v1.RunStarted{Workflow: j.Workflow, Version: j.done.Version, Event: event, Trigger: int32(trigger)}
		if err := j.o.Wakes.Start(ctx, run, reason, start); err != nil {
			return err
		}
	}
	j.done.Started++
	return nil
}

// match returns the first trigger that the event satisfies, or -1.
func (j *job) match(e *wire.Event, event *v1.Event) (int, error) {
	for i, t := range j.def.Triggers {
		if !t.Takes(e.Kind(), e.Type) {
			continue
		}
		if t.If == nil {
			return i, nil
		}
		body, err := expr.DecodeJSON(e.Body)
		if err != nil {
			return -1, err
		}
		yes, err := t.If.Bool(engine.TriggerEnv(j.def, event, body), expr.Clock{Now: e.ReceivedAt, Seed: e.ID})
		if yes || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// pace waits for its turn.
func (j *job) pace(ctx context.Context) error {
	if j.tick == nil {
		return nil
	}
	select {
	case <-j.tick:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

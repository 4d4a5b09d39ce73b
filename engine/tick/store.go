package tick

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/internal/durable"
	wire "zflow/proto"
)

// Create makes the bucket TICKS.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	return durable.CreateBucket(ctx, js, wire.Ticks, "when workflows look for events, and what their polls know", replicas)
}

// Open looks the bucket up. What polls know stands in it below the workflows' names.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*durable.Bucket, error) {
	return durable.OpenBucket(ctx, js, gate, wire.Ticks)
}

// Plan is when one trigger's ticks are due.
type Plan struct {
	Last time.Time `json:"last,omitzero"` // the tick that was handled last; zero: none was
	Next time.Time `json:"next"`
}

// Plans are those of a workflow, by the name that nameOf gives them.
type Plans map[string]Plan

// nameOf is how a trigger's plan is known: one with other times is another plan.
func nameOf(t *engine.Trigger) string { return t.Source + " " + t.Ticks.Plan }

// PlansOf reads those of a workflow; none where it has no ticks.
func PlansOf(ctx context.Context, b *durable.Bucket, workflow string) (Plans, error) {
	e, err := b.Get(ctx, workflow)
	if err != nil {
		return nil, err
	}
	return decode(workflow, e.Value)
}

func decode(workflow string, raw []byte) (Plans, error) {
	all := Plans{}
	if len(raw) == 0 {
		return all, nil
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("reading the ticks of workflow %s: %w", workflow, err)
	}
	return all, nil
}

// change makes the plans of a workflow what decide makes of them, durably; none
// removes them.
func (k *Keeper) change(ctx context.Context, workflow string, decide func(Plans)) (now Plans, err error) {
	err = k.Bucket.Durably(ctx, func() error {
		return k.Bucket.Change(ctx, workflow, func(old []byte) ([]byte, error) {
			if now, err = decode(workflow, old); err != nil {
				return nil, err
			}
			if decide(now); len(now) == 0 {
				return nil, nil
			}
			return json.Marshal(now)
		})
	})
	return now, err
}

// follow makes plans those of a workflow's triggers. One that looks for what is new
// begins at once, unless it did so at other times before.
func (p Plans) follow(triggers []engine.Trigger, now time.Time) {
	polled := false
	want := map[string]*engine.Trigger{}
	for i := range triggers {
		if t := &triggers[i]; t.Ticks != nil {
			want[nameOf(t)] = t
		}
	}
	for name, plan := range p {
		if want[name] == nil {
			polled = polled || !plan.Last.IsZero()
			delete(p, name)
		}
	}
	for name, t := range want {
		was, there := p[name]
		if there && (t.Poll != nil || t.Ticks.At(was.Next)) { // a zone's rules may have changed
			continue
		}
		next := now
		if t.Poll == nil || polled {
			next = t.Ticks.Next(now)
		}
		p[name] = Plan{Last: was.Last, Next: next}
	}
}

// next is when the first tick is due; zero: never.
func (p Plans) next() (first time.Time) {
	for _, plan := range p {
		if first.IsZero() || plan.Next.Before(first) {
			first = plan.Next
		}
	}
	return first
}

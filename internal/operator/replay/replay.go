// Package replay makes new runs that go on from what others did.
//
// The new run's first append holds all that it begins with, and expects that the run
// has no history yet; so two replays of one run are two runs. A timer in WAKES is set
// before that append: it wakes the run if nobody does after it.
package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/blobs"
	"zflow/engine/history"
	"zflow/engine/queue"
	"zflow/engine/reuse"
	"zflow/internal/operator"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Replay says which run goes on from where.
type Replay struct {
	Run, From, By string
	Latest        bool // with the active version of the workflow
	DryRun        bool
}

// Made is the new run, or in a dry run what it would be.
type Made struct {
	ID       string   `json:"id"` // of the new run; empty in a dry run
	Workflow string   `json:"workflow"`
	Version  string   `json:"version"`
	EventID  string   `json:"event_id"`
	ReplayOf string   `json:"replay_of"` // the run that it goes on from
	From     string   `json:"from"`      // the first step that it does itself
	Reused   []string `json:"reused"`    // the steps before it
	DryRun   bool     `json:"dry_run"`
}

// backstop is when a new run is woken that was not before.
const backstop = 10 * time.Second

// largest is how many bytes the first append may have; the server takes 8 MiB.
const largest = 6 << 20

// Run makes the new run.
func Run(ctx context.Context, o *operator.Operator, r Replay) (Made, error) {
	head, err := o.Find(ctx, r.Run)
	if err != nil {
		return Made{}, err
	}
	m, err := replay(ctx, o, head, r)
	if err != nil {
		return Made{}, fmt.Errorf("replaying run %s: %w", head.Run, err)
	}
	return m, nil
}

func replay(ctx context.Context, o *operator.Operator, head history.Head, r Replay) (Made, error) {
	_, old, err := o.Load(ctx, head)
	if err != nil {
		return Made{}, err
	}
	version := old.Start.Version
	if r.Latest {
		e, err := o.Catalog.Get(ctx, old.Start.Workflow)
		if err != nil {
			return Made{}, err
		}
		version = e.Version
	}
	def, err := o.Catalog.Workflow(ctx, old.Start.Workflow, version)
	if err != nil {
		return Made{}, err
	}
	cut, err := reuse.At(def, old, r.From)
	if err != nil {
		return Made{}, err
	}
	m := Made{Workflow: def.Name, Version: def.Version, ReplayOf: old.ID(), From: cut.From, Reused: append([]string{}, cut.Reused...), DryRun: r.DryRun}
	b := beginning{o: o, def: def, cut: cut, start: startOf(old, def, r.By)}
	if r.DryRun {
		return m, b.check(old)
	}
	m.ID, err = b.begin(ctx)
	m.EventID = b.start.Event.Id
	return m, err
}

// startOf is how the new run begins: by the same event. Who called the old run is
// told nothing of the new one.
func startOf(old *engine.Run, def *engine.Workflow, by string) *v1.RunStarted {
	e := proto.CloneOf(old.Start.Event)
	if e.ReplayOf == "" {
		e.ReplayOf = e.Id
	}
	e.Origin = wire.FromReplay
	return &v1.RunStarted{Workflow: old.Start.Workflow, Version: def.Version, Event: e, Trigger: old.Start.Trigger,
		Replay: &v1.Replay{Run: old.ID(), By: by}}
}

// beginning is a run in the making.
type beginning struct {
	o     *operator.Operator
	def   *engine.Workflow
	cut   *reuse.Cut
	start *v1.RunStarted
	run   *engine.Run
	facts []*v1.Fact
}

// most is how many replays one event may have.
const most = 10_000

// begin appends the first facts of the run of a replay of the event that has none.
func (b *beginning) begin(ctx context.Context) (id string, err error) {
	for n := 1; n <= most; n++ {
		b.start.Event.Id = wire.RunReplayID(b.start.Event.ReplayOf, n)
		id = wire.RunID(b.def.Name, b.start.Event.Id)
		head, err := b.o.History.Head(ctx, b.def.Name, id)
		if err != nil {
			return "", err
		}
		if head.Sequence > 0 {
			continue
		}
		if err := b.make(id, time.Now()); err != nil {
			return "", err
		}
		if err := b.append(ctx, id); !errors.Is(err, history.ErrConflict) {
			return id, err
		}
	}
	return "", fmt.Errorf("its event was replayed %d times", most)
}

// check makes the run for nobody.
func (b *beginning) check(old *engine.Run) error { return b.make(old.ID(), time.Now()) }

// make applies the facts with which the run begins: it waits at its gate, or for what
// is due at once.
func (b *beginning) make(id string, now time.Time) (err error) {
	if b.start.Deadline = 0; b.def.Timeout > 0 {
		b.start.Deadline = now.Add(b.def.Timeout).UnixNano()
	}
	if b.run, b.facts, err = b.cut.Begin(id, now, b.start); err != nil {
		return err
	}
	next := &v1.Fact{Kind: &v1.Fact_TimerSet{TimerSet: &v1.TimerSet{Due: now.UnixNano(), Reason: "replay"}}}
	if b.def.Concurrency != nil {
		if next, err = queue.Queued(b.def, b.start.Event); err != nil {
			return err
		}
	}
	if next, err = b.run.Add(now, next); err != nil {
		return err
	}
	b.facts = append(b.facts, next)
	for _, v := range history.Values(b.facts) {
		if v.Blob != "" && len(v.Json) == 0 {
			return fmt.Errorf("a value of %d bytes that it needs is not in %s any more", v.Size, wire.Blobs)
		}
	}
	return nil
}

func (b *beginning) append(ctx context.Context, id string) error {
	if err := b.offload(ctx); err != nil {
		return err
	}
	if err := b.o.Wakes.SetTimer(ctx, b.def.Name, id, 0, time.Now().Add(backstop)); err != nil {
		return err
	}
	var c history.Cursor
	err := b.o.History.Append(ctx, &c, history.Append{Workflow: b.def.Name, Run: id, State: string(engine.Waiting), Facts: b.facts, Header: b.headers()})
	if err != nil {
		return err
	}
	if err := b.o.History.Pass(ctx, &c); err != nil {
		return err
	}
	return b.o.Wakes.Wake(ctx, b.def.Name, id, &v1.Wake{Reason: "replay"})
}

// offload puts large values into BLOBS, those too that lie there: they are to live
// as long as this run.
func (b *beginning) offload(ctx context.Context) error {
	size := 0
	for _, f := range b.facts {
		size += proto.Size(f)
	}
	for _, v := range history.Values(b.facts) {
		if v.Blob == "" && len(v.Json) <= blobs.Large && size <= largest {
			continue
		}
		if v.Blob == "" && len(v.Json) <= blobs.Large/64 {
			continue
		}
		name, err := b.o.Blobs.Put(ctx, v.Json)
		if err != nil {
			return err
		}
		v.Blob, size = name, size-len(v.Json)
		v.Size = uint64(len(v.Json))
	}
	if size > largest {
		return fmt.Errorf("what is before step %s takes %d bytes, more than the %d that a run may begin with", b.cut.From, size, largest)
	}
	return nil
}

// headers say in plain text what a subscriber of RUNS wants to know.
func (b *beginning) headers() nats.Header {
	kinds := make([]string, 0, 2)
	for _, f := range []*v1.Fact{b.facts[0], b.facts[len(b.facts)-1]} {
		kinds = append(kinds, engine.Kind(f))
	}
	h := nats.Header{
		"zflow-version":    {b.start.Version},
		"zflow-event-id":   {b.start.Event.Id},
		"zflow-event-type": {b.start.Event.Type},
		"zflow-started-at": {b.run.Started.Format(time.RFC3339Nano)},
		"zflow-worker":     {""},
		"zflow-replay-of":  {b.start.Replay.Run},
		"zflow-facts":      {strings.Join(kinds, " ")},
	}
	queue.Note(h, b.run)
	return h
}

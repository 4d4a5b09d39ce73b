package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/internal/durable"
	wire "zflow/proto"
)

// Config is what polls are made with.
type Config struct {
	Bucket  *durable.Bucket                                        // TICKS
	Publish func(context.Context, *wire.Event) error               // returns when the event is durable
	Call    func(context.Context, *engine.Attempt) *engine.Outcome // calls an action, in a slot
	Account func(connection string) (id string, known bool)        // of a connection; nil: none is known
	Secrets map[string]any                                         // by name, sealed
	Now     func() time.Time                                       // the broker's time
	Count   func(name, workflow string, n int)
	Log     *zap.Logger
}

// Tick is when to poll, and for what.
type Tick struct {
	Workflow *engine.Workflow
	Trigger  *engine.Trigger
	At       time.Time // when it was to be
}

// Poller polls. It remembers nothing.
type Poller struct{ Config }

// New returns a Poller.
func New(c Config) *Poller { return &Poller{c} }

// within is how long a poll may take to read its list.
const within = 5 * time.Minute

// Do makes the poll of a tick. A list that cannot be read is no error: the poll says
// so, and the next tick tries again. An error means that the tick is to come again.
func (p *Poller) Do(ctx context.Context, t Tick) error {
	name := t.Workflow.Name
	k, err := p.load(ctx, name)
	if err != nil {
		return fmt.Errorf("polling for workflow %s: %w", name, err)
	}
	if k.Pending != nil { // a poll before this one was cut short
		err = p.finish(ctx, t.Workflow, k)
	}
	if err == nil && !k.At.Equal(t.At) { // else this tick's poll is done
		err = p.poll(ctx, t, k)
	}
	if why := (*failure)(nil); errors.As(err, &why) {
		err = p.note(ctx, t, k, why)
	}
	if err != nil {
		return fmt.Errorf("polling for workflow %s: %w", name, err)
	}
	return nil
}

// Forget removes what is known for a workflow.
func (p *Poller) Forget(ctx context.Context, workflow string) error {
	if err := p.Bucket.Remove(ctx, key(workflow)); err != nil {
		return err
	}
	return p.Bucket.Remove(ctx, key(workflow)+".>")
}

// failure is why a list could not be read or compared, fit for people.
type failure struct{ text string }

func (f *failure) Error() string { return f.text }

func failed(format string, args ...any) *failure { return &failure{fmt.Sprintf(format, args...)} }

// note keeps why a poll has failed, and lets the next tick try again.
func (p *Poller) note(ctx context.Context, t Tick, k *known, why *failure) error {
	next, now := k.state, p.Now()
	next.At, next.Problem = t.At, &Problem{Message: why.text, Since: now, Last: now, Times: 1}
	if was := k.Problem; was != nil {
		next.Problem.Since, next.Problem.Times = was.Since, was.Times+1
	}
	p.Count("polls_failed", t.Workflow.Name, 1)
	p.Log.Warn("a poll has failed: the next tick tries again", zap.String("workflow", t.Workflow.Name),
		zap.String("error", why.text), zap.Int("times", next.Problem.Times))
	return p.save(ctx, t.Workflow.Name, k, next)
}

// poll reads the list, compares it with what is known, and makes events of what
// differs: some, and again, until all is known.
func (p *Poller) poll(ctx context.Context, t Tick, k *known) error {
	c, err := p.read(ctx, t)
	if err != nil {
		return err
	}
	p.Count("polls", t.Workflow.Name, 1)
	if err := p.begin(ctx, t, k, c); err != nil {
		return err
	}
	for done := false; !done; {
		var r round
		if r, err = c.compare(k); err == nil {
			done = r.last
			err = p.keep(ctx, t, k, c, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin finds what the list is to be compared with.
func (p *Poller) begin(ctx context.Context, t Tick, k *known, c *comparison) error {
	k.items = map[string]item{}
	c.base = k.state
	if c.first = k.List != c.poll.List; c.first {
		c.base = state{List: c.poll.List, Since: c.at}
		return nil
	}
	c.fresh = k.Fields != fieldsOf(c.poll)
	if k.Items.Name == "" {
		return nil
	}
	return p.unpack(ctx, t.Workflow.Name, k.Items, &k.items)
}

// keep makes what a round brought durable, then its events, then what is known.
func (p *Poller) keep(ctx context.Context, t Tick, k *known, c *comparison, r round) (err error) {
	name, next := t.Workflow.Name, c.base
	next.Fields, next.Polled, next.Known = fieldsOf(c.poll), c.at, len(k.items)
	next.Pending, next.Problem = nil, nil
	if r.last {
		next.At = t.At
	}
	if r.changed {
		next.Version++
		if next.Items, err = p.write(ctx, name, k.items); err != nil {
			return err
		}
	}
	c.base = next
	if len(r.events) == 0 {
		return p.settle(ctx, name, k, next)
	}
	now := k.state // a problem, say, stays until the events are published
	now.Pending = &pending{Next: next}
	if now.Pending.Events, err = p.write(ctx, name, r.events); err != nil {
		return err
	}
	if err := p.save(ctx, name, k, now); err != nil {
		return err
	}
	return p.conclude(ctx, t.Workflow, k, r.events)
}

// finish does what a poll has left that was cut short.
func (p *Poller) finish(ctx context.Context, def *engine.Workflow, k *known) error {
	var events []event
	if err := p.unpack(ctx, def.Name, k.Pending.Events, &events); err != nil {
		return err
	}
	return p.conclude(ctx, def, k, events)
}

// conclude publishes the events of a comparison, and makes what it found what is known.
func (p *Poller) conclude(ctx context.Context, def *engine.Workflow, k *known, events []event) error {
	if err := p.publish(ctx, def, k.Pending.Next.Polled, events); err != nil {
		return err
	}
	return p.settle(ctx, def.Name, k, k.Pending.Next)
}

// settle makes a state what is known, and removes what was before.
func (p *Poller) settle(ctx context.Context, workflow string, k *known, next state) error {
	before := k.state
	if err := p.save(ctx, workflow, k, next); err != nil {
		return err
	}
	return p.clear(ctx, workflow, before, next)
}

package operator

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/engine"
	"zflow/engine/history"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Kinds of commands.
const (
	kindCancel  = "cancel"
	kindSignal  = "signal"
	kindApprove = "approve"
	kindRetry   = "retry"
)

// A command is looked for in the history for so long, and again so often, and
// whenever something is appended to the run.
const (
	takenWithin = 10 * time.Second
	lookEvery   = 500 * time.Millisecond
)

// Cancellation is an order to end a run.
type Cancellation struct {
	Run, By, Reason string
	Now             bool // without undo and finally
}

// Cancel ends a run, and returns it once its history shows the order.
func (o *Operator) Cancel(ctx context.Context, c Cancellation) (Run, error) {
	head, err := o.Find(ctx, c.Run)
	if err != nil {
		return Run{}, err
	}
	if engine.State(head.State).Ended() {
		return Run{}, classed(ErrConflict, fmt.Errorf("canceling run %s: it has ended already: %s", head.Run, head.State))
	}
	r, err := o.order(ctx, head, &v1.Command{Kind: kindCancel, By: c.By, Reason: c.Reason, Now: c.Now})
	if err != nil {
		return r, fmt.Errorf("canceling run %s: %w", head.Run, err)
	}
	return r, nil
}

// Signal is a word from outside that a run may wait for.
type Signal struct {
	Run, Name, By string
	Data          json.RawMessage // empty: null
}

// mostSent is how much an order may carry.
const mostSent = 1 << 20

// Signal gives a run a signal, also one that it does not wait for yet.
func (o *Operator) Signal(ctx context.Context, s Signal) (Run, error) {
	switch {
	case s.Name == "" || len(s.Name) > 128 || oneLine(s.Name) != s.Name:
		return Run{}, classed(ErrInvalid, fmt.Errorf("signaling run %s: %.140q is no name for a signal: it has 1 to 128 letters in one line", s.Run, s.Name))
	case len(s.Data) > 0 && !json.Valid(s.Data):
		return Run{}, classed(ErrInvalid, fmt.Errorf("signaling run %s: the data is not JSON", s.Run))
	case len(s.Data) > mostSent:
		return Run{}, classed(ErrInvalid, fmt.Errorf("signaling run %s: the data has %d bytes, it may have %d", s.Run, len(s.Data), mostSent))
	}
	head, err := o.Find(ctx, s.Run)
	if err != nil {
		return Run{}, err
	}
	if engine.State(head.State).Ended() {
		return Run{}, classed(ErrConflict, fmt.Errorf("signaling run %s: it has ended already: %s", head.Run, head.State))
	}
	r, err := o.order(ctx, head, &v1.Command{Kind: kindSignal, By: s.By, Name: s.Name, Data: s.Data})
	if err != nil {
		return r, fmt.Errorf("signaling run %s: %w", head.Run, err)
	}
	return r, nil
}

// order sends a command and waits until the run's history shows it.
func (o *Operator) order(ctx context.Context, head history.Head, c *v1.Command) (Run, error) {
	patience := cmp.Or(o.Patience, takenWithin)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if o.hurried() {
		c.Id = rand.Text()
		return Run{}, errors.Join(o.Wakes.Command(ctx, head.Workflow, head.Run, c), ErrNotTaken)
	}
	news, err := o.NC.SubscribeSync(wire.RunFilter(head.Workflow, head.Run))
	if err != nil {
		return Run{}, err
	}
	defer func() { _ = news.Unsubscribe() }() // the connection ends soon anyway
	c.Id = rand.Text()
	if err := o.Wakes.Command(ctx, head.Workflow, head.Run, c); err != nil {
		return Run{}, err
	}
	for {
		r, over, err := o.taken(ctx, head, c)
		switch {
		case over:
			return r, nil
		case ctx.Err() != nil:
			return Run{}, fmt.Errorf("%w within %s: it will, once one runs", ErrNotTaken, patience)
		case err != nil:
			return r, err
		}
		if err := hint(ctx, news); err != nil {
			return Run{}, err
		}
	}
}

// ErrNotTaken says that an order waits in WAKES.
var ErrNotTaken = errors.New("the order is stored, but no worker has taken it")

// hint returns when something was appended to the run, or it is time to look
// again.
func hint(ctx context.Context, news *nats.Subscription) error {
	wait, done := context.WithTimeout(ctx, lookEvery)
	defer done()
	_, err := news.NextMsgWithContext(wait)
	if wait.Err() != nil {
		return nil
	}
	return err
}

// taken tells whether the history shows the command, or shows that it came too late.
func (o *Operator) taken(ctx context.Context, head history.Head, c *v1.Command) (Run, bool, error) {
	_, r, err := o.Load(ctx, head)
	if err != nil {
		return Run{}, false, err
	}
	now, err := o.History.Head(ctx, head.Workflow, head.Run)
	switch {
	case err != nil:
		return Run{}, false, err
	case r.Knows(c.Id):
		return runOf(now), true, nil
	case c.Kind == kindRetry:
		if retriable(r.State) != nil {
			return runOf(now), false, classed(ErrConflict, errors.New("somebody else has retried it before"))
		}
	case r.State.Ended():
		return runOf(now), false, classed(ErrConflict, fmt.Errorf("it came too late, the run has ended: %s", r.State))
	case c.Kind == kindApprove && !asks(r, c.Step):
		return runOf(now), false, classed(ErrConflict, errors.New("somebody else has answered before"))
	}
	return Run{}, false, nil
}

package operator

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/engine"
	"zflow/engine/history"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// A command is looked for in the history for so long, and again so often, and
// whenever something is appended to the run.
const (
	takenWithin = 10 * time.Second
	lookEvery   = 500 * time.Millisecond
)

// Cancel ends a run, and returns its status once the history shows the order.
func (o *Operator) Cancel(ctx context.Context, id, by, reason string) (Run, error) {
	head, err := o.find(ctx, id)
	if err != nil {
		return Run{}, err
	}
	if engine.State(head.State).Ended() {
		return Run{}, fmt.Errorf("canceling run %s: it has ended already: %s", head.Run, head.State)
	}
	r, err := o.order(ctx, head, &v1.Command{Kind: "cancel", By: by, Reason: reason})
	if err != nil {
		return r, fmt.Errorf("canceling run %s: %w", head.Run, err)
	}
	return r, nil
}

// Approval is a person's word about an attempt of unknown outcome.
type Approval struct {
	Run, Step string
	Choice    string          // retry, done, fail
	Output    json.RawMessage // of the step, with done
	Comment   string
	By        string
}

// Choices are what an approval can say.
func Choices() []string { return []string{engine.ChoiceRetry, engine.ChoiceDone, engine.ChoiceFail} }

// Approve answers a step that asks, and returns the run once its history shows it.
func (o *Operator) Approve(ctx context.Context, a Approval) (Run, error) {
	if !slices.Contains(Choices(), a.Choice) {
		return Run{}, fmt.Errorf("approving step %s: the choice is one of %s, not %q", a.Step, strings.Join(Choices(), ", "), a.Choice)
	}
	if len(a.Output) > 0 && a.Choice != engine.ChoiceDone {
		return Run{}, fmt.Errorf("approving step %s: an output goes with the choice %s", a.Step, engine.ChoiceDone)
	}
	if len(a.Output) > 0 && !json.Valid(a.Output) {
		return Run{}, fmt.Errorf("approving step %s: the output is not JSON", a.Step)
	}
	head, err := o.find(ctx, a.Run)
	if err != nil {
		return Run{}, err
	}
	r, err := o.approve(ctx, head, a)
	if err != nil {
		return r, fmt.Errorf("approving step %s of run %s: %w", a.Step, head.Run, err)
	}
	return r, nil
}

func (o *Operator) approve(ctx context.Context, head history.Head, a Approval) (Run, error) {
	_, r, err := o.load(ctx, head)
	if err != nil {
		return Run{}, err
	}
	if err := asks(r, a.Step); err != nil {
		return Run{}, err
	}
	return o.order(ctx, head, &v1.Command{Kind: "approve", By: a.By, Reason: a.Comment, Step: a.Step, Choice: a.Choice, Data: a.Output})
}

// asks explains why a step cannot be approved.
func asks(r *engine.Run, step string) error {
	if r.State.Ended() {
		return fmt.Errorf("the run has ended: %s", r.State)
	}
	var asking []string
	for path, s := range r.Steps {
		if s.Status == engine.StepAsking {
			asking = append(asking, path)
		}
	}
	if slices.Contains(asking, step) {
		return nil
	}
	if len(asking) == 0 {
		return errors.New("no step of the run asks for anything")
	}
	return fmt.Errorf("the step that asks is %s", strings.Join(asking, ", "))
}

// order sends a command and waits until the run's history shows it.
func (o *Operator) order(ctx context.Context, head history.Head, c *v1.Command) (Run, error) {
	ctx, cancel := context.WithTimeout(ctx, takenWithin)
	defer cancel()
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
			return Run{}, fmt.Errorf("the order is stored, but no worker has taken it within %s: it will, once one runs", takenWithin)
		case err != nil:
			return r, err
		}
		if err := hint(ctx, news); err != nil {
			return Run{}, err
		}
	}
}

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
	_, r, err := o.load(ctx, head)
	if err != nil {
		return Run{}, false, err
	}
	now, err := o.History.Head(ctx, head.Workflow, head.Run)
	switch {
	case err != nil:
		return Run{}, false, err
	case r.Knows(c.Id):
		return runOf(now), true, nil
	case r.State.Ended():
		return runOf(now), false, fmt.Errorf("it came too late, the run has ended: %s", r.State)
	case c.Step != "" && asks(r, c.Step) != nil:
		return runOf(now), false, errors.New("somebody else has answered before")
	}
	return Run{}, false, nil
}

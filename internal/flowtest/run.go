package flowtest

import (
	"github.com/nats-io/nats.go/jetstream"

	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/bubble"
	"zflow/internal/durable"
	"zflow/internal/flowtest/house"
	"zflow/internal/flowtest/testfile"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Runner runs tests. One at a time: the clock of the nats-server is the process's.
type Runner struct {
	Known definition.Known
	// Limit is how long one run of a test may take in real time; 0: two minutes.
	Limit time.Duration
	// Code runs code where a test says so; nil: nowhere.
	Code *app.TestCode
}

// Seen is what came of a test.
type Seen struct {
	Run      *engine.Run // nil: the event started none
	Facts    []*v1.Fact
	Started  time.Time     // of the test
	Calls    []*house.Made // of all runs
	Problems []string      // with the test itself
	Points   []house.Point
	Others   []*engine.Run // runs of called workflows, and of other events
	Flow     *engine.Workflow
	Refused  string            // why the test's request was not taken
	stages   []string          // of all runs, before each action of the test
	asked    map[string]string // what a person answered who was asked of a lost attempt, by run and step
	facts    map[string][]*v1.Fact
}

// Play runs a test, with a crash at one point or without.
func (r *Runner) Play(ctx context.Context, s *Suite, t *testfile.Test, crash *house.Crash) (*Seen, error) {
	return r.play(ctx, s, t, crash, nil)
}

// play runs a test with a crash; whole is what was seen of it without one.
func (r *Runner) play(ctx context.Context, s *Suite, t *testfile.Test, crash *house.Crash, whole *Seen) (*Seen, error) {
	limit := r.Limit
	if limit == 0 {
		limit = 2 * time.Minute
	}
	var late atomic.Bool
	watchdog := time.AfterFunc(limit, func() { late.Store(true) })
	defer watchdog.Stop()
	run, err := r.code(t)
	if err != nil {
		return nil, err
	}
	var seen *Seen
	var failed error
	err = bubble.Run(func(clock *bubble.Clock) {
		clock.Leap(time.Until(t.Start))
		// A bubble has no use for what ends outside of it: the look at late is enough.
		inside := context.WithoutCancel(ctx)
		h, err := house.Open(inside, house.Config{Workflows: s.Workflows, Known: r.Known, Outcomes: t.Steps, Secrets: t.Secrets, Folder: filepath.Dir(s.Path), Code: run,
			Crash: crash, Clock: clock, Expired: func() bool { return late.Load() || ctx.Err() != nil }})
		if err != nil {
			failed = err
			return
		}
		p := &play{House: h, test: t, seen: &Seen{Started: time.Now(), asked: map[string]string{}, facts: map[string][]*v1.Fact{}}, crash: crash != nil, whole: whole}
		failed = errors.Join(p.all(inside), h.Close())
		seen = p.seen
	})
	if failed == nil {
		failed = err
	}
	if errors.Is(failed, house.ErrExpired) && ctx.Err() == nil {
		failed = fmt.Errorf("the test was not over after %v: does it wait for much, or call without end?", limit)
	}
	return seen, failed
}

// code is what runs the code of a test's steps, nil where that has to be stated.
func (r *Runner) code(t *testfile.Test) (func(jetstream.JetStream, *durable.Gate) *actions.Action, error) {
	if !t.Code {
		return nil, nil
	}
	if r.Code == nil {
		return nil, errors.New("code is not run here: say under steps what comes of it")
	}
	return r.Code.Action, r.Code.Ready()
}

// play is a test under way.
type play struct {
	*house.House
	test  *testfile.Test
	seen  *Seen
	event *proto.Event
	run   string
	crash bool
	whole *Seen // of the test without a crash; nil: this is it
	said  int   // answers of the person who is asked
}

func (p *play) all(ctx context.Context) (err error) {
	if err := p.begin(ctx); err != nil {
		return err
	}
	if p.crash {
		p.Quiet = func(ctx context.Context) (bool, error) { return p.answer(ctx, p.answersItself) }
	}
	begun := time.Now()
	for i := range p.test.Then {
		a := &p.test.Then[i]
		if err := p.Pass(ctx, begun.Add(a.After)); err != nil {
			return err
		}
		if err := p.stage(ctx, i); err != nil {
			return err
		}
		if err := p.act(ctx, i, a); err != nil {
			return fmt.Errorf("line %d: %w", a.Line, err)
		}
	}
	if err := p.Pass(ctx, time.Time{}); err != nil {
		return err
	}
	for p.crash {
		answered, err := p.answer(ctx, nil)
		if err != nil {
			return err
		}
		if !answered {
			break
		}
		if err := p.Pass(ctx, time.Time{}); err != nil {
			return err
		}
	}
	return p.look(ctx)
}

// begin sends the test's event; that it is refused may be what the test is about.
func (p *play) begin(ctx context.Context) (err error) {
	p.event, err = p.Send(ctx, &p.test.Event)
	if refused, is := house.IsRefused(err); is {
		p.seen.Refused = refused.Error()
		return nil
	}
	if err == nil {
		p.run = proto.RunID(p.Workflow(), p.event.ID)
	}
	return err
}

// stage notes how far the runs are before an action. Those that a crash has held up
// are waited for: the action is to find them where it finds them without one.
func (p *play) stage(ctx context.Context, action int) error {
	if p.whole != nil {
		return p.Settle(ctx, p.whole.stages[action], 2*time.Minute)
	}
	now, err := p.Stage(ctx)
	p.seen.stages = append(p.seen.stages, now)
	return err
}

// act does what the test says happens.
func (p *play) act(ctx context.Context, n int, a *testfile.Action) error {
	c := &v1.Command{Id: "test-" + strconv.Itoa(n), By: "test"}
	switch {
	case a.Crash:
		return p.CrashNow(ctx)
	case p.seen.Refused != "" && a.Event == nil:
		return fmt.Errorf("there is no run: %s", p.seen.Refused)
	case a.Redeliver:
		return p.Redeliver(ctx, p.event)
	case a.Event != nil:
		_, err := p.Send(ctx, a.Event)
		if _, is := house.IsRefused(err); is && !a.Event.HTTP.Auth.Known {
			return nil // as was to be: it starts nothing
		}
		return err
	case a.Signal != nil:
		c.Kind, c.Name, c.Data = "signal", a.Signal.Name, a.Signal.Data
	case a.Approve != nil:
		c.Kind, c.Step, c.Choice, c.Reason, c.Data = "approve", a.Approve.Step, a.Approve.Choice, a.Approve.Comment, a.Approve.Fields
	case a.Cancel != nil:
		c.Kind, c.Now, c.Reason = "cancel", a.Cancel.Now, "the test says so"
	default:
		return nil // crash: false
	}
	return p.Command(ctx, p.run, c)
}

// mostAnswers bounds how often a person is asked in one play.
const mostAnswers = 100

// answersItself says whether the test says what is answered to a step.
func (p *play) answersItself(step string) bool {
	return slices.ContainsFunc(p.test.Then, func(a testfile.Action) bool { return a.Approve != nil && a.Approve.Step == step })
}

// answer is the person who is asked what became of a lost attempt, and looks.
func (p *play) answer(ctx context.Context, but func(step string) bool) (asked bool, err error) {
	for run, steps := range p.Asking() {
		for _, step := range steps {
			if but != nil && but(step) || p.said >= mostAnswers {
				continue
			}
			p.said++
			c := &v1.Command{Id: fmt.Sprintf("answer-%d", p.said), Kind: "approve", By: "verify", Step: step, Choice: engine.ChoiceRetry}
			if happened, output := p.Truth(run, step); happened {
				c.Choice, c.Data = engine.ChoiceDone, encode(output)
			}
			p.seen.asked[run+"."+step] = c.Choice
			if err := p.Command(ctx, run, c); err != nil {
				return false, err
			}
			asked = true
		}
	}
	return asked, nil
}

// look takes with it what can be seen in the end.
func (p *play) look(ctx context.Context) (err error) {
	s := p.seen
	s.Run, s.Facts = p.Run(p.run)
	s.Calls, s.Problems, s.Points = p.Calls(), p.Problems(), p.Points()
	for _, id := range p.Runs() {
		other, facts := p.Run(id)
		s.facts[id] = facts
		if id != p.run {
			s.Others = append(s.Others, other)
		}
	}
	s.Flow, err = p.Definition(ctx)
	return err
}

// FactsOf are the facts of any of the runs that were seen.
func (s *Seen) FactsOf(run string) []*v1.Fact { return s.facts[run] }

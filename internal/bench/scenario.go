package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zflow/internal/bench/recording"
)

// Speed is the scenario of runs and webhooks per second. The others say what many
// runs, timers and iterations cost.
const Speed = "speed"

// Sizes says how much the scenarios have of what they are about.
type Sizes struct {
	Parked     int           // runs that wait
	Timers     int           // that are pending
	TimersPer  int           // that are due in a second
	Iterations int           // of the loop
	Latency    time.Duration // of each of its calls
	Finished   int           // runs in the larger store
	Rounds     int           // in which the stores are compared
	Streams    int           // that are live on one console
}

// Valid says whether the scenarios can be measured with these.
func (s *Sizes) Valid() bool {
	return min(s.Parked, s.Timers, s.TimersPer, s.Iterations, s.Finished, s.Rounds, s.Streams) >= 1 && s.Latency >= 0
}

// Scenario is what one of them measured.
type Scenario struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Seconds float64  `json:"seconds"` // that it took
	Figures []Figure `json:"figures"`
}

// Figure is one measured thing.
type Figure struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// scenario is how one is measured, and within what time.
type scenario struct {
	name  string
	run   func(context.Context, *Scenario) error
	limit time.Duration
}

// Scenarios are the names of all, in the order in which they are measured.
func Scenarios() []string {
	names := []string{Speed}
	for _, s := range (&bench{}).scenarios() {
		names = append(names, s.name)
	}
	return names
}

// scenarios returns all but Speed. The limits grow with the sizes: a machine that
// is ten times slower than one of two quiet cores still keeps them.
func (b *bench) scenarios() []scenario {
	s := &b.Sizes
	each := func(n int, d time.Duration) time.Duration { return 2*time.Minute + time.Duration(n)*d }
	return []scenario{
		{"ingest", b.ingest, each(0, 0)},
		{"parked", b.parked, each(s.Parked, 10*time.Millisecond)},
		{"timers", b.timers, each(s.Timers, 5*time.Millisecond) + 2*s.firing()},
		{"loop", b.loop, each(s.Iterations, 30*time.Millisecond)},
		{"core", b.core, each(0, 0)},
		{"finished", b.finished, each(s.Finished, 2*time.Millisecond)},
		{"answer", b.answer, each(0, 0) + 2*b.Length},
		{"mail", b.mail, each(0, 0) + 4*b.Length},
		{"code", b.code, each(0, 0) + 4*b.Length},
		{"request", b.request, each(0, 0) + 2*b.Length},
		{"streams", b.streams, each(s.Streams, 100*time.Millisecond) + 4*b.Length},
	}
}

// CheckScenarios says which of some names is none of a scenario.
func CheckScenarios(names []string) error {
	for _, name := range names {
		if !slices.Contains(Scenarios(), name) {
			return fmt.Errorf("there is no scenario %q: they are %s", name, strings.Join(Scenarios(), ", "))
		}
	}
	return nil
}

// wanted says whether a scenario was asked for.
func (b *bench) wanted(name string) bool { return len(b.Only) == 0 || slices.Contains(b.Only, name) }

// scale measures the scenarios that are wanted, one after another: each has its
// own broker, worker and folder, and leaves none of them.
func (b *bench) scale(ctx context.Context) error {
	for _, s := range b.scenarios() {
		if !b.wanted(s.name) {
			continue
		}
		r := Scenario{Name: s.name}
		begun := time.Now()
		within, cancel := context.WithTimeout(ctx, s.limit)
		err := s.run(within, &r)
		cancel()
		if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("it was not done within %v: %w", s.limit, err)
		}
		if err != nil {
			return fmt.Errorf("measuring %s: %w", s.name, err)
		}
		r.Seconds = time.Since(begun).Seconds()
		b.report.Scenarios = append(b.report.Scenarios, r)
	}
	return nil
}

func (s *Scenario) figure(what string, value float64, unit string) {
	s.Figures = append(s.Figures, Figure{what, value, unit})
}

// tell says about how often how far something long is.
const tell = 5 * time.Second

// follow waits until a count is as high as wanted, and says how far it is.
func (b *bench) follow(ctx context.Context, what string, wanted int, count func(context.Context) (int, error)) error {
	said := time.Now()
	for {
		n, err := count(ctx)
		if err == nil && n >= wanted {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %d of %d: %w", what, n, wanted, ctx.Err())
		}
		if err != nil {
			return err
		}
		if time.Since(said) > tell {
			b.say("%s: %d of %d", what, n, wanted)
			said = time.Now()
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("%s: %d of %d: %w", what, n, wanted, err)
		}
	}
}

// each does something for 0 to n-1, many at a time, and says how far it is. It
// ends at the first error.
func (b *bench) each(ctx context.Context, what string, n, many int, do func(context.Context, int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next, done atomic.Int64
	var all sync.WaitGroup
	for range min(many, n) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, i); err != nil {
					stop(err)
				}
				done.Add(1)
			}
		})
	}
	err := b.follow(ctx, what, n, func(context.Context) (int, error) { return int(done.Load()), nil })
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// fill stores copies of a run, and says how far it is.
func (b *bench) fill(ctx context.Context, what string, r *recording.Recording, n int, copyOf func(int) recording.Copy) error {
	said, sent := time.Now(), 0
	return r.Fill(ctx, n, copyOf, func() {
		if sent++; time.Since(said) > tell {
			b.say("%s: %d of %d", what, sent, n)
			said = time.Now()
		}
	})
}

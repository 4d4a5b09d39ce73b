package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zflow/internal/bench/load"
	"zflow/internal/bench/recording"
	"zflow/internal/bench/usage"
	wire "zflow/proto"
)

// sleeper sleeps until the time that its event says.
const sleeper = `name: sleeper
on: [ { event: bench.sleeper } ]
steps: [ { sleep: { until: "${{ event.at }}" } } ]
`

const (
	sleeperName  = "sleeper"
	sleeperEvent = "bench.sleeper"
	headerDue    = "zflow-due"
)

// pilots are filled first, to see how fast that goes. They are due long after.
const pilots = 500

// timers measures what pending timers cost the server, and how late they fire.
func (b *bench) timers(ctx context.Context, s *Scenario) (err error) {
	n := b.Sizes.Timers
	s.About = fmt.Sprintf("%d runs that sleep, of which %d a second are due", n, b.Sizes.TimersPer)
	p, err := b.startPair(ctx, s.Name, sleeper)
	defer func() { err = errors.Join(err, p.end()) }()
	if err != nil {
		return err
	}
	t := &timing{b: b, p: p}
	if err := t.sleep(ctx); err != nil {
		return err
	}
	before, err := usage.Read(p.broker.pid())
	if err != nil {
		return err
	}
	if err := t.fill(ctx, n); err != nil {
		return err
	}
	pending, err := t.rest(ctx)
	if err != nil {
		return err
	}
	lean, err := p.broker.leanly()
	if err != nil {
		return err
	}
	idle, err := p.cpu()
	if err != nil {
		return err
	}
	peak, err := t.fire(ctx, n)
	if err != nil {
		return err
	}
	fired, err := p.cpu()
	if err != nil {
		return err
	}
	s.figure("CPU of worker and server per timer", float64(fired-idle)/float64(n)/float64(time.Millisecond), "ms")
	s.figure("server, before", mib(before.RSS), "MiB")
	s.figure("server, all pending", mib(pending), "MiB")
	s.figure("server, all pending, garbage collected", mib(lean.RSS), "MiB")
	s.figure("server, most while they fire", mib(peak), "MiB")
	if pending > 0 {
		b.report.aim(fmt.Sprintf("%d pending timers: server memory", n), "< 200 MiB", fmt.Sprintf("%.0f MiB", mib(pending)), mib(pending) < 200)
	}
	return t.lateness(ctx, s, n)
}

// timing is a load of timers.
type timing struct {
	b     *bench
	p     *pair
	r     *recording.Recording
	first time.Time // when the first is due
}

// firing is from the first that is due to the last.
func (s *Sizes) firing() time.Duration {
	return time.Duration(s.Timers) * time.Second / time.Duration(max(s.TimersPer, 1))
}

// sleep lets one run sleep, so that there is something to copy.
func (t *timing) sleep(ctx context.Context) (err error) {
	e := sleeping("real", time.Now().Add(24*time.Hour))
	if _, err := t.p.client.Publisher.Publish(ctx, e); err != nil {
		return err
	}
	if err := t.b.follow(ctx, "timers: a first run", 1, func(ctx context.Context) (int, error) { return t.p.count(ctx, "runs_parked") }); err != nil {
		return err
	}
	t.r, err = recording.Open(ctx, t.p.client, sleeperName, e.ID)
	return err
}

func sleeping(key string, until time.Time) *wire.Event {
	return appEvent(sleeperEvent, key, []byte(`{"at":"`+until.UTC().Format(time.RFC3339Nano)+`"}`))
}

// fill makes runs that sleep: their histories, then their timers, as a worker
// leaves them. The first is due when all should be there.
func (t *timing) fill(ctx context.Context, n int) error {
	begun := time.Now()
	if err := t.some(ctx, "pilot", pilots, func(int) time.Time { return begun.Add(24 * time.Hour) }); err != nil {
		return err
	}
	took := time.Since(begun) * time.Duration(n) / pilots
	t.first = time.Now().Add(took*3/2 + t.b.Settle + time.Second)
	return t.some(ctx, "run", n, t.due)
}

// due is when the i-th fires.
func (t *timing) due(i int) time.Time {
	return t.first.Add(t.b.Sizes.firing() * time.Duration(i) / time.Duration(max(t.b.Sizes.Timers, 1)))
}

func (t *timing) some(ctx context.Context, key string, n int, due func(int) time.Time) error {
	event := func(i int) *wire.Event { return sleeping(fmt.Sprintf("%s-%d", key, i), due(i)) }
	err := t.b.fill(ctx, "timers: runs that sleep", t.r, n, func(i int) recording.Copy {
		return recording.Copy{Event: event(i), Change: func(a *recording.Append) { dueAt(a, due(i)) }}
	})
	if err != nil {
		return err
	}
	number := timerOf(t.r)
	return t.b.each(ctx, "timers: set", n, 256, func(ctx context.Context, i int) error {
		return t.p.client.Wakes.SetTimer(ctx, sleeperName, wire.RunID(sleeperName, event(i).ID), number, due(i))
	})
}

// dueAt moves the timer that a copied append sets.
func dueAt(a *recording.Append, due time.Time) {
	for _, f := range a.Facts.Facts {
		if set := f.GetTimerSet(); set != nil {
			set.Due = due.UnixNano()
			a.Header[headerDue] = []string{due.UTC().Format(time.RFC3339Nano)}
		}
	}
}

// timerOf is the number of the fact by which the recorded run sleeps.
func timerOf(r *recording.Recording) (number uint64) {
	for _, a := range r.Appends {
		for _, f := range a.Facts.Facts {
			if f.GetTimerSet() != nil {
				number = f.Number
			}
		}
	}
	return number
}

// rest reads the server's memory shortly before the first is due.
func (t *timing) rest(ctx context.Context) (pending int64, err error) {
	left := time.Until(t.first) - time.Second/2
	if left < 0 {
		return 0, fmt.Errorf("the first timer was due %v before the last was set: the machine got slower meanwhile, try again", -left)
	}
	t.b.say("timers: all are set, the first is due in %.0f s", left.Seconds())
	if err := wait(ctx, left); err != nil {
		return 0, err
	}
	u, err := usage.Read(t.p.broker.pid())
	return u.RSS, err
}

// fire waits until all runs have ended.
func (t *timing) fire(ctx context.Context, n int) (peak int64, err error) {
	var read time.Time
	err = t.b.follow(ctx, "timers: runs that woke", n, func(ctx context.Context) (int, error) {
		if time.Since(read) > time.Second/2 {
			u, err := usage.Read(t.p.broker.pid())
			if err != nil {
				return 0, err
			}
			peak, read = max(peak, u.RSS), time.Now()
		}
		return t.p.count(ctx, "runs_completed")
	})
	return peak, err
}

// lateness reads from the histories when each timer was due, and when it fired.
func (t *timing) lateness(ctx context.Context, s *Scenario, n int) error {
	fired, stored := make([]time.Duration, n), make([]time.Duration, n)
	err := t.b.each(ctx, "timers: histories read", n, 32, func(ctx context.Context, i int) error {
		e := sleeping(fmt.Sprintf("run-%d", i), t.due(i))
		h, err := t.p.client.History.Load(ctx, sleeperName, wire.RunID(sleeperName, e.ID))
		if err != nil {
			return err
		}
		due := int64(0)
		for k, a := range h.Appends {
			for _, f := range a.Facts {
				if set := f.GetTimerSet(); set != nil {
					due = set.Due
				}
				if f.GetTimerFired() != nil {
					fired[i], stored[i] = time.Duration(f.At-due), h.Stored[k].Sub(time.Unix(0, due))
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b, late := t.b, load.SpreadOf(fired)
	kept := load.SpreadOf(stored)
	s.figure("timer_fired after it was due, p50", late.P50, "ms")
	s.figure("timer_fired after it was due, p99", late.P99, "ms")
	s.figure("timer_fired after it was due, most", late.Max, "ms")
	s.figure("stored after it was due, p99", kept.P99, "ms")
	b.report.aim(fmt.Sprintf("%d timers, %d a second: late, p99", n, b.Sizes.TimersPer), "< 1 s", fmt.Sprintf("%.2f s", late.P99/1000), late.P99 < 1000)
	first := fired[0] // sorted: the least
	b.report.aim("timers that fired early", "none", fmt.Sprintf("%.0f ms at the earliest", float64(first)/1e6), first >= 0)
	return nil
}

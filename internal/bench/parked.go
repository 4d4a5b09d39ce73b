package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zflow/internal/bench/stage"
	"zflow/internal/bench/usage"
	"zflow/internal/settings"
)

// The runs that park: a third each sleeps, waits for an event of its own, and asks.
const (
	parkedSleep = `name: sleeps
on: [ { event: bench.sleeps } ]
steps: [ { sleep: 7d } ]
`
	parkedWait = `name: waits
on: [ { event: bench.waits } ]
steps: [ { wait_for: { event: bench.never, match: { run: "${{ event.run }}" }, timeout: 7d } } ]
`
	parkedAsk = `name: asks
on: [ { event: bench.asks } ]
steps: [ { approval: { to: somebody@example.org, message: "Shall ${{ event.run }} go on?", timeout: 7d } } ]
`
)

// oneCall is a workflow of one call to the stage.
func (b *bench) oneCall() string {
	return `name: calls
on: [ { event: bench.calls } ]
steps: [ { uses: http.request, on_unknown: retry, with: { method: POST, url: "` + b.url + stage.Path + `" } } ]
`
}

// parked measures what runs that wait cost a worker.
func (b *bench) parked(ctx context.Context, s *Scenario) (err error) {
	n := b.Sizes.Parked
	s.About = fmt.Sprintf("%d parked runs: a third each sleeps, waits for an event, waits for a person", n)
	p, err := b.startPair(ctx, s.Name, parkedSleep, parkedWait, parkedAsk, b.oneCall())
	defer func() { err = errors.Join(err, p.end()) }()
	if err != nil {
		return err
	}
	if err := wait(ctx, b.Settle); err != nil {
		return err
	}
	idle, err := p.worker.leanly()
	if err != nil {
		return err
	}
	if err := b.park(ctx, p, n); err != nil {
		return err
	}
	if err := b.parkedMemory(ctx, s, p, idle); err != nil {
		return err
	}
	return b.freeSlots(ctx, s, p)
}

// park starts runs and waits until all are parked.
func (b *bench) park(ctx context.Context, p *pair, n int) error {
	kinds := []string{"bench.sleeps", "bench.waits", "bench.asks"}
	err := b.each(ctx, "parked: events published", n, aimed, func(ctx context.Context, i int) error {
		key := fmt.Sprintf("run-%d", i)
		return p.publish(ctx, kinds[i%len(kinds)], key, []byte(`{"run":"`+key+`"}`))
	})
	if err != nil {
		return err
	}
	return b.follow(ctx, "parked: runs that wait", n, func(ctx context.Context) (int, error) { return p.count(ctx, "runs_parked") })
}

func (b *bench) parkedMemory(ctx context.Context, s *Scenario, p *pair, idle usage.Process) error {
	if err := wait(ctx, b.Settle); err != nil {
		return err
	}
	seen, err := usage.Read(p.worker.pid())
	if err != nil {
		return err
	}
	parked, err := p.worker.leanly()
	if err != nil {
		return err
	}
	server, err := usage.Read(p.broker.pid())
	if err != nil {
		return err
	}
	s.figure("worker, idle", mib(idle.RSS), "MiB")
	s.figure("worker, parked", mib(parked.RSS), "MiB")
	s.figure("worker, parked, before garbage is collected", mib(seen.RSS), "MiB")
	s.figure("server, parked", mib(server.RSS), "MiB")
	if idle.RSS > 0 {
		above := mib(parked.RSS - idle.RSS)
		b.report.aim(fmt.Sprintf("%d parked runs: worker memory above idle", b.Sizes.Parked), "< 20 MiB", fmt.Sprintf("%.1f MiB", above), above < 20)
	}
	return nil
}

// freeSlots counts the calls that a worker makes at a time beside the parked runs:
// each stays until all its slots are in use.
func (b *bench) freeSlots(ctx context.Context, s *Scenario, p *pair) error {
	slots := settings.Default().Worker.Slots
	b.stage.Set(10*time.Second, slots)
	begun := time.Now()
	n := slots + slots/4
	err := b.each(ctx, "parked: events that call", n, aimed, func(ctx context.Context, i int) error {
		return p.publish(ctx, "bench.calls", fmt.Sprintf("call-%d", i), []byte(`{}`))
	})
	if err != nil {
		return err
	}
	err = b.follow(ctx, "parked: runs that call beside them", n, func(ctx context.Context) (int, error) { return p.count(ctx, "runs_completed") })
	if err != nil {
		return err
	}
	_, most := b.stage.Seen()
	s.figure("calls at a time beside them", float64(most), "slots")
	s.figure(fmt.Sprintf("%d runs of one call beside them", n), time.Since(begun).Seconds(), "s")
	b.report.aim(fmt.Sprintf("%d parked runs: slots left for others", b.Sizes.Parked), fmt.Sprintf("all %d", slots), fmt.Sprint(most), most == slots)
	return nil
}

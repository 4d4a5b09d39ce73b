package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"time"

	"zflow/internal/bench/disk"
	"zflow/internal/bench/load"
	"zflow/internal/bench/stage"
	"zflow/internal/bench/usage"
)

// Config says what to measure.
type Config struct {
	Only        []string // scenarios: of Scenarios; empty: all
	Sizes       Sizes    // of the scenarios but Speed
	Program     []string // starts this program again, so that it calls Serve
	Data        string   // a folder for data is made here, and removed; empty: where temporary files go
	Modes       []string // of durability: Group, Always
	Concurrency []int    // runs at a time
	Runs        int      // of each measurement; 0: as many as fit into Length
	Length      time.Duration
	Rate        float64       // webhooks a second of the measurement of ingest's latency
	Settle      time.Duration // before the idle memory is read
	Profile     string        // file for a CPU profile of the first mode, at the aims' concurrency if that is measured
	Progress    io.Writer     // says what is being measured
	Errors      io.Writer     // what the processes complain about
}

// bench is a report in the making.
type bench struct {
	Config
	folder  string
	api     *load.API
	stage   *stage.Stage
	url     string // of both
	systems []*system
	report  *Report
}

// Run measures everything. It ends what it started and removes its folder.
func Run(ctx context.Context, c Config) (r *Report, err error) {
	if err := CheckScenarios(c.Only); err != nil {
		return nil, err
	}
	b := &bench{Config: c, api: &load.API{}, stage: &stage.Stage{}, report: &Report{CPUs: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}}
	if b.folder, err = os.MkdirTemp(c.Data, "zflow-bench-"); err != nil {
		return nil, fmt.Errorf("making a folder for the data: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	stop, err := b.serveAPI()
	if err != nil {
		return nil, err
	}
	defer stop()
	err = b.measure(ctx)
	if ctx.Err() != nil { // then what failed first is chance
		return nil, fmt.Errorf("measuring: interrupted: %w", ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return b.report, nil
}

func (b *bench) serveAPI() (stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the API: %w", err)
	}
	b.url = "http://" + l.Addr().String()
	calls := http.NewServeMux()
	calls.Handle("/", b.api)
	calls.Handle(stage.Path, b.stage)
	server := &http.Server{Handler: calls, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(l) //nolint:errcheck // without it no run completes, which the load reports
	return func() { _ = server.Close() }, nil
}

func (b *bench) measure(ctx context.Context) error {
	if b.wanted(Speed) {
		if err := b.speed(ctx); err != nil {
			return err
		}
	}
	return b.scale(ctx)
}

// speed measures runs and webhooks a second, and ends what it started: it would
// disturb the scenarios that follow.
func (b *bench) speed(ctx context.Context) (err error) {
	defer func() {
		for _, s := range b.systems {
			err = errors.Join(err, s.end())
		}
	}()
	for _, part := range []func(context.Context) error{b.startAll, b.warm, b.runs, b.webhooks, b.paced, b.publishes} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	b.report.judge()
	return nil
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.Progress, format+"\n", args...) }

// startAll starts zflow in each mode, then the null pipeline, and reads what
// zflow needs before it has anything to do.
func (b *bench) startAll(ctx context.Context) error {
	for _, mode := range b.Modes {
		b.say("starting zflow, durability %s", mode)
		if err := b.start(ctx, mode); err != nil {
			return err
		}
		if err := b.idle(ctx, b.systems[len(b.systems)-1]); err != nil {
			return err
		}
	}
	return b.start(ctx, Null)
}

func (b *bench) idle(ctx context.Context, s *system) error {
	if b.report.Idle != nil {
		return nil
	}
	if err := wait(ctx, b.Settle); err != nil {
		return err
	}
	u, err := usage.Read(s.process.pid())
	if u.RSS > 0 {
		b.report.Idle = &Memory{RSS: u.RSS, PSS: u.PSS}
	}
	return err
}

func (b *bench) load(s *system, senders int) load.Load {
	return load.Load{URL: s.process.at.Webhooks, Secret: secret, API: b.api, Senders: senders, Count: b.Runs, Length: b.Length,
		Patience: 30 * time.Second}
}

// warm opens connections and fills caches.
func (b *bench) warm(ctx context.Context) error {
	b.say("warming up")
	for _, s := range b.systems {
		l := b.load(s, 64)
		l.Whole, l.Length = true, b.Length/5
		if _, err := l.Run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// runs measures each concurrency on all systems, one after another, so that
// what they are compared by is of one time.
func (b *bench) runs(ctx context.Context) error {
	for _, n := range b.Concurrency {
		if err := b.disk(ctx, n); err != nil {
			return err
		}
		for _, s := range b.systems {
			b.say("runs, %d at a time: %s", n, s.name)
			l := b.load(s, n)
			if l.Whole = true; l.Count > 0 {
				l.Count = max(l.Count, n)
			}
			m, err := b.take(ctx, s, l, n == b.profiled())
			if err != nil {
				return err
			}
			b.report.Runs = append(b.report.Runs, m)
		}
	}
	return nil
}

// disk measures the flush of the moment.
func (b *bench) disk(ctx context.Context, n int) error {
	all, err := disk.Flushes(ctx, b.folder, b.Length/8)
	if err != nil {
		return err
	}
	var busy time.Duration
	for _, one := range all {
		busy += one
	}
	b.report.Disk = append(b.report.Disk, Disk{Concurrent: n, PerSecond: load.Per(len(all), busy), Flush: load.SpreadOf(all)})
	return nil
}

// webhooks measures how fast they are taken when nobody waits for the runs.
func (b *bench) webhooks(ctx context.Context) error {
	for _, s := range b.systems {
		b.say("webhooks, %d senders: %s", aimed, s.name)
		l := b.load(s, aimed)
		l.Length = b.Length / 2
		m, err := b.take(ctx, s, l, false)
		if err != nil {
			return err
		}
		b.report.Webhooks = append(b.report.Webhooks, m)
	}
	return nil
}

// paced measures the latency of ingest under a moderate load.
func (b *bench) paced(ctx context.Context) error {
	for _, s := range b.systems {
		b.say("webhooks, %g a second: %s", b.Rate, s.name)
		l := b.load(s, 4096)
		l.Rate = b.Rate
		m, err := b.take(ctx, s, l, false)
		if err != nil {
			return err
		}
		m.Concurrent, m.Rate = 0, b.Rate
		b.report.Paced = append(b.report.Paced, m)
	}
	return nil
}

// take measures one load.
func (b *bench) take(ctx context.Context, s *system, l load.Load, profile bool) (m Measure, err error) {
	before, err := s.counts(ctx)
	if err != nil {
		return m, err
	}
	end, err := b.profile(s, profile)
	if err != nil {
		return m, err
	}
	o, err := l.Run(ctx)
	if err := errors.Join(err, end(), s.rest(ctx)); err != nil {
		return m, err
	}
	after, err := s.counts(ctx)
	if err != nil {
		return m, err
	}
	m = Measure{System: s.name, Concurrent: l.Senders, Outcome: o}
	m.cost(before, after)
	return m, nil
}

// profiled is the concurrency at which a profile is taken.
func (b *bench) profiled() int {
	if slices.Contains(b.Concurrency, aimed) || len(b.Concurrency) == 0 {
		return aimed
	}
	return b.Concurrency[0]
}

// profile begins a profile where one is asked for.
func (b *bench) profile(s *system, wanted bool) (end func() error, err error) {
	if !wanted || b.Profile == "" || s != b.systems[0] {
		return func() error { return nil }, nil
	}
	if _, err := s.process.ask(request{Profile: b.Profile}); err != nil {
		return nil, fmt.Errorf("profiling: %w", err)
	}
	return func() error {
		_, err := s.process.ask(request{Stop: true})
		return err
	}, nil
}

package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"zflow/internal/bench"
	"zflow/internal/terminal"
)

const aboutBench = `Measure zflow on this machine, in about five minutes; --only takes some of it:

  speed     signed webhooks start runs of three HTTP calls to an API that answers at
            once. zflow runs in a process of its own, in each mode of durability;
            beside it the null pipeline makes the same calls and keeps nothing, and the
            disk and the streams are measured alone: what no run can be faster than
  ingest    how fast webhooks are taken, beside what the stream takes by itself
  parked    what runs that wait cost a worker
  timers    what pending timers cost the server, and how late they fire
  loop      how long a run of many iterations takes
  core      reading a long history, and deciding in a long workflow
  finished  what a run costs beside many that have finished
  answer    how long a request to an HTTP trigger waits beyond its run
  mail      how fast mails by SMTP are taken, and their runs are through
  code      what a code step costs, and its processes
  request   what http.request adds to a call
  streams   what live streams cost a console, and how late they are

Everything shares one machine, so compare ratios.`

// benchFlags are those of bench.
type benchFlags struct {
	durability, data, profile string
	runs                      int
	concurrency               []int
	length                    time.Duration
	check                     bool
	only                      []string
	sizes                     bench.Sizes
}

func benchCommand(sh *shell) *cobra.Command {
	f := &benchFlags{}
	c := sh.PrintsData(&cobra.Command{
		Use: "bench", Short: "Measure speed and memory, beside what bounds them", Long: aboutBench, Args: terminal.Args(),
		Example: "  zflow bench\n  zflow bench --only parked,loop\n  zflow bench --only speed --durability group --concurrency 64 --cpuprofile cpu.out",
		RunE:    func(c *cobra.Command, _ []string) error { return runBench(c, sh, f) },
	})
	flags := c.Flags()
	flags.StringSliceVar(&f.only, "only", bench.Scenarios(), "`what` to measure")
	terminal.Complete(c, "only", bench.Scenarios()...)
	sizesOf(flags, &f.sizes)
	flags.StringVar(&f.durability, "durability", "both", "`mode` to measure: group, always or both")
	terminal.Complete(c, "durability", bench.Group, bench.Always, "both")
	flags.IntSliceVar(&f.concurrency, "concurrency", []int{1, 16, 64, 256}, "`how many` runs at a time, one measurement each")
	flags.IntVar(&f.runs, "runs", 0, "`how many` runs each measurement has (default: as many as fit into --for)")
	flags.DurationVar(&f.length, "for", 2500*time.Millisecond, "`how long` each measurement sends")
	flags.StringVar(&f.data, "data", "", "`folder` on the disk to measure; the data goes below it, and away again (default: where temporary files go)")
	flags.StringVar(&f.profile, "cpuprofile", "", "`file` for a CPU profile of zflow at 64 runs at a time, or at the first --concurrency")
	flags.BoolVar(&f.check, "check", false, "exit 1 unless every aim is met")
	c.AddCommand(benchServeCommand(sh))
	return c
}

func sizesOf(flags *pflag.FlagSet, s *bench.Sizes) {
	flags.IntVar(&s.Parked, "parked", 10_000, "`how many` runs are parked")
	flags.IntVar(&s.Timers, "timers", 20_000, "`how many` timers are pending; the aim is about 100000")
	flags.IntVar(&s.TimersPer, "timers-per-second", 1000, "`how many` of them are due in a second")
	flags.IntVar(&s.Iterations, "iterations", 1000, "`how many` iterations the loop has")
	flags.DurationVar(&s.Latency, "latency", 20*time.Millisecond, "`how long` each of its calls takes")
	flags.IntVar(&s.Finished, "finished", 50_000, "`how many` runs have finished in the larger store; the aim is about 1000000")
	flags.IntVar(&s.Streams, "streams", 500, "`how many` streams are live on one console")
	flags.IntVar(&s.Rounds, "rounds", 7, "`how often` the stores are compared")
}

func runBench(c *cobra.Command, sh *shell, f *benchFlags) error {
	modes := map[string][]string{"both": {bench.Group, bench.Always}, bench.Group: {bench.Group}, bench.Always: {bench.Always}}[f.durability]
	switch {
	case modes == nil:
		return terminal.Misused("--durability is group, always or both, not %q", f.durability)
	case f.runs < 0 || f.length <= 0:
		return terminal.Misused("--runs and --for cannot be less than 0")
	case !f.sizes.Valid():
		return terminal.Misused("--parked, --timers, --timers-per-second, --iterations, --finished, --streams and --rounds are numbers from 1 up, and --latency no less than 0")
	}
	if err := bench.CheckScenarios(f.only); err != nil {
		return terminal.Misused("--only: %v", err)
	}
	for _, n := range f.concurrency {
		if n < 1 {
			return terminal.Misused("--concurrency is made of numbers from 1 up, not %s", strconv.Itoa(n))
		}
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	r, err := bench.Run(c.Context(), bench.Config{
		Only: f.only, Sizes: f.sizes, Program: []string{program, "bench", "serve"}, Data: f.data, Modes: modes, Concurrency: f.concurrency, Runs: f.runs,
		Length: f.length, Rate: 200, Settle: 2 * time.Second, Profile: f.profile, Progress: sh.Err, Errors: sh.Err,
	})
	if err != nil {
		return err
	}
	if sh.JSON() {
		err = sh.PrintJSON(r)
	} else {
		err = r.Print(sh.Out)
	}
	if err == nil && f.check && !(r.Sound() && r.Met()) {
		return terminal.ErrSaid
	}
	return err
}

// benchServeCommand is what bench starts again as the process under measurement.
func benchServeCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Be the process that is measured", Hidden: true, Args: terminal.Args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return bench.Serve(c.Context(), sh.In, sh.Out, logger(sh))
		},
	}
}

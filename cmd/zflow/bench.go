package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"zflow/internal/bench"
	"zflow/internal/terminal"
)

const aboutBench = `Measure zflow on this machine, in about a minute: signed webhooks come in, and each
starts a run of three HTTP calls to an API that answers at once. zflow runs in a
process of its own, in each mode of durability; beside it the null pipeline makes the
same calls and keeps nothing, and the disk and the streams are measured alone: what
no run can be faster than. Everything shares one machine, so compare ratios.`

// benchFlags are those of bench.
type benchFlags struct {
	durability, data, profile string
	runs                      int
	concurrency               []int
	length                    time.Duration
	check                     bool
}

func benchCommand(sh *shell) *cobra.Command {
	f := &benchFlags{}
	c := sh.PrintsData(&cobra.Command{
		Use: "bench", Short: "Measure speed and memory, beside what bounds them", Long: aboutBench, Args: terminal.Args(),
		Example: "  zflow bench\n  zflow bench --durability group --concurrency 64 --cpuprofile cpu.out",
		RunE:    func(c *cobra.Command, _ []string) error { return runBench(c, sh, f) },
	})
	flags := c.Flags()
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

func runBench(c *cobra.Command, sh *shell, f *benchFlags) error {
	modes := map[string][]string{"both": {bench.Group, bench.Always}, bench.Group: {bench.Group}, bench.Always: {bench.Always}}[f.durability]
	switch {
	case modes == nil:
		return terminal.Misused("--durability is group, always or both, not %q", f.durability)
	case f.runs < 0 || f.length <= 0:
		return terminal.Misused("--runs and --for cannot be less than 0")
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
		Program: []string{program, "bench", "serve"}, Data: f.data, Modes: modes, Concurrency: f.concurrency, Runs: f.runs,
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
		return errSaid
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

package main

import (
	"time"

	"zflow/internal/operator/backfill"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutBackfill = `Run a workflow over events that were recorded before: those of its triggers that match
and have no run of it yet. Each run is started like that of a new event, with the active
version. Interrupted or repeated, it starts none twice. Events that are replays of
others are left out.`

// defaultRate is how many runs are started a second where nothing is said.
const defaultRate = 50

func workflowsBackfill(sh *shell) *cobra.Command {
	b := backfill.Backfill{}
	var since time.Duration
	var until string
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "backfill NAME --since TIME", Short: "Run a workflow over events that were recorded before", Args: terminal.Args("NAME"),
		Long:              aboutBackfill,
		Example:           "  zflow workflows backfill welcome --since 7d --dry-run\n  zflow workflows backfill welcome --since 7d --until 1d --rate 5",
		ValidArgsFunction: sh.Names(terminal.WorkflowNames),
		RunE: func(c *cobra.Command, args []string) error {
			b.Workflow = args[0]
			if err := times(&b, since, until); err != nil {
				return err
			}
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			progress := sh.Progress("runs started")
			b.Progress = func(d backfill.Done) { progress(d.Started, d.Read) }
			d, err := backfill.Run(c.Context(), o, b)
			if d.Version == "" { // it did not begin
				return err
			}
			return errFirst(sh.printBackfill(d), err)
		},
	}))
	terminal.SpanVar(c.Flags(), &since, "since", "events received within this `time`, such as 7d")
	c.Flags().StringVar(&until, "until", "", "only those before this `time`: 2026-03-02T10:00:00Z, or so long ago, such as 1d")
	c.Flags().Float64Var(&b.Rate, "rate", defaultRate, "start at most so many `runs` a second; 0: as fast as it goes")
	c.Flags().BoolVar(&b.DryRun, "dry-run", false, "only say how many would be started")
	return c
}

// times reads from when to when.
func times(b *backfill.Backfill, since time.Duration, until string) error {
	now := time.Now()
	switch {
	case since == 0:
		return terminal.Misused("--since is missing: how far back, such as 7d")
	case since < 0:
		return terminal.Misused("--since cannot be less than 0")
	case b.Rate < 0 || b.Rate > 0 && b.Rate < 0.001:
		return terminal.Misused("--rate is 0, or 0.001 and more")
	}
	b.Since = now.Add(-since)
	if until == "" {
		return nil
	}
	var ago terminal.Span
	if at, err := time.Parse(time.RFC3339, until); err == nil {
		b.Until = at
	} else if ago.Set(until) == nil {
		b.Until = now.Add(-time.Duration(ago))
	} else {
		return terminal.Misused("--until is a time such as 2026-03-02T10:00:00Z, or so long ago, such as 1d, not %q", until)
	}
	if !b.Until.After(b.Since) {
		return terminal.Misused("--until lies before --since")
	}
	return nil
}

func (sh *shell) printBackfill(d backfill.Done) error {
	if sh.JSON() {
		return sh.PrintJSON(d)
	}
	what := "started"
	if d.DryRun {
		what = "would be started"
	}
	if err := sh.Print("%s of %s %s: of %s %d do not match, %d have a run already, %d are replays\n",
		terminal.Plural(int(d.Started), "run"), d.Workflow, what, terminal.Plural(int(d.Read), "event"), d.Filtered, d.Had, d.Replays); err != nil {
		return err
	}
	if d.Invalid > 0 {
		return sh.Print("of %s the trigger's if cannot be evaluated, such as %s\n", terminal.Plural(int(d.Invalid), "event"), d.Problem)
	}
	return nil
}

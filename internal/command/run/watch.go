package run

import (
	"strings"

	"zflow/internal/operator"
	"zflow/internal/operator/live"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// watchFlags are those of watch.
type watchFlags struct {
	workflows, statuses []string
	from                uint64
}

func runsWatch(sh *shell) *cobra.Command {
	f := &watchFlags{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "watch [RUN]", Short: "Follow a run until it ends, or all runs from now on", Args: cobra.ArbitraryArgs,
		Long: `Follow a run from its beginning until it has ended; without RUN all runs from
now on, or from a sequence of RUNS, until interrupted. Each line is one fact. With
--output json each line is one JSON object: what was appended to a run at one time.`,
		Example:           "  zflow runs watch\n  zflow runs watch 7k2m\n  zflow runs watch --workflow welcome --status failed",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE:              func(c *cobra.Command, args []string) error { return sh.watch(c, f, args) },
	}))
	c.Flags().StringSliceVar(&f.workflows, "workflow", nil, "only runs of this workflow (`name`); several: any of them")
	c.Flags().StringSliceVar(&f.statuses, "status", nil, "only what gives a run this `status`: "+strings.Join(operator.Statuses(), ", "))
	c.Flags().Uint64Var(&f.from, "from", 0, "begin with this `sequence` of RUNS")
	terminal.Complete(c, "status", operator.Statuses()...)
	terminal.CompleteWith(c, "workflow", sh.Names(terminal.WorkflowNames))
	return c
}

func (sh *shell) watch(c *cobra.Command, f *watchFlags, args []string) error {
	filtered := len(f.workflows)+len(f.statuses) > 0 || f.from > 0
	switch {
	case len(args) > 1:
		return terminal.Misused("there is nothing to do with the argument %q", args[1])
	case len(args) == 1 && filtered:
		return terminal.Misused("--workflow, --status and --from are for all runs: leave them or the run out")
	}
	q := live.Query{}
	var err error
	if q.Filter, err = live.Runs(f.workflows, f.statuses); err != nil {
		return terminal.Misused("%v", err)
	}
	if f.from > 0 {
		after := f.from - 1
		q.After = &after
		q.OnGap = func(g live.Gap) { sh.Say("%s", g) }
	}
	o, err := sh.Operator(c.Context())
	if err != nil {
		return err
	}
	show := func(a operator.Append) error {
		if sh.JSON() {
			return sh.PrintLine(a)
		}
		return sh.printAppend(a)
	}
	if len(args) == 1 {
		return live.Watch(c.Context(), o, args[0], show)
	}
	return live.FromError(live.WatchAll(c.Context(), o, q, show), f.from)
}

// printAppend writes a line for each fact.
func (sh *shell) printAppend(a operator.Append) error {
	for _, f := range a.Facts {
		about := f.Step
		if about != "" {
			about += ": "
		}
		if err := sh.Print("%s  %s  %s  %s%s\n", f.At.Local().Format("15:04:05.000"), terminal.Short(a.ID, 9), a.Workflow, about, f.Text); err != nil {
			return err
		}
	}
	return nil
}

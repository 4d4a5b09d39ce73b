package run

import (
	"strings"

	"zflow/internal/operator/replay"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutReplay = `Make a new run of the same workflow and event, that takes over what RUN did before a step
and does that step and all that follows. Nothing that is taken over is done again; RUN
stays as it is.

STEP is a step's path, or its id; it stands in no loop and no parallel branch. Every step
before it has completed or was skipped (or failed, where continue_on_error lets it). What
RUN did is RUN's to undo: the new run never undoes it, and nothing is taken over that was
undone, or that RUN may yet undo.`

func runsReplay(sh *shell) *cobra.Command {
	r := replay.Replay{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "replay RUN --from STEP", Short: "Run again from a step on, with what was done before it", Args: terminal.Args("RUN"),
		Long:              aboutReplay,
		Example:           "  zflow runs replay 7k2m --from notify --dry-run\n  zflow runs replay 7k2m --from notify --latest",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if r.From == "" {
				return terminal.Misused("--from is missing: the first step that is done anew")
			}
			r.Run, r.By = args[0], sh.Person()
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			m, err := replay.Run(c.Context(), o, r)
			if err != nil {
				return err
			}
			return sh.printReplay(m)
		},
	}))
	c.Flags().StringVar(&r.From, "from", "", "the first `step` that is done anew: its path or id")
	c.Flags().BoolVar(&r.Latest, "latest", false, "with the active version of the workflow")
	c.Flags().BoolVar(&r.DryRun, "dry-run", false, "only say what would be taken over")
	return c
}

func (sh *shell) printReplay(m replay.Made) error {
	if sh.JSON() {
		return sh.PrintJSON(m)
	}
	reused := "nothing"
	if len(m.Reused) > 0 {
		reused = strings.Join(m.Reused, ", ")
	}
	if m.DryRun {
		return sh.Print("a new run of %s (version %.12s) would take over %s of run %s and go on from step %s\n", m.Workflow, m.Version, reused, m.ReplayOf, m.From)
	}
	return sh.Print("run %s takes over %s of run %s and goes on from step %s\n", m.ID, reused, m.ReplayOf, m.From)
}

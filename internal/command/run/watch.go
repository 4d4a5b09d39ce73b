package run

import (
	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func runsWatch(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "watch [RUN]", Short: "Follow a run until it ends, or all runs from now on", Args: cobra.ArbitraryArgs,
		Long: `Follow a run from its beginning until it has ended; without RUN all runs from
now on, until interrupted. Each line is one fact. With --output json each line
is one JSON object: what was appended to a run at one time.`,
		Example:           "  zflow runs watch\n  zflow runs watch 7k2m",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return terminal.Misused("there is nothing to do with the argument %q", args[1])
			}
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			return o.Watch(c.Context(), append(args, "")[0], func(a operator.Append) error {
				if sh.JSON() {
					return sh.PrintLine(a)
				}
				return sh.printAppend(a)
			})
		},
	}))
}

// printAppend writes a line for each fact.
func (sh *shell) printAppend(a operator.Append) error {
	for _, f := range a.Facts {
		about := f.Step
		if about != "" {
			about += ": "
		}
		if err := sh.Print("%s  %s  %s  %s%s\n", f.At.Local().Format("15:04:05.000"), terminal.Short(a.Run, 9), a.Workflow, about, f.Text); err != nil {
			return err
		}
	}
	return nil
}

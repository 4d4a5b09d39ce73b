package run

import (
	"fmt"

	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func runsVerify(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "verify [RUN]", Short: "Check that nothing of a history, or of any, is missing or was altered", Args: terminal.SomeArgs(0, 1, "RUN"),
		Long: `Check that nothing of a run's history, or of any run's, is missing or was altered, and
report the first bad append of each that is damaged. Runs whose first facts RUNS has
dropped for their age are told apart: nothing was altered. Exits 1 if any is damaged.`,
		Example:           "  zflow runs verify\n  zflow runs verify 7k2m",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			var v operator.Verified
			if len(args) == 1 {
				v, err = o.VerifyRun(c.Context(), args[0])
			} else {
				v, err = o.Verify(c.Context(), sh.Progress("appends checked"))
			}
			if err != nil {
				return err
			}
			if err := sh.printVerified(v); err != nil {
				return err
			}
			if len(v.Damaged) > 0 {
				return terminal.ErrSaid
			}
			return nil
		},
	}))
}

func (sh *shell) printVerified(v operator.Verified) error {
	if sh.JSON() {
		return sh.PrintJSON(v)
	}
	for _, d := range v.Damaged {
		if err := sh.Print("%s  run %s of %s: message %d of RUNS: %s\n", sh.Paint("damaged"), d.Run, d.Workflow, d.Sequence, d.Why); err != nil {
			return err
		}
	}
	for _, d := range v.Aged {
		if err := sh.Print("%s  run %s of %s begins with append %d: what was before is older than RUNS keeps it\n", sh.Paint("aged"), d.Run, d.Workflow, d.Number); err != nil {
			return err
		}
	}
	verdict := sh.Paint("ok")
	if n := len(v.Damaged); n > 0 {
		verdict = fmt.Sprintf("%d damaged", n)
	}
	return sh.Print("%s: %s of %s checked\n", verdict, terminal.Plural(int(v.Appends), "append"), terminal.Plural(int(v.Runs), "run"))
}

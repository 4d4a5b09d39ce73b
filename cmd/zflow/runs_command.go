package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// person is who gives an order, as the history will say.
func (sh *shell) person() string { return cmp.Or(cmp.Or(sh.Env("USER"), sh.Env("LOGNAME")), "cli") }

func runsCancel(sh *shell) *cobra.Command {
	var reason string
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "cancel RUN", Short: "End a run; a call under way is not waited for", Args: terminal.Args("RUN"),
		Example:           "  zflow runs cancel 7k2m --reason 'the class was moved'",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			r, err := o.Cancel(c.Context(), args[0], sh.person(), reason)
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(r)
			}
			return sh.Print("cancel is in the history of run %s, now %s\n", r.ID, sh.Paint(r.Status))
		},
	}))
	c.Flags().StringVar(&reason, "reason", "", "`why`, for the history")
	return c
}

func runsApprove(sh *shell) *cobra.Command {
	a := operator.Approval{}
	var output string
	c := sh.AsksServer(&cobra.Command{
		Use: "approve RUN STEP", Short: "Say what an attempt did whose outcome is unknown", Args: terminal.Args("RUN", "STEP"),
		Long: `Say what an attempt did whose outcome is unknown, so that its run goes on:
  retry  it did not happen: try again
  done   it happened: go on (--output is what the step's output shall be)
  fail   the step failed`,
		Example:           "  zflow runs approve 7k2m invite --choice retry\n  zflow runs approve 7k2m invite --choice done --output '{\"id\": 123}'",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			a.Run, a.Step, a.By = args[0], args[1], sh.person()
			if err := checkApproval(a.Choice, output); err != nil {
				return err
			}
			a.Output = json.RawMessage(output)
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			r, err := o.Approve(c.Context(), a)
			if err != nil {
				return err
			}
			return sh.Print("run %s goes on: %s for step %s, now %s\n", r.ID, a.Choice, a.Step, sh.Paint(r.Status))
		},
	})
	// Here --output is the step's, so the command prints text only.
	c.Flags().StringVar(&output, "output", "", "with done: the step's output, as `JSON`")
	c.Flags().StringVar(&a.Choice, "choice", "", "retry, done or fail (`word`)")
	c.Flags().StringVar(&a.Comment, "comment", "", "`text` for the history")
	terminal.Complete(c, "choice", operator.Choices()...)
	return c
}

func checkApproval(choice, output string) error {
	switch {
	case choice == "":
		return terminal.Misused("--choice is missing: %s", strings.Join(operator.Choices(), ", "))
	case !slices.Contains(operator.Choices(), choice):
		return terminal.Misused("--choice is one of %s, not %q%s", strings.Join(operator.Choices(), ", "), choice, terminal.DidYouMean(choice, operator.Choices()))
	case output != "" && !json.Valid([]byte(output)):
		return terminal.Misused("--output is the step's output, and no JSON")
	case output != "" && choice != "done":
		return terminal.Misused("--output goes with --choice done")
	}
	return nil
}

package run

import (
	"encoding/json"
	"strings"

	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutApprove = `Answer a step that asks a person, so that its run goes on.

An approval: --choice is one of its choices, --field or --data what it asks for.

An attempt of unknown outcome:
  retry  it did not happen: try again
  done   it happened: go on (--output is what the step's output shall be)
  fail   the step failed`

// answer is what approve was given.
type answer struct {
	operator.Approval
	fields       []string
	data, output string
}

func runsApprove(sh *shell) *cobra.Command {
	a := answer{}
	c := sh.AsksServer(&cobra.Command{
		Use: "approve RUN STEP", Short: "Answer an approval, or say what an attempt of unknown outcome did", Args: terminal.Args("RUN", "STEP"),
		Long: aboutApprove,
		Example: "  zflow runs approve 7k2m budget --choice approved --field amount=1200\n" +
			"  zflow runs approve 7k2m invite --choice done --output '{\"id\": 123}'",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			a.Run, a.Step, a.By = args[0], args[1], sh.Person()
			if err := a.read(); err != nil {
				return err
			}
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			r, err := o.Approve(c.Context(), a.Approval)
			if err != nil {
				return err
			}
			return sh.Print("run %s goes on: %s for step %s, now %s\n", r.ID, a.Choice, a.Step, sh.Paint(r.Status))
		},
	})
	// Here --output is the step's, so the command prints text only.
	c.Flags().StringVar(&a.output, "output", "", "with done: the step's output, as `JSON`")
	c.Flags().StringVar(&a.Choice, "choice", "", "one of the approval's; of an unknown outcome retry, done or fail (`word`)")
	c.Flags().StringVar(&a.Comment, "comment", "", "`text` for the history")
	c.Flags().StringArrayVar(&a.fields, "field", nil, "an answer to what it asks: `NAME=VALUE`; again for more")
	c.Flags().StringVar(&a.data, "data", "", "all answers, as `JSON`")
	terminal.Complete(c, "choice", append([]string{"approved", "rejected"}, operator.Choices()...)...)
	return c
}

// read makes an approval of the flags.
func (a *answer) read() error {
	switch {
	case a.Choice == "":
		return terminal.Misused("--choice is missing: approved or rejected, or what else the approval offers; of an unknown outcome %s", strings.Join(operator.Choices(), ", "))
	case a.output != "" && !json.Valid([]byte(a.output)):
		return terminal.Misused("--output is the step's output, and no JSON")
	case a.data != "" && !json.Valid([]byte(a.data)):
		return terminal.Misused("--data is no JSON")
	case a.output != "" && a.Choice != "done":
		return terminal.Misused("--output goes with --choice done")
	case a.output != "" && a.data != "":
		return terminal.Misused("--output and --data are one too many")
	}
	a.Data, a.Fields = json.RawMessage(a.output+a.data), map[string]string{}
	for _, text := range a.fields {
		name, value, ok := strings.Cut(text, "=")
		if _, twice := a.Fields[name]; !ok || name == "" || twice {
			return terminal.Misused("--field is NAME=VALUE, each name once, not %q", text)
		}
		a.Fields[name] = value
	}
	return nil
}

package run

import (
	"zflow/internal/flowtest/record"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutRecord = `Write a test that plays a run again: WORKFLOW_test.yaml, the bodies of its events in
fixtures/, and the run's version of the workflow beside them, in DIR. The test states the
event, what each call brought, what came later (events, signals, answers, cancel) and when,
and expects the run's status, output and calls.

The test is played at once; what goes otherwise than in the run is said, and the exit code
is 1. Credentials are written as ••••. Files that are there are left as they are, unless
--force is given.`

func runsRecord(sh *shell) *cobra.Command {
	order := record.RunOrder{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "record RUN --to DIR", Short: "Write a test that plays a run again", Args: terminal.Args("RUN"),
		Long:              aboutRecord,
		Example:           "  zflow runs record 7k2m --to workflows\n  zflow test workflows",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if order.To == "" {
				return terminal.Misused("--to is missing: the folder of the workflow and its test")
			}
			order.Run = args[0]
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			m, err := record.Run(c.Context(), o, order)
			if err != nil {
				return err
			}
			if err := m.Play(c.Context(), sh.Err); err != nil {
				return err
			}
			return sh.printRecorded(m)
		},
	}))
	c.Flags().StringVar(&order.To, "to", "", "the `folder` of the workflow and its test")
	c.Flags().BoolVar(&order.Force, "force", false, "replace files that are there")
	return c
}

func (sh *shell) printRecorded(m *record.RunMade) error {
	if sh.JSON() {
		if err := sh.PrintJSON(m); err != nil {
			return err
		}
	} else if err := sh.tellRecorded(m); err != nil {
		return err
	}
	if !m.Passed {
		return terminal.ErrSaid
	}
	return nil
}

func (sh *shell) tellRecorded(m *record.RunMade) error {
	text := ""
	for _, f := range m.Files {
		text += f + "\n"
	}
	for _, n := range m.Notes {
		text += "note: " + n + "\n"
	}
	if m.Passed {
		return sh.Print("%s%s: the test goes as run %s went\n", text, sh.Paint("ok"), m.ID)
	}
	text += "the test does not go as run " + m.ID + " went:\n"
	for _, d := range m.Differs {
		text += "  " + d + "\n"
	}
	return sh.Print("%s", text)
}

package event

import (
	"zflow/internal/flowtest/record"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutRecord = `Write the body of an event as a fixture, DIR/fixtures/TYPE.json, and print the lines that
name it in a test file in DIR. The event is named by its id or by its sequence in EVENTS;
--type takes the newest of a type.

Credentials are written as ••••. A file that is there is left as it is, unless --force is
given.`

func eventsRecord(sh *shell) *cobra.Command {
	order := record.EventOrder{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "record [ID|SEQ] --to DIR", Short: "Write an event's body as a fixture for tests", Args: terminal.SomeArgs(0, 1, "ID or SEQ"),
		Long:              aboutRecord,
		Example:           "  zflow events record 17 --to workflows\n  zflow events record --type meeting.ended --to workflows",
		ValidArgsFunction: sh.Names(eventIDs),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && order.Type != "":
				return terminal.Misused("either an event, or --type for the newest of a type")
			case len(args) == 0 && order.Type == "":
				return terminal.Misused("which event? its ID or SEQ, or --type for the newest of a type")
			case order.To == "":
				return terminal.Misused("--to is missing: the folder of the test")
			}
			order.Event = append(args, "")[0]
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			m, err := record.Event(c.Context(), o, order)
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(m)
			}
			sh.Say("event %s is in %s", m.ID, m.Files[0])
			return sh.Print("%s\n", m.Stanza)
		},
	}))
	c.Flags().StringVar(&order.Type, "type", "", "the newest of this `type`, or pattern such as 'meeting.*'")
	c.Flags().StringVar(&order.To, "to", "", "the `folder` of the test")
	c.Flags().BoolVar(&order.Force, "force", false, "replace a file that is there")
	terminal.CompleteWith(c, "type", eventTypes)
	return c
}

package event

import (
	"encoding/json"

	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func eventsReplay(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "replay ID|SEQ", Short: "Store an event once more, so that it starts new runs", Args: terminal.Args("ID or SEQ"),
		Long: `Store an event once more, as a new event that starts a new run of each workflow
that wants it. What the first runs did is done again.`,
		Example:           "  zflow events replay 17",
		ValidArgsFunction: sh.Names(eventIDs),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			p, err := o.Replay(c.Context(), args[0])
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(p)
			}
			return sh.Print("ok: stored as %s, seq %d\n", p.ID, p.Sequence)
		},
	}))
}

func eventsPublish(sh *shell) *cobra.Command {
	var data, key string
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "publish TYPE --data JSON", Short: "Publish an event of an application of yours", Args: terminal.Args("TYPE"),
		Long: `Publish an event of an application of yours, on zflow.event.app._.TYPE.

Two of one type and --key are one event: publishing again after an error is safe.`,
		Example: `  zflow events publish order.paid --data '{"order": 7}' --key 7`,
		RunE: func(c *cobra.Command, args []string) error {
			if !json.Valid([]byte(data)) {
				return terminal.Misused("--data is missing, or no JSON")
			}
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			p, err := o.Publish(c.Context(), args[0], key, []byte(data))
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(p)
			}
			if p.Duplicate {
				return sh.Print("ok: it was stored before as %s, seq %d\n", p.ID, p.Sequence)
			}
			return sh.Print("ok: stored as %s, seq %d\n", p.ID, p.Sequence)
		},
	}))
	c.Flags().StringVar(&data, "data", "", "the event's body, as `JSON`")
	c.Flags().StringVar(&key, "key", "", "what makes it this event (`text`); none: each time a new one")
	return c
}

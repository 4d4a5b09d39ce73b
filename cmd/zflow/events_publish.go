package main

import (
	"encoding/json"

	"github.com/spf13/cobra"
)

func eventsReplay(sh *shell) *cobra.Command {
	return sh.printsData(sh.asksServer(&cobra.Command{
		Use: "replay ID|SEQ", Short: "Store an event once more, so that it starts new runs", Args: args("ID or SEQ"),
		Long: `Store an event once more, as a new event that starts a new run of each workflow
that wants it. What the first runs did is done again.`,
		Example:           "  zflow events replay 17",
		ValidArgsFunction: sh.names(eventIDs),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.operator(c.Context())
			if err != nil {
				return err
			}
			p, err := o.Replay(c.Context(), args[0])
			if err != nil {
				return err
			}
			if sh.json() {
				return sh.printJSON(p)
			}
			return sh.print("ok: stored as %s, seq %d\n", p.ID, p.Sequence)
		},
	}))
}

func eventsPublish(sh *shell) *cobra.Command {
	var data, key string
	c := sh.printsData(sh.asksServer(&cobra.Command{
		Use: "publish TYPE --data JSON", Short: "Publish an event of an application of yours", Args: args("TYPE"),
		Long: `Publish an event of an application of yours, on zflow.event.app._.TYPE.

Two of one type and --key are one event: publishing again after an error is safe.`,
		Example: `  zflow events publish order.paid --data '{"order": 7}' --key 7`,
		RunE: func(c *cobra.Command, args []string) error {
			if !json.Valid([]byte(data)) {
				return misused("--data is missing, or no JSON")
			}
			o, err := sh.operator(c.Context())
			if err != nil {
				return err
			}
			p, err := o.Publish(c.Context(), args[0], key, []byte(data))
			if err != nil {
				return err
			}
			if sh.json() {
				return sh.printJSON(p)
			}
			if p.Duplicate {
				return sh.print("ok: it was stored before as %s, seq %d\n", p.ID, p.Sequence)
			}
			return sh.print("ok: stored as %s, seq %d\n", p.ID, p.Sequence)
		},
	}))
	c.Flags().StringVar(&data, "data", "", "the event's body, as `JSON`")
	c.Flags().StringVar(&key, "key", "", "what makes it this event (`text`); none: each time a new one")
	return c
}

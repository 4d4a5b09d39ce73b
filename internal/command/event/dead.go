package event

import (
	"time"

	"zflow/internal/operator/deadletter"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func eventsDead(sh *shell) *cobra.Command {
	var since time.Duration
	q := deadletter.Query{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "dead", Short: "List events that came to nothing, and why", Args: terminal.Args(),
		Long: `List events that came to nothing, the newest first: the run failed before its first step
began (trigger, definition, engine), was given up because its workers were lost again and
again (poison), or was refused a start (refused). When the reason is mended,
zflow events replay EVENT runs one anew.`,
		Example: "  zflow events dead --since 1d\n  zflow events dead --output json | jq -r '.[].event_id'",
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if q.Since, err = terminal.SinceTime(since, q.Limit); err != nil {
				return err
			}
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			all, err := deadletter.List(c.Context(), o, q)
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(all)
			}
			t := sh.Table("EVENT", "TYPE", "WORKFLOW", "RUN", "REASON", "AT", "WHY")
			for _, l := range all {
				t.Add(l.EventID, l.EventType, l.Workflow, l.Run, l.Reason, terminal.Clock(l.At), terminal.Short(l.Why, 100))
			}
			return t.Print(sh.Out)
		},
	}))
	c.Flags().StringVar(&q.Workflow, "workflow", "", "only those of this workflow (`name`)")
	terminal.SpanVar(c.Flags(), &since, "since", "only those that ended within this `time`, such as 7d")
	c.Flags().IntVar(&q.Limit, "limit", terminal.DefaultLimit, "at most so many `events`; 0: all")
	terminal.CompleteWith(c, "workflow", sh.Names(terminal.WorkflowNames))
	return c
}

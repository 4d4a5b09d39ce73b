package event

import (
	"context"
	"time"

	"zflow/internal/operator"
	"zflow/internal/operator/live"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// tailFlags are those of tail.
type tailFlags struct {
	types    []string
	workflow string
	since    time.Duration
	from     uint64
}

func eventsTail(sh *shell) *cobra.Command {
	f := &tailFlags{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "tail", Short: "Follow events from now on, or from a time ago, until interrupted", Args: terminal.Args(),
		Long: `Follow events from now on, from a time ago, or from a sequence of EVENTS, until
interrupted. With --output json each line is one JSON object, with the body.
docs/streams.md tells this and the console's stream from a NATS subscription.`,
		Example: "  zflow events tail --type 'recording.*' --type meeting.ended\n  zflow events tail --workflow welcome --since 10m\n  zflow events tail --from 1 --output json",
		RunE:    func(c *cobra.Command, _ []string) error { return sh.tail(c, f) },
	}))
	c.Flags().StringSliceVar(&f.types, "type", nil, "only this `type`, or pattern such as 'meeting.*'; several: any of them")
	c.Flags().StringVar(&f.workflow, "workflow", "", "only events of the types that start this workflow (`name`)")
	terminal.SpanVar(c.Flags(), &f.since, "since", "begin so long ago (`time`), such as 10m")
	c.Flags().Uint64Var(&f.from, "from", 0, "begin with this `sequence` of EVENTS")
	terminal.CompleteWith(c, "type", eventTypes)
	terminal.CompleteWith(c, "workflow", sh.Names(terminal.WorkflowNames))
	return c
}

func (sh *shell) tail(c *cobra.Command, f *tailFlags) error {
	since, err := terminal.SinceTime(f.since, 0)
	if err != nil {
		return err
	}
	if f.from > 0 && !since.IsZero() {
		return terminal.Misused("--since and --from both say where to begin: leave one out")
	}
	o, err := sh.Operator(c.Context())
	if err != nil {
		return err
	}
	q := live.Query{Since: since}
	if f.from > 0 {
		after := f.from - 1
		q.After = &after
		q.OnGap = func(g live.Gap) { sh.Say("%s", g) }
	}
	if q.Filter, err = filterOf(c.Context(), o, f); err != nil {
		return err
	}
	err = live.Tail(c.Context(), o, q, func(e operator.Received) error {
		if sh.JSON() {
			return sh.PrintLine(e)
		}
		return sh.Print("%s  %d  %s  %s  %s  %s\n", terminal.Clock(e.ReceivedAt), e.Sequence, e.ID, e.Type, e.Source, e.Subject)
	})
	return live.FromError(err, f.from)
}

func filterOf(ctx context.Context, o *operator.Operator, f *tailFlags) (live.Filter, error) {
	if f.workflow == "" {
		return live.Events(f.types, nil)
	}
	triggers, err := live.Triggers(ctx, o, f.workflow)
	if err != nil {
		return live.Filter{}, err
	}
	return live.Events(f.types, triggers)
}

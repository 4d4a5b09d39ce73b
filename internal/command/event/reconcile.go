package event

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"zflow/internal/app/feeds"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func eventsReconcile(sh *shell) *cobra.Command {
	var since time.Duration
	q := feeds.Request{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "reconcile", Short: "Compare events with what Zoom sent, and put in what is missing", Args: terminal.Args(),
		Long: `Compare the events held with Zoom's log of webhooks (the last 7 days) and, with --lists,
with its lists of meetings, recordings, users and webinars. What is missing is put in and
starts workflows as if it had just come in. A worker does it, with the grant of the
connection that zoom.apps of its configuration names for the app; there it can also be
done on a schedule (reconcile: 1h).

Exits 1 where something could not be compared.`,
		Example: "  zflow events reconcile --since 24h\n  zflow events reconcile --app default --since 7d --lists recordings --dry-run",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if since <= 0 {
				return terminal.Misused("--since must be more than 0, such as 24h")
			}
			if q.Since, err = terminal.SinceTime(since, 0); err != nil {
				return err
			}
			return sh.reconcile(c, q)
		},
	}))
	c.Flags().StringVar(&q.App, "app", "", "only this `app`")
	terminal.SpanVar(c.Flags(), &since, "since", "compare what happened within this `time`, at most 7d")
	c.Flags().StringSliceVar(&q.Lists, "lists", nil, "compare these `lists` too: meetings, recordings, users, webinars")
	c.Flags().BoolVar(&q.DryRun, "dry-run", false, "only tell what is missing")
	return c
}

func (sh *shell) reconcile(c *cobra.Command, q feeds.Request) error {
	client, err := sh.Open(c.Context())
	if err != nil {
		return err
	}
	all, err := feeds.Reconcile(c.Context(), client.NC, q)
	if err != nil {
		return err
	}
	problems := 0
	if sh.JSON() {
		err = sh.PrintJSON(all)
	}
	for _, r := range all {
		problems += len(r.Problems)
		if sh.JSON() || err != nil {
			continue
		}
		verb := "put in"
		if q.DryRun {
			verb = "missing"
		}
		err = sh.Print("%s: Zoom sent %d events since %s, %d were held, %d %s\n", r.App, r.Sent, terminal.Clock(r.From), r.Held, r.Injected, verb)
		for _, kind := range slices.Sorted(maps.Keys(r.Types)) {
			if n := r.Types[kind]; n.Sent > n.Held && err == nil {
				err = sh.Print("  %s: %d of %d\n", kind, n.Sent-n.Held, n.Sent)
			}
		}
		for _, p := range r.Problems {
			if err == nil {
				err = sh.Print("  not compared: %s\n", p)
			}
		}
	}
	if err == nil && problems > 0 {
		return fmt.Errorf("%d of what was asked for could not be compared", problems)
	}
	return err
}

// Package zoom is `zflow zoom`: what is set up at Zoom for the deployed workflows.
package zoom

import (
	"cmp"
	"fmt"
	"strings"

	"zflow/internal/app/feeds"
	"zflow/internal/terminal"
	"zflow/sources/zoom/subscription"

	"github.com/spf13/cobra"
)

// shell is the terminal, and what these commands print on it.
type shell struct{ *terminal.Shell }

// Commands returns the command zoom with those below it.
func Commands(sh *terminal.Shell) *cobra.Command {
	s := &shell{sh}
	return terminal.Group("zoom", "Set up at Zoom what deployed workflows need",
		terminal.Group("subscriptions", "Keep the apps' event subscriptions what deployed workflows need", s.plan(), s.apply()))
}

const aboutSubscriptions = `Of all deployed workflows the event types that start them or that they wait for are
compared with the event subscriptions that the apps of zoom.apps have at Zoom. Those
made in the portal stay as they are, and what they bring is not asked for again.
The endpoint is public_url + /hooks/zoom/APP. A worker does it, in the app's own name.

Exits 1 where something cannot be done: scopes that must be added in Zoom's
Marketplace are named with the event types that need them.`

func (sh *shell) plan() *cobra.Command {
	q := feeds.SubscriptionRequest{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "plan", Short: "Show what would be created, changed and removed", Args: terminal.Args(), Long: aboutSubscriptions,
		Example: "  zflow zoom subscriptions plan\n  zflow zoom subscriptions plan --app default --prune --output json",
		RunE:    func(c *cobra.Command, _ []string) error { return sh.run(c, q) },
	}))
	flags(c, &q)
	return c
}

func (sh *shell) apply() *cobra.Command {
	q, yes := feeds.SubscriptionRequest{}, false
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "apply", Short: "Create, change and remove event subscriptions as planned", Args: terminal.Args(),
		Long: aboutSubscriptions + `

Zoom lets nobody change the events of a subscription: one that must change is made
anew, then the old one is deleted, so that nothing is missed. Without --yes it only
shows the plan.`,
		Example: "  zflow zoom subscriptions apply --yes",
		RunE: func(c *cobra.Command, _ []string) error {
			q.Apply = yes
			err := sh.run(c, q)
			if !yes && err == nil {
				sh.Say("nothing was changed: say --yes to go ahead")
			}
			return err
		},
	}))
	flags(c, &q)
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return c
}

func flags(c *cobra.Command, q *feeds.SubscriptionRequest) {
	c.Flags().StringVar(&q.App, "app", "", "only this `app`")
	c.Flags().BoolVar(&q.Prune, "prune", false, "take away what no deployed workflow needs")
}

func (sh *shell) run(c *cobra.Command, q feeds.SubscriptionRequest) error {
	client, err := sh.Open(c.Context())
	if err != nil {
		return err
	}
	all, err := feeds.Subscriptions(c.Context(), client.NC, q)
	if err != nil {
		return err
	}
	if sh.JSON() {
		err = sh.PrintJSON(all)
	}
	undone := 0
	for _, r := range all {
		undone += len(r.Problems) + len(r.Missing())
		if err == nil && !sh.JSON() {
			err = sh.Print("%s", text(r))
		}
	}
	if err == nil && undone > 0 {
		return fmt.Errorf("%s to look after", terminal.Plural(undone, "thing"))
	}
	return err
}

// text is a report for people.
func text(r subscription.Report) string {
	b := &strings.Builder{}
	line := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	line("%s  %s", r.App, cmp.Or(r.URL, "(no public_url)"))
	for _, c := range r.Changes {
		changed(line, c, r.Applied)
	}
	if len(r.Changes) == 0 && len(r.Problems) == 0 {
		line("  nothing to change, %s needed", terminal.Plural(r.Needed, "event type"))
	}
	by := map[string][]string{}
	var names []string
	for _, c := range r.Covered {
		if by[c.By] == nil {
			names = append(names, c.By)
		}
		by[c.By] = append(by[c.By], c.Type)
	}
	for _, name := range names {
		line("  from the portal's subscription %q, which stays as it is: %s", name, strings.Join(by[name], ", "))
	}
	if len(r.Unneeded) > 0 {
		line("  no workflow needs %s: --prune takes them away", strings.Join(r.Unneeded, ", "))
	}
	for _, l := range r.Lacking {
		line("  %s", lack(l))
	}
	for _, n := range r.Notes {
		line("  note: %s", n)
	}
	for _, p := range r.Problems {
		line("  not done: %s", p)
	}
	return b.String()
}

func changed(line func(string, ...any), c subscription.Change, applied bool) {
	verb := func(will, did string) string {
		switch {
		case !applied:
			return will
		case c.Done:
			return did
		}
		return "not " + did
	}
	about := " in account " + c.Account
	switch {
	case c.Do == subscription.Create && len(c.Replaces) == 0:
		line("  %s a subscription%s of %s", verb("create", "created"), about, terminal.Plural(len(c.Events), "event type"))
	case c.Do == subscription.Create:
		line("  %s %s%s by one of %s", verb("replace", "replaced"), strings.Join(c.Replaces, ", "), about, terminal.Plural(len(c.Events), "event type"))
	case c.Do == subscription.Users && len(c.Replaces) == 0:
		line("  %s the users of %s%s", verb("change", "changed"), c.ID, about)
	default:
		line("  %s %s%s", verb("remove", "removed"), strings.Join(c.Replaces, ", "), about)
	}
	each(line, "+", c.Added)
	each(line, "-", c.Removed)
	each(line, "+ user", c.Join)
	each(line, "- user", c.Leave)
}

func each(line func(string, ...any), sign string, all []string) {
	for _, one := range all {
		line("    %s %s", sign, one)
	}
}

func lack(l subscription.Lacking) string {
	scopes := "nobody knows which scope"
	if len(l.AnyOf) > 0 {
		scopes = "the scope " + strings.Join(l.AnyOf, " or ")
	}
	if l.Said {
		return fmt.Sprintf("Zoom does not allow the app %s (for %s): add %s in the portal", l.Type, strings.Join(l.For, ", "), scopes)
	}
	return fmt.Sprintf("%s (for %s) seems not to be allowed: it needs %s in the portal", l.Type, strings.Join(l.For, ", "), scopes)
}

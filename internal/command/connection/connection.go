// Package connection is `zflow connect` and `zflow connections`: connect Zoom
// accounts and other services, list, show, test, revoke and delete connections.
package connection

import (
	"context"
	"strings"
	"time"

	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/connections/service"
	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// shell is the terminal, and what these commands print on it.
type shell struct{ *terminal.Shell }

// Commands returns the command connections with those below it.
func Commands(t *terminal.Shell) *cobra.Command {
	sh := &shell{t}
	return terminal.Group("connections", "List, show, test, revoke and delete connections to Zoom and other services",
		sh.list(), sh.show(), sh.test(), sh.revoke(), sh.erase(), sh.forget())
}

// desk is where connections are asked for.
func (sh *shell) desk(ctx context.Context) (*desk.Client, error) {
	client, err := sh.Open(ctx)
	if err != nil {
		return nil, err
	}
	return desk.NewClient(client.NC), nil
}

// names completes the names of connections.
func (sh *shell) names() terminal.Completer {
	return sh.Names(func(ctx context.Context, o *operator.Operator) ([]string, error) {
		all, err := desk.NewClient(o.NC).List(ctx)
		names := make([]string, 0, len(all))
		for _, r := range all {
			names = append(names, r.Name+"\t"+r.Kind+", "+r.State)
		}
		return names, err
	})
}

func (sh *shell) list() *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "list", Short: "List the connections", Args: terminal.Args(),
		Example: "  zflow connections list\n  zflow connections list --output json | jq '.[] | select(.state != \"connected\")'",
		RunE: func(c *cobra.Command, _ []string) error {
			d, err := sh.desk(c.Context())
			if err != nil {
				return err
			}
			all, err := d.List(c.Context())
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(all)
			}
			t := sh.Table("NAME", "KIND", "STATE", "ACCOUNT OR SERVICE", "SCOPES", "CONNECTED", "ERROR")
			for _, r := range all {
				t.Add(r.Name, r.Kind, r.State, side(r), scopes(r), since(r), terminal.Short(operator.Line(r.Error), 60))
			}
			return t.Print(sh.Out)
		},
	}))
}

// side is whom a connection is to.
func side(r connections.Record) string {
	if r.Service != nil {
		return r.Service.Name()
	}
	return r.Account
}

func scopes(r connections.Record) string {
	if len(r.Scopes) == 0 {
		return "-"
	}
	return terminal.Plural(len(r.Scopes), "scope")
}

func since(r connections.Record) string {
	if r.Configured {
		return "by the configuration"
	}
	return terminal.Clock(r.Connected)
}

func (sh *shell) show() *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "show NAME", Short: "Show a connection: its state, account, scopes and times", Args: terminal.Args("NAME"),
		Example: "  zflow connections show school", ValidArgsFunction: sh.names(),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := sh.desk(c.Context())
			if err != nil {
				return err
			}
			r, err := d.Show(c.Context(), args[0])
			if err != nil {
				return err
			}
			return sh.print(r)
		},
	}))
}

// print shows one connection.
func (sh *shell) print(r connections.Record) error {
	if sh.JSON() {
		return sh.PrintJSON(r)
	}
	t := sh.Plain()
	for _, row := range append([][2]string{
		{"name", r.Name}, {"kind", r.Kind}, {"state", r.State}, {"account", r.Account}, {"user", r.User}, {"client id", r.ClientID},
		{"oauth", r.OAuth}, {"api", r.API}, {"region", r.Region}, {"error", operator.Line(r.Error)},
		{"connected", clock(r.Connected)}, {"refreshed", clock(r.Refreshed)}, {"token until", clock(r.Expires)}, {"ended", clock(r.Ended)},
		{"scopes", strings.Join(r.Scopes, "\n             ")},
	}, serviceRows(r.Service)...) {
		if row[1] != "" {
			t.Add(row[0], row[1])
		}
	}
	return t.Print(sh.Out)
}

// serviceRows are those of another service than Zoom.
func serviceRows(s *service.Service) [][2]string {
	if s == nil {
		return nil
	}
	rows := [][2]string{{"preset", s.Preset}, {"hosts", strings.Join(s.Hosts, ", ")}, {"auth", s.Auth}, {"field", s.Field}, {"prefix", s.Prefix}, {"username", s.User},
		{"test", s.TestURL}}
	if o := s.OAuth; o != nil {
		rows = append(rows, [2]string{"grant", o.Grant}, [2]string{"authorize", o.AuthorizeURL}, [2]string{"token from", o.TokenURL}, [2]string{"revoke", o.RevokeURL},
			[2]string{"audience", o.Audience})
	}
	return rows
}

func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return terminal.Clock(t)
}

func (sh *shell) test() *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "test NAME", Short: "Get a token with a connection, where it needs one, and make a call that only reads", Args: terminal.Args("NAME"),
		Example: "  zflow connections test school", ValidArgsFunction: sh.names(),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := sh.desk(c.Context())
			if err != nil {
				return err
			}
			found, err := d.Test(c.Context(), args[0])
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(found)
			}
			if found.Found != "" {
				return sh.Print("ok: %s: %s\n", args[0], operator.Line(found.Found))
			}
			if found.Said != "" {
				return sh.Print("ok: %s has a token; the call that was tried is not one it may make: %s\n", args[0], operator.Line(found.Said))
			}
			return sh.Print("ok: %s has a token, and Zoom answers\n", args[0])
		},
	}))
}

func (sh *shell) revoke() *cobra.Command {
	return sh.ends(&cobra.Command{
		Use: "revoke NAME", Short: "End a connection, here and at the other side",
		Long: `End a connection: its grant is deleted, here and at Zoom, or at another service where
its address for that is known. Runs that need it fail at
once. Its record stays: connect it again, and zflow runs retry goes on.`,
		Example: "  zflow connections revoke school --yes",
	}, "revoked", (*desk.Client).Revoke)
}

func (sh *shell) erase() *cobra.Command {
	return sh.ends(&cobra.Command{
		Use: "delete NAME", Short: "Revoke a connection, and delete its record too",
		Long:    "Revoke a connection, and delete its record too. What its account's events brought stays: see zflow connections forget.",
		Example: "  zflow connections delete school --yes",
	}, "deleted", (*desk.Client).Delete)
}

const aboutForget = `Delete what is stored of the account of a connection: its whole events, and the whole
runs that they started, with their large values and timers. Runs that are open are
canceled first. Nothing of it can be had back.

The connection itself stays; see zflow connections delete. When an account removes
the app at Zoom, the same is done by itself after zoom.forget_after.`

func (sh *shell) forget() *cobra.Command {
	yes, f := false, desk.Forget{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "forget [NAME]", Short: "Delete all events and runs of a connection's account", Long: aboutForget, Args: terminal.SomeArgs(0, 1, "NAME"),
		Example: "  zflow connections forget school --yes\n  zflow connections forget --account-id abc --yes", ValidArgsFunction: sh.names(),
		RunE: func(c *cobra.Command, args []string) error {
			f.Name = strings.Join(args, "")
			switch {
			case (f.Name == "") == (f.Account == ""):
				return terminal.Misused("name a connection, or give --account-id")
			case !yes:
				return terminal.Misused("its events and runs will be gone for good: say --yes to go ahead")
			}
			return sh.forgetAll(c.Context(), f)
		},
	}))
	c.Flags().StringVar(&f.Account, "account-id", "", "`id` of the account, where no connection of it is left")
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return c
}

// forgetAll asks until the runs that were open have ended.
func (sh *shell) forgetAll(ctx context.Context, f desk.Forget) error {
	d, err := sh.desk(ctx)
	if err != nil {
		return err
	}
	for {
		o, err := d.Forget(ctx, f)
		if err != nil {
			return err
		}
		if o.Done.IsZero() {
			sh.Say("%s not ended yet; the workers carry on should this be interrupted", terminal.Plural(int(o.Open), "run"))
			if err := pause(ctx, 2*time.Second); err != nil {
				return ctx.Err()
			}
			continue
		}
		if sh.JSON() {
			return sh.PrintJSON(o)
		}
		return sh.Print("account %s: %s and %s deleted, %s\n", o.Account, terminal.Plural(int(o.Events), "event"), terminal.Plural(int(o.Runs), "run"), terminal.Plural(int(o.Values), "large value"))
	}
}

// ends makes a command of one that ends a connection.
func (sh *shell) ends(c *cobra.Command, done string, do func(*desk.Client, context.Context, string) (desk.Ended, error)) *cobra.Command {
	yes := false
	c.Args, c.ValidArgsFunction = terminal.Args("NAME"), sh.names()
	c.RunE = func(c *cobra.Command, args []string) error {
		if !yes {
			return terminal.Misused("runs that need connection %s will fail: say --yes to go ahead", args[0])
		}
		d, err := sh.desk(c.Context())
		if err != nil {
			return err
		}
		e, err := do(d, c.Context(), args[0])
		if err != nil {
			return err
		}
		if sh.JSON() {
			return sh.PrintJSON(e)
		}
		if e.Told != "" {
			sh.Say("the other side could not be told (%s): remove the app, or its token, there too", operator.Line(e.Told))
		}
		return sh.Print("%s: %s\n", args[0], done)
	}
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return sh.PrintsData(sh.AsksServer(c))
}

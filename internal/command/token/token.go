// Package token is `zflow tokens`: make, list and revoke tokens of the HTTP API.
package token

import (
	"context"
	"strings"
	"time"

	"zflow/internal/terminal"
	"zflow/internal/tokens"

	"github.com/spf13/cobra"
)

// shell is the terminal, and what these commands print on it.
type shell struct{ *terminal.Shell }

// Commands returns the command tokens with those below it.
func Commands(sh *terminal.Shell) *cobra.Command {
	s := &shell{sh}
	return terminal.Group("tokens", "Make, list and revoke tokens of the HTTP API", s.create(), s.list(), s.revoke())
}

func (sh *shell) store(ctx context.Context) (*tokens.Store, error) {
	client, err := sh.Open(ctx)
	if err != nil {
		return nil, err
	}
	return client.Tokens(ctx)
}

const aboutCreate = `Make a token of the HTTP API and print it. It is shown this once: only a hash is kept.

Scopes: events:read, runs:read, runs:write (cancel, signal, approve, retry),
workflows:read, connections:read, connections:write, admin (everything). Who may
write may read.`

func (sh *shell) create() *cobra.Command {
	var scopes []string
	var expires time.Duration
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "create NAME", Short: "Make a token and print it, this once", Long: aboutCreate, Args: terminal.Args("NAME"),
		Example: "  zflow tokens create dashboard --scope events:read --scope runs:read --expires 90d",
		RunE: func(c *cobra.Command, args []string) error {
			for _, err := range []error{tokens.CheckName(args[0]), tokens.CheckScopes(split(scopes))} {
				if err != nil {
					return terminal.Misused("%v", err)
				}
			}
			if expires < 0 {
				return terminal.Misused("--expires cannot be less than 0")
			}
			s, err := sh.store(c.Context())
			if err != nil {
				return err
			}
			text, t, err := s.New(c.Context(), args[0], split(scopes), expires)
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(struct {
					tokens.Token
					Text string `json:"token"`
				}{t, text})
			}
			sh.Say("token %s may %s, %s; it is not shown again:", t.Name, strings.Join(t.Scopes, ", "), until(t))
			return sh.Print("%s\n", text)
		},
	}))
	c.Flags().StringSliceVar(&scopes, "scope", nil, "`what` it may do; several: all of them")
	terminal.SpanVar(c.Flags(), &expires, "expires", "for how long it is valid (`time`), such as 90d; not given: until it is revoked")
	terminal.Complete(c, "scope", tokens.Scopes()...)
	return c
}

// split takes scopes that were given as a|b apart, as the help writes them.
func split(scopes []string) (all []string) {
	for _, s := range scopes {
		all = append(all, strings.Split(s, "|")...)
	}
	return all
}

func until(t tokens.Token) string {
	switch {
	case t.ExpiresAt == nil:
		return "until it is revoked"
	case t.Expired:
		return "expired"
	}
	return "until " + terminal.Clock(*t.ExpiresAt)
}

func (sh *shell) list() *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "list", Short: "List the tokens, by name", Args: terminal.Args(),
		Example: "  zflow tokens list",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := sh.store(c.Context())
			if err != nil {
				return err
			}
			all, err := s.List(c.Context())
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(all)
			}
			t := sh.Table("NAME", "SCOPES", "CREATED", "VALID")
			for _, one := range all {
				t.Add(one.Name, strings.Join(one.Scopes, " "), terminal.Clock(one.CreatedAt), until(one))
			}
			return t.Print(sh.Out)
		},
	}))
}

func (sh *shell) revoke() *cobra.Command {
	return sh.AsksServer(&cobra.Command{
		Use: "revoke NAME", Short: "Revoke a token; its streams end within a minute", Args: terminal.Args("NAME"),
		Example: "  zflow tokens revoke dashboard",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := sh.store(c.Context())
			if err != nil {
				return err
			}
			if err := s.Revoke(c.Context(), args[0]); err != nil {
				return err
			}
			return sh.Print("token %s is revoked\n", args[0])
		},
	})
}

// Package data is `zflow data`: what steps keep, for people to look at and mend.
package data

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zflow/engine/data"
	"zflow/internal/sealed"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// shell is the terminal, and whose store is meant.
type shell struct {
	*terminal.Shell
	workflow, shared string
}

// Commands returns the command data with those below it.
func Commands(sh *terminal.Shell) *cobra.Command {
	all := []func(*shell) *cobra.Command{list, get, set, remove}
	commands := make([]*cobra.Command, len(all))
	for i, make := range all {
		s := &shell{Shell: sh}
		commands[i] = s.PrintsData(s.AsksServer(make(s)))
		commands[i].Flags().StringVar(&s.workflow, "workflow", "", "the store of this `workflow`")
		commands[i].Flags().StringVar(&s.shared, "store", "", "the shared store of this `name`")
	}
	return terminal.Group("data", "Look at what steps keep with data.set and its like, and change it", commands...)
}

// open returns the store, and the place of a key in it.
func (sh *shell) open(ctx context.Context, key string) (*data.Store, data.Place, error) {
	p := data.Place{Workflow: sh.workflow, Shared: sh.shared, Key: key}
	if (sh.workflow == "") == (sh.shared == "") {
		return nil, p, terminal.Misused("say whose store: --workflow W for a workflow's own, or --store NAME for a shared one")
	}
	client, err := sh.Open(ctx)
	if err != nil {
		return nil, p, err
	}
	s, err := client.Data(ctx)
	return s, p, err
}

// entry is one as it is printed: credentials are masked.
type entry struct {
	Key       string          `json:"key"`
	Value     json.RawMessage `json:"value"`
	Revision  uint64          `json:"revision"`
	WrittenAt time.Time       `json:"written_at"`
	ExpiresAt *time.Time      `json:"expires_at"` // null: never
}

func shown(e data.Entry) entry {
	out := entry{Key: e.Key, Value: sealed.MaskBytes(e.Value), Revision: e.Revision, WrittenAt: e.Written.UTC()}
	if !e.Expires.IsZero() {
		out.ExpiresAt = &e.Expires
	}
	return out
}

const aboutList = `List the keys of a store with their values, in the order of the keys. On a
terminal long values are cut.`

func list(sh *shell) *cobra.Command {
	var prefix string
	c := &cobra.Command{
		Use: "list", Short: "List the keys of a store with their values", Long: aboutList, Args: terminal.Args(),
		Example: "  zflow data list --workflow attendance-report\n  zflow data list --store rooms --prefix london/",
	}
	c.Flags().StringVar(&prefix, "prefix", "", "only keys that begin with this `text`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, p, err := sh.open(c.Context(), "")
		if err != nil {
			return err
		}
		all := []entry{}
		q := data.Query{Prefix: prefix, Limit: 1000}
		for more := true; more; {
			var page []data.Entry
			if page, more, err = s.List(c.Context(), p, q); err != nil {
				return err
			}
			for _, e := range page {
				all, q.After = append(all, shown(e)), e.Key
			}
		}
		if sh.JSON() {
			return sh.PrintJSON(all)
		}
		for _, e := range all {
			if err := sh.Print("%-24s %s%s\n", e.Key, short(string(e.Value)), life(e)); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

func short(text string) string {
	if r := []rune(text); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return text
}

func life(e entry) string {
	if e.ExpiresAt == nil {
		return ""
	}
	return "  (until " + e.ExpiresAt.Local().Format(time.DateTime) + ")"
}

func get(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use: "get KEY", Short: "Print the value of a key, as JSON", Args: terminal.Args("KEY"),
		Example: "  zflow data get meetings --workflow attendance-report",
		RunE: func(c *cobra.Command, args []string) error {
			s, p, err := sh.open(c.Context(), args[0])
			if err != nil {
				return err
			}
			e, err := s.Get(c.Context(), p)
			switch {
			case err != nil:
				return err
			case e.Value == nil:
				return fmt.Errorf("the key %q has no value", args[0])
			case sh.JSON():
				return sh.PrintJSON(shown(e))
			}
			return sh.Print("%s\n", shown(e).Value)
		},
	}
}

func set(sh *shell) *cobra.Command {
	var ttl time.Duration
	c := &cobra.Command{
		Use: "set KEY VALUE", Short: "Set the value of a key; VALUE is JSON", Args: terminal.Args("KEY", "VALUE"),
		Example: `  zflow data set quota 25 --store sales` + "\n" + `  zflow data set room '{"name": "Blue"}' --workflow booking --ttl 7d`,
	}
	terminal.SpanVar(c.Flags(), &ttl, "ttl", "for how long it is kept (`time`), such as 7d; not given: for ever")
	c.RunE = func(c *cobra.Command, args []string) error {
		raw, err := jsonOf(args[1])
		if err != nil {
			return err
		}
		next := data.Next{Value: raw}
		if ttl < 0 {
			return terminal.Misused("--ttl cannot be less than 0")
		} else if ttl > 0 {
			next.Expires = time.Now().Add(ttl)
		}
		return sh.change(c.Context(), args[0], func(data.Entry) (data.Next, error) { return next, nil })
	}
	return c
}

// jsonOf reads a value that was given.
func jsonOf(text string) (json.RawMessage, error) {
	if !json.Valid([]byte(text)) {
		return nil, terminal.Misused("the value is no JSON: text stands in quotes, such as '\"open\"'")
	}
	if sealed.Contains(text) {
		return nil, terminal.Misused("the value has a sealed credential in it, which only a workflow may put there")
	}
	return json.RawMessage(strings.TrimSpace(text)), nil
}

func remove(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use: "delete KEY", Short: "Delete a key", Args: terminal.Args("KEY"),
		Example: "  zflow data delete room --workflow booking",
		RunE: func(c *cobra.Command, args []string) error {
			return sh.change(c.Context(), args[0], func(e data.Entry) (data.Next, error) {
				if e.Value == nil {
					return data.Next{}, fmt.Errorf("the key %q has no value", args[0])
				}
				return data.Next{}, nil
			})
		},
	}
}

// change makes a change that no step makes, and prints the revision.
func (sh *shell) change(ctx context.Context, key string, decide func(data.Entry) (data.Next, error)) error {
	s, p, err := sh.open(ctx, key)
	if err != nil {
		return err
	}
	a, err := s.Change(ctx, p, "command "+rand.Text(), decide)
	if err != nil {
		return err
	}
	if sh.JSON() {
		return sh.PrintJSON(map[string]any{"key": key, "revision": a.Revision})
	}
	sh.Say("%s is at revision %d", key, a.Revision)
	return nil
}

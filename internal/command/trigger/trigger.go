// Package trigger is `zflow triggers` and `zflow scopes`: which events of Zoom can
// start workflows, what they hold, and which scopes workflows need. It asks no
// server.
package trigger

import (
	"fmt"
	"slices"
	"strings"

	"zflow/internal/terminal"
	"zflow/internal/zoomcatalog"

	"github.com/spf13/cobra"
)

// shell is the terminal, and what these commands print on it.
type shell struct{ *terminal.Shell }

// Commands returns the command triggers with those below it.
func Commands(sh *terminal.Shell) *cobra.Command {
	s := &shell{sh}
	return terminal.Group("triggers", "List, search and explain the Zoom events that can start workflows",
		triggersList(s), triggersSearch(s), triggersShow(s))
}

// trigger is an event as it is listed.
type trigger struct {
	Name        string   `json:"name"`
	Source      string   `json:"source"` // zoom
	Product     string   `json:"product"`
	Description string   `json:"description"`
	Scopes      []string `json:"scopes"` // any one of them
	UserScopes  []string `json:"user_scopes"`
	AdminScopes []string `json:"admin_scopes"`
	ScopesBasis string   `json:"scopes_basis"` // stated, assumed, none, unknown
	Deprecated  bool     `json:"deprecated"`
	BusinessKey string   `json:"business_key"`
}

func triggerOf(e zoomcatalog.Event) trigger {
	about := e.About()
	scopes := about.Scopes()
	return trigger{Name: e.Name, Source: "zoom", Product: e.Product, Description: about.Description, Scopes: scopes,
		UserScopes:  some(zoomcatalog.AtLevel(zoomcatalog.UserLevel, scopes)),
		AdminScopes: some(zoomcatalog.AtLevel(zoomcatalog.AccountLevel, scopes)),
		ScopesBasis: string(about.Basis), Deprecated: about.Deprecated, BusinessKey: e.Key().Name}
}

// some is a list that is [] in JSON where it is empty.
func some(list []string) []string { return append([]string{}, list...) }

func triggersList(sh *shell) *cobra.Command {
	var product string
	c := sh.PrintsData(&cobra.Command{
		Use: "list [PATTERN…]", Short: "List the events, all or those of patterns or of a product", Args: cobra.ArbitraryArgs,
		Example:           "  zflow triggers list 'recording.*'\n  zflow triggers list --product phone --output json | jq -r '.[].name'",
		ValidArgsFunction: eventTypes,
		RunE: func(_ *cobra.Command, args []string) error {
			chosen, err := choose(args, product)
			if err != nil {
				return err
			}
			return sh.list(chosen)
		},
	})
	c.Flags().StringVar(&product, "product", "", "only those of this `product`, such as meetings")
	terminal.Complete(c, "product", products()...)
	return c
}

func triggersSearch(sh *shell) *cobra.Command {
	return sh.PrintsData(&cobra.Command{
		Use: "search WORD…", Short: "List the events whose name or description has all of the words", Args: terminal.Args("WORD…"),
		Example: "  zflow triggers search waiting room\n  zflow triggers search transcript --output json",
		RunE: func(_ *cobra.Command, args []string) error {
			var found []zoomcatalog.Event
			words := strings.Fields(strings.Join(args, " ")) // quoted or not
			for _, e := range zoomcatalog.Events() {
				if has(e, words) {
					found = append(found, e)
				}
			}
			if len(found) == 0 {
				return fmt.Errorf("no event is about %q; zflow triggers list prints all", strings.Join(args, " "))
			}
			return sh.list(found)
		},
	})
}

func has(e zoomcatalog.Event, words []string) bool {
	text := strings.ToLower(e.Name + " " + strings.ReplaceAll(e.Name, "_", " ") + " " + e.Product + " " + e.About().Description)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
}

// choose returns the events that a pattern covers, of one product where it is named.
func choose(patterns []string, product string) ([]zoomcatalog.Event, error) {
	if product != "" && !slices.Contains(products(), product) {
		return nil, fmt.Errorf("there is no product %q%s", product, terminal.DidYouMean(product, products()))
	}
	for _, p := range patterns {
		if !zoomcatalog.Known(p) {
			return nil, unknown(p)
		}
	}
	var all []zoomcatalog.Event
	for _, e := range zoomcatalog.Events() {
		covered := len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return zoomcatalog.Match(p, e.Name) })
		if covered && (product == "" || e.Product == product) {
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the product %s has no event %s", product, strings.Join(patterns, " or "))
	}
	return all, nil
}

func unknown(name string) error {
	if near := zoomcatalog.Suggest(name); near != "" {
		return fmt.Errorf("there is no event %q: did you mean %q?", name, near)
	}
	return fmt.Errorf("there is no event %q; zflow triggers search WORD finds one", name)
}

func (sh *shell) list(events []zoomcatalog.Event) error {
	if sh.JSON() {
		all := make([]trigger, len(events))
		for i, e := range events {
			all[i] = triggerOf(e)
		}
		return sh.PrintJSON(all)
	}
	t := sh.Table("TRIGGER", "PRODUCT", "WHAT HAPPENED")
	for _, e := range events {
		t.Add(e.Name, e.Product, e.About().Description)
	}
	return t.Print(sh.Out)
}

func products() []string {
	var all []string
	for _, e := range zoomcatalog.Events() {
		all = append(all, e.Product)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func eventTypes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var all []string
	for _, e := range zoomcatalog.Events() {
		all = append(all, e.Name+"\t"+e.About().Description)
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

package main

import (
	"fmt"
	"strings"

	"zflow/internal/app"
	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func actionsCommand(sh *shell) *cobra.Command {
	return terminal.Group("actions", "List and explain what steps can use", actionsList(sh), actionsShow(sh), actionsNew(sh))
}

func allActions() ([]operator.Action, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	return operator.Actions(registry), nil
}

func actionsList(sh *shell) *cobra.Command {
	return sh.PrintsData(&cobra.Command{
		Use: "list", Short: "List what steps can use", Args: terminal.Args(),
		RunE: func(*cobra.Command, []string) error {
			all, err := allActions()
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(all)
			}
			t := sh.Table("ACTION", "EFFECT", "WHAT IT DOES")
			for _, a := range all {
				t.Add(a.Name, a.Effect, a.Summary)
			}
			return t.Print(sh.Out)
		},
	})
}

func actionsShow(sh *shell) *cobra.Command {
	return sh.PrintsData(&cobra.Command{
		Use: "show NAME", Short: "Explain an action: what it takes, gives and needs", Args: terminal.Args("NAME"),
		Example:           "  zflow actions show zoom.create_meeting",
		ValidArgsFunction: actionNames,
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := allActions()
			if err != nil {
				return err
			}
			var names []string
			for _, a := range all {
				if a.Name == args[0] {
					return sh.showAction(a)
				}
				names = append(names, a.Name)
			}
			return fmt.Errorf("there is no action %q%s", args[0], terminal.DidYouMean(args[0], names))
		},
	})
}

func (sh *shell) showAction(a operator.Action) error {
	if sh.JSON() {
		return sh.PrintJSON(a)
	}
	t := sh.Plain()
	t.Add("action", a.Name)
	t.Add("", a.Summary)
	t.Add("effect", a.Effect)
	if len(a.Scopes) > 0 {
		t.Add("scopes", strings.Join(a.Scopes, " or "))
	}
	if a.RateLabel != "" {
		t.Add("rate limit", a.RateLabel)
	}
	if err := t.Print(sh.Out); err != nil {
		return err
	}
	if err := sh.fields("with", a.Input); err != nil {
		return err
	}
	if err := sh.fields("output", a.Output); err != nil {
		return err
	}
	for _, e := range a.Examples {
		if err := sh.Print("\nexample\n  uses: %s\n  with: %s\n", a.Name, e); err != nil {
			return err
		}
	}
	return nil
}

func (sh *shell) fields(title string, fields []operator.Field) error {
	if len(fields) == 0 {
		return nil
	}
	if err := sh.Print("\n%s\n", title); err != nil {
		return err
	}
	t := sh.Plain()
	for _, f := range fields {
		about := []string{strings.TrimSuffix(f.Doc, ".")}
		if f.Required {
			about = append([]string{"required"}, about...)
		}
		if len(f.Enum) > 0 {
			about = append(about, "one of "+strings.Join(f.Enum, ", "))
		}
		if f.Default != nil {
			about = append(about, fmt.Sprintf("default %v", f.Default))
		}
		t.Add("  "+f.Name, f.Type, strings.Join(about, "; "))
	}
	return t.Print(sh.Out)
}

func actionsNew(sh *shell) *cobra.Command {
	dir := "."
	c := &cobra.Command{
		Use: "new NAME", Short: "Write the description of an action of your own, to be filled in", Args: terminal.Args("NAME"),
		Long: `Write actions/NAME.yaml into a folder of workflows: a description, with comments, of an
action that calls an HTTP API. The workflows of the folder can use it at once, and it
becomes part of their versions.`,
		Example: "  zflow actions new crm.add_contact --dir workflows",
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := app.NewAction(dir, args[0])
			if err != nil {
				return err
			}
			return sh.Print("%s\n", file)
		},
	}
	c.Flags().StringVar(&dir, "dir", dir, "the `folder` of the workflows")
	return c
}

func actionNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := allActions()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = a.Name + "\t" + a.Summary
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

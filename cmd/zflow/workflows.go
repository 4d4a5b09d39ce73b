package main

import (
	"context"
	"fmt"
	"strings"

	"zflow/internal/app"
	"zflow/internal/operator"

	"github.com/spf13/cobra"
)

func workflowsCommand(sh *shell) *cobra.Command {
	return group("workflows", "List and steer deployed workflows",
		workflowsList(sh), workflowsShow(sh),
		workflowsChange(sh, "pause", "Let a workflow's events wait; its runs go on", "paused",
			func(ctx context.Context, c *app.Client, name string) error { return c.Catalog.Pause(ctx, name) }),
		workflowsChange(sh, "resume", "Let a paused workflow have its events, also those that waited", "resumed",
			func(ctx context.Context, c *app.Client, name string) error { return c.Catalog.Resume(ctx, name) }),
		workflowsChange(sh, "remove", "End a workflow: no event starts it any more; its runs go on", "removed",
			func(ctx context.Context, c *app.Client, name string) error {
				if _, err := c.Catalog.Get(ctx, name); err != nil {
					return err
				}
				return c.Catalog.Remove(ctx, name)
			}),
	)
}

func workflowsList(sh *shell) *cobra.Command {
	return sh.printsData(sh.asksServer(&cobra.Command{
		Use: "list", Short: "List the deployed workflows", Args: args(),
		Example: "  zflow workflows list\n  zflow workflows list --output json | jq '.[].name'",
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := sh.operator(c.Context())
			if err != nil {
				return err
			}
			all, err := o.Workflows(c.Context())
			if err != nil {
				return err
			}
			if sh.json() {
				return sh.printJSON(all)
			}
			t := sh.table("NAME", "STATE", "VERSION", "PENDING", "TRIGGERS")
			for _, w := range all {
				t.add(w.Name, w.State, short(w.Version, 13), fmt.Sprint(w.Pending), strings.Join(w.Triggers, ", ")+w.Problem)
			}
			return t.print(sh.out)
		},
	}))
}

func workflowsShow(sh *shell) *cobra.Command {
	return sh.printsData(sh.asksServer(&cobra.Command{
		Use: "show NAME", Short: "Show a workflow: source, triggers, version, events that wait, last runs", Args: args("NAME"),
		ValidArgsFunction: sh.names(workflowNames),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.operator(c.Context())
			if err != nil {
				return err
			}
			w, err := o.Workflow(c.Context(), args[0])
			if err != nil {
				return err
			}
			if sh.json() {
				return sh.printJSON(w)
			}
			return sh.showWorkflow(w)
		},
	}))
}

func (sh *shell) showWorkflow(w *operator.WorkflowDetail) error {
	t := &table{paint: sh.paint}
	t.add("workflow", w.Name)
	if w.Description != "" {
		t.add("", w.Description)
	}
	t.add("state", w.State)
	t.add("version", w.Version)
	t.add("deployed", clock(w.DeployedAt)+" from "+w.File)
	t.add("triggers", strings.Join(w.Triggers, ", "))
	t.add("events", fmt.Sprintf("%d wait, %d in work", w.Pending, w.Unacked))
	if w.Problem != "" {
		t.add("problem", w.Problem)
	}
	if err := t.print(sh.out); err != nil {
		return err
	}
	if err := sh.print("\n%s\n", strings.TrimRight(indent(w.Source), "\n ")); err != nil {
		return err
	}
	if len(w.Runs) == 0 {
		return sh.print("\nno runs yet\n")
	}
	if err := sh.print("\nlast runs\n"); err != nil {
		return err
	}
	return sh.runsTable(w.Runs).print(sh.out)
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

func workflowsChange(sh *shell, verb, about, done string, do func(context.Context, *app.Client, string) error) *cobra.Command {
	return sh.asksServer(&cobra.Command{
		Use: verb + " NAME", Short: about, Args: args("NAME"),
		Example:           "  zflow workflows " + verb + " welcome",
		ValidArgsFunction: sh.names(workflowNames),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := sh.open(c.Context())
			if err != nil {
				return err
			}
			if err := do(c.Context(), client, args[0]); err != nil {
				return err
			}
			return sh.print("workflow %s is %s\n", args[0], done)
		},
	})
}

package main

import (
	"context"
	"fmt"
	"strings"

	"zflow/internal/app"
	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func workflowsCommand(sh *shell) *cobra.Command {
	return terminal.Group("workflows", "List and steer deployed workflows",
		workflowsList(sh), workflowsShow(sh), workflowsVersions(sh), workflowsDiff(sh), workflowsRollback(sh), workflowsBackfill(sh),
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
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "list", Short: "List the deployed workflows", Args: terminal.Args(),
		Example: "  zflow workflows list\n  zflow workflows list --output json | jq '.[].name'",
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			all, err := o.Workflows(c.Context())
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(all)
			}
			t := sh.Table("NAME", "STATE", "VERSION", "PENDING", "TRIGGERS")
			for _, w := range all {
				t.Add(w.Name, w.State, terminal.Short(w.Version, 13), fmt.Sprint(w.Pending), strings.Join(w.Triggers, ", ")+w.Problem)
			}
			return t.Print(sh.Out)
		},
	}))
}

func workflowsShow(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "show NAME", Short: "Show a workflow: source, triggers, version, events that wait, last runs", Args: terminal.Args("NAME"),
		ValidArgsFunction: sh.Names(terminal.WorkflowNames),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := sh.Open(c.Context())
			if err != nil {
				return err
			}
			w, err := client.Operator().Workflow(c.Context(), args[0])
			if err != nil {
				return err
			}
			client.Address(c.Context(), w.Requests)
			if sh.JSON() {
				return sh.PrintJSON(w)
			}
			return sh.showWorkflow(w)
		},
	}))
}

func (sh *shell) showWorkflow(w *operator.WorkflowDetail) error {
	t := sh.Plain()
	t.Add("workflow", w.Name)
	if w.Description != "" {
		t.Add("", w.Description)
	}
	t.Add("state", w.State)
	t.Add("version", w.Version)
	t.Add("deployed", terminal.Clock(w.DeployedAt)+" from "+w.File)
	t.Add("triggers", strings.Join(w.Triggers, ", "))
	for _, address := range w.Requests {
		t.Add("address", address)
	}
	t.Add("events", fmt.Sprintf("%d wait, %d in work", w.Pending, w.Unacked))
	if w.Problem != "" {
		t.Add("problem", w.Problem)
	}
	addTicks(t, w)
	if err := t.Print(sh.Out); err != nil {
		return err
	}
	if err := sh.Print("\n%s\n", strings.TrimRight(indent(w.Source), "\n ")); err != nil {
		return err
	}
	if len(w.Runs) == 0 {
		return sh.Print("\nno runs yet\n")
	}
	if err := sh.Print("\nlast runs\n"); err != nil {
		return err
	}
	return sh.RunsTable(w.Runs).Print(sh.Out)
}

// addTicks tells when a workflow polls, and how that goes.
func addTicks(t *terminal.Table, w *operator.WorkflowDetail) {
	for _, tick := range w.Ticks {
		if strings.HasPrefix(tick.Plan, "poll ") {
			t.Add("next poll", terminal.Clock(tick.Next)+" ("+tick.Plan+")")
		}
	}
	for i, fire := range w.Fires {
		what := ""
		if i == 0 {
			what = "next fires"
		}
		t.Add(what, fire.At.Format("Mon 2006-01-02 15:04:05 MST")+" ("+fire.Schedule+")")
	}
	for _, m := range w.Mailboxes {
		addMailbox(t, &m)
	}
	if w.Polls == nil {
		return
	}
	if !w.Polls.Polled.IsZero() {
		t.Add("polled", fmt.Sprintf("%s, %d items", terminal.Clock(w.Polls.Polled), w.Polls.Known))
	}
	if p := w.Polls.Problem; p != nil {
		t.Add("polls fail", fmt.Sprintf("%s (%d times since %s)", operator.Line(p.Message), p.Times, terminal.Clock(p.Since)))
	}
}

// addMailbox tells how the reading of a mailbox goes.
func addMailbox(t *terminal.Table, m *operator.Mailbox) {
	read := "not read yet"
	if !m.Looked.IsZero() {
		read = fmt.Sprintf("read at %s, %d mails so far", terminal.Clock(m.Looked), m.Mails)
	}
	t.Add("mailbox", operator.Line(m.Name)+": "+read)
	if m.Problem != nil {
		t.Add("", fmt.Sprintf("cannot be read since %s: %s", terminal.Clock(m.Problem.Since), operator.Line(m.Problem.Message)))
	}
	if m.Unmarked != "" {
		t.Add("", "mails cannot be marked or moved: "+operator.Line(m.Unmarked))
	}
	if m.Note != "" {
		t.Add("", operator.Line(m.Note))
	}
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

func workflowsChange(sh *shell, verb, about, done string, do func(context.Context, *app.Client, string) error) *cobra.Command {
	return sh.AsksServer(&cobra.Command{
		Use: verb + " NAME", Short: about, Args: terminal.Args("NAME"),
		Example:           "  zflow workflows " + verb + " welcome",
		ValidArgsFunction: sh.Names(terminal.WorkflowNames),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := sh.Open(c.Context())
			if err != nil {
				return err
			}
			if err := do(c.Context(), client, args[0]); err != nil {
				return err
			}
			return sh.Print("workflow %s is %s\n", args[0], done)
		},
	})
}

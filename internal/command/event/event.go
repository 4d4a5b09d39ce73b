// Package event is `zflow events`: list, show, follow, send, replay, record and
// publish events.
package event

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zflow/internal/operator"
	"zflow/internal/operator/send"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// shell is the terminal, and what these commands print on it.
type shell struct{ *terminal.Shell }

// Commands returns the command events with those below it.
func Commands(sh *terminal.Shell) *cobra.Command { return group(&shell{sh}) }

func group(sh *shell) *cobra.Command {
	return terminal.Group("events", "List, show, follow, send, replay, record, publish and reconcile events",
		eventsList(sh), eventsTail(sh), eventsShow(sh), eventsSend(sh), eventsReplay(sh), eventsRecord(sh), eventsPublish(sh), eventsDead(sh), eventsReconcile(sh))
}

// eventTypes completes the types that Zoom has; it asks no server.
func eventTypes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return send.EventTypes(), cobra.ShellCompDirectiveNoFileComp
}

func eventsList(sh *shell) *cobra.Command {
	var kind string
	var since time.Duration
	var limit int
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "list", Short: "List events, the newest first", Args: terminal.Args(),
		Example: "  zflow events list --type 'meeting.*' --since 1h\n  zflow events list --output json | jq '.[0].id'",
		RunE: func(c *cobra.Command, _ []string) error {
			from, err := terminal.SinceTime(since, limit)
			if err != nil {
				return err
			}
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			all, err := o.Events(c.Context(), operator.EventQuery{Type: kind, Since: from, Limit: limit})
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(all)
			}
			t := sh.Table("SEQ", "ID", "TYPE", "SOURCE", "ORIGIN", "RECEIVED", "SUBJECT")
			for _, e := range all {
				t.Add(fmt.Sprint(e.Sequence), e.ID, e.Type, e.Source, e.Origin, terminal.Clock(e.ReceivedAt), terminal.Short(e.Subject, 40))
			}
			return t.Print(sh.Out)
		},
	}))
	c.Flags().StringVar(&kind, "type", "", "only this `type`, or pattern such as 'meeting.*'")
	terminal.SpanVar(c.Flags(), &since, "since", "only events received within this `time`, such as 24h")
	c.Flags().IntVar(&limit, "limit", terminal.DefaultLimit, "at most so many `events`; 0: all")
	terminal.CompleteWith(c, "type", eventTypes)
	return c
}

func eventsShow(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "show ID|SEQ", Short: "Show an event: its headers and body", Args: terminal.Args("ID or SEQ"),
		Long:              "Show an event, named by its id or by its sequence in EVENTS: its headers and body. Credentials are never shown.",
		Example:           "  zflow events show 17\n  zflow events show 17 --output json | jq .body.payload",
		ValidArgsFunction: sh.Names(eventIDs),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			e, err := o.Event(c.Context(), args[0])
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(e)
			}
			return sh.showEvent(e)
		},
	}))
}

func (sh *shell) showEvent(e *operator.EventDetail) error {
	t := sh.Plain()
	t.Add("seq", fmt.Sprint(e.Sequence))
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		t.Add(name, strings.Join(e.Headers[name], ", "))
	}
	if err := t.Print(sh.Out); err != nil {
		return err
	}
	var body bytes.Buffer
	if err := json.Indent(&body, e.Body, "", "  "); err != nil {
		return fmt.Errorf("printing the body: %w", err)
	}
	return sh.Print("\n%s\n", body.String())
}

func eventIDs(ctx context.Context, o *operator.Operator) ([]string, error) {
	all, err := o.Events(ctx, operator.EventQuery{Limit: terminal.MostCompleted})
	names := make([]string, 0, len(all))
	for _, e := range all {
		names = append(names, e.ID+"\t"+e.Type)
	}
	return names, err
}

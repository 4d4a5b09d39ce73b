// Package run is `zflow runs`: list, show, follow and steer runs.
package run

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// shell is the terminal, and what these commands print on it.
type shell struct{ *terminal.Shell }

// Commands returns the command runs with those below it.
func Commands(sh *terminal.Shell) *cobra.Command { return group(&shell{sh}) }

func group(sh *shell) *cobra.Command {
	return terminal.Group("runs", "List, show, follow and steer runs",
		runsList(sh), runsShow(sh), runsWatch(sh), runsCancel(sh), runsRetry(sh), runsReplay(sh), runsRecord(sh), runsApprove(sh), runsSignal(sh), runsVerify(sh))
}

func runsList(sh *shell) *cobra.Command {
	var workflow, status string
	var since time.Duration
	var limit int
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "list", Short: "List runs, the newest first", Args: terminal.Args(),
		Example: "  zflow runs list --status failed --since 24h\n  zflow runs list --workflow welcome --output json | jq length",
		RunE: func(c *cobra.Command, _ []string) error {
			q, err := runQuery(workflow, status, since, limit)
			if err != nil {
				return err
			}
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			runs, err := o.Runs(c.Context(), q)
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(runs)
			}
			return sh.RunsTable(runs).Print(sh.Out)
		},
	}))
	c.Flags().StringVar(&workflow, "workflow", "", "only runs of this workflow (`name`)")
	c.Flags().StringVar(&status, "status", "", "only runs of this `status`: "+strings.Join(operator.Statuses(), ", "))
	terminal.SpanVar(c.Flags(), &since, "since", "only runs that began within this `time`, such as 24h")
	c.Flags().IntVar(&limit, "limit", terminal.DefaultLimit, "at most so many `runs`; 0: all")
	terminal.Complete(c, "status", operator.Statuses()...)
	terminal.CompleteWith(c, "workflow", sh.Names(terminal.WorkflowNames))
	return c
}

func runQuery(workflow, status string, since time.Duration, limit int) (operator.RunQuery, error) {
	q := operator.RunQuery{Workflow: workflow, Status: status, Limit: limit}
	if status != "" && !slices.Contains(operator.Statuses(), status) {
		return q, terminal.Misused("a run is never %q%s", status, terminal.DidYouMean(status, operator.Statuses()))
	}
	var err error
	q.Since, err = terminal.SinceTime(since, limit)
	return q, err
}

func runsShow(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "show RUN", Short: "Show a run: each step with its attempts, and what it waits for", Args: terminal.Args("RUN"),
		Long:              "Show a run: each step with its attempts, durations, errors and log lines, and what it waits for.\n\nRUN is a run's id, or a beginning of it that no other run has.",
		Example:           "  zflow runs show 7k2m\n  zflow runs show 7k2m --output json | jq .output",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			run, err := o.Show(c.Context(), args[0])
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(run)
			}
			return sh.Print("%s", sh.timeline(run))
		},
	}))
}

// mostShown is how much of a value a timeline shows.
const mostShown = 160

// Timeline is a run for people to read.
func Timeline(sh *terminal.Shell, d *operator.Detail) string { return (&shell{sh}).timeline(d) }

func (sh *shell) timeline(d *operator.Detail) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("run       %s", d.ID)
	line("workflow  %s (version %.12s)", d.Workflow, d.Version)
	line("event     %s %s, %s", d.Event.Type, d.Event.ID, d.Event.Origin)
	if p := d.Replay; p != nil {
		line("replays   run %s from step %s, for %s", p.Run, p.From, p.By)
	}
	line("status    %s", sh.Paint(d.Status))
	line("started   %s", terminal.Clock(d.StartedAt))
	if d.EndedAt != nil {
		line("ended     %s, after %s", terminal.Clock(*d.EndedAt), operator.Took(max(d.EndedAt.Sub(d.StartedAt), 0)))
	}
	if d.Error != nil {
		line("error     %s", *d.Error)
	}
	runLines(line, d)
	for _, s := range d.Steps {
		sh.stepLines(line, s, d.StartedAt)
	}
	for _, w := range d.Waits {
		line("\nwaits     %s", waitText(d.ID, w))
	}
	if string(d.Output) != "null" {
		line("\noutput    %s", terminal.Short(string(d.Output), mostShown))
	}
	return b.String()
}

// runLines are what happened to the run as a whole between start and end.
func runLines(line func(string, ...any), d *operator.Detail) {
	for _, f := range d.Facts {
		switch f.Kind {
		case "run_claimed", "run_continued", "cancel_requested", "run_canceled":
			line("%-8s  %s", "+"+operator.Took(max(f.At.Sub(d.StartedAt), 0)), f.Text)
		}
	}
}

func (sh *shell) stepLines(line func(string, ...any), s operator.Step, start time.Time) {
	what := s.Uses
	if what == "" && len(s.Tries) > 0 && !s.Wake.IsZero() {
		what = "sleep"
	}
	line("\n%s  %s  %s", s.ID, sh.Paint(s.Status), what)
	if string(s.Input) != "null" {
		line("  input   %s", terminal.Short(string(s.Input), mostShown))
	}
	for _, t := range s.Tries {
		line("  %8s  %s", "+"+operator.Took(max(t.At.Sub(start), 0)), t.Text)
		for _, l := range t.Log {
			line("            | %s", l)
		}
	}
	if string(s.Output) != "null" {
		line("  output  %s", terminal.Short(string(s.Output), mostShown))
	}
}

// waitText says what a run waits for, and until when.
func waitText(run string, w operator.Wait) string {
	if w.For == "person" {
		return fmt.Sprintf("step %s for a person to say what happened: zflow runs approve %s %s --choice retry|done|fail", w.Step, run, w.Step)
	}
	if w.Until == nil {
		return awaitedText(run, w)
	}
	at := terminal.Clock(*w.Until)
	if left := time.Until(*w.Until); left > 0 {
		at += " (" + operator.Took(left) + " from now)"
	}
	if text := awaitedText(run, w); text != "" {
		return text + ", until " + at
	}
	return map[string]string{
		"sleep":    "step " + w.Step + " sleeps until " + at,
		"retry":    "step " + w.Step + " for its next attempt at " + at,
		"probe":    "step " + w.Step + " for a probe at " + at,
		"attempt":  "step " + w.Step + " for the attempt under way, until " + at,
		"deadline": "at the latest until " + at + ", when the whole run times out",
	}[w.For]
}

// awaitedText is about what comes from outside.
func awaitedText(run string, w operator.Wait) string {
	return map[string]string{
		"approval": "step " + w.Step + " for a person: zflow runs approve " + run + " " + w.Step + " --choice " + w.What,
		"event":    "step " + w.Step + " for " + w.What,
		"run":      "step " + w.Step + " for run " + w.What,
	}[w.For]
}

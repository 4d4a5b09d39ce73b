package run

import (
	"context"
	"errors"
	"strings"
	"time"

	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// bulk is an order that can be for one run or for many.
type bulk struct {
	verb, done       string // cancel, canceled
	choose           func(operator.RunQuery) operator.Selection
	workflow, status string
	since            time.Duration
	limit            int
	dryRun, yes      bool
}

func (b *bulk) flags(sh *shell, c *cobra.Command) {
	c.Flags().StringVar(&b.workflow, "workflow", "", "all runs of this workflow (`name`)")
	c.Flags().StringVar(&b.status, "status", "", "only runs of this `status`")
	terminal.SpanVar(c.Flags(), &b.since, "since", "only runs that began within this `time`, such as 7d")
	c.Flags().IntVar(&b.limit, "limit", 0, "only the newest so many `runs`; 0: all")
	c.Flags().BoolVar(&b.dryRun, "dry-run", false, "only list which runs it would be")
	c.Flags().BoolVar(&b.yes, "yes", false, "do it for all that are selected")
	terminal.Complete(c, "status", operator.Statuses()...)
	terminal.CompleteWith(c, "workflow", sh.Names(terminal.WorkflowNames))
}

func (b *bulk) many() bool {
	return b.workflow != "" || b.status != "" || b.since != 0 || b.limit != 0 || b.dryRun || b.yes
}

// order gives an order to the run that is named, or to those that are selected.
func (sh *shell) order(ctx context.Context, b bulk, args []string, give func(context.Context, *operator.Operator, string) (operator.Run, error), say func(operator.Run) error) error {
	switch {
	case len(args) == 0 && !b.many():
		return terminal.Misused("RUN is missing: an id, or --workflow, --status or --since for many")
	case len(args) == 1 && b.many():
		return terminal.Misused("either a RUN, or flags that select many")
	case len(args) == 0:
		return sh.orderMany(ctx, b, give)
	}
	o, err := sh.Operator(ctx)
	if err != nil {
		return err
	}
	r, err := give(ctx, o, args[0])
	if err != nil {
		return err
	}
	if sh.JSON() {
		return sh.PrintJSON(r)
	}
	return say(r)
}

func (sh *shell) orderMany(ctx context.Context, b bulk, give func(context.Context, *operator.Operator, string) (operator.Run, error)) error {
	if b.workflow == "" && b.status == "" && b.since == 0 {
		return terminal.Misused("which runs? --workflow, --status and --since select them")
	}
	q, err := runQuery(b.workflow, b.status, b.since, b.limit)
	if err != nil {
		return err
	}
	selected := b.choose(q)
	if err := selected.Check(); err != nil {
		return terminal.Misused("%s: %v", b.verb, err)
	}
	if !b.dryRun && !b.yes {
		return terminal.Misused("--dry-run lists which runs it would be, --yes does it")
	}
	o, err := sh.Operator(ctx)
	if err != nil {
		return err
	}
	runs, err := o.Select(ctx, selected)
	if err != nil {
		return err
	}
	if b.dryRun {
		return sh.wouldOrder(b, runs)
	}
	return sh.printOrdered(b, o.Each(ctx, runs, give))
}

func (sh *shell) wouldOrder(b bulk, runs []operator.Run) error {
	if sh.JSON() {
		return sh.PrintJSON(runs)
	}
	if err := sh.RunsTable(runs).Print(sh.Out); err != nil {
		return err
	}
	return sh.Print("%s would be %s\n", terminal.Plural(len(runs), "run"), b.done)
}

// printOrdered says what became of each; the command has failed if one has.
func (sh *shell) printOrdered(b bulk, done []operator.Ordered) error {
	problems := []string{}
	for _, d := range done {
		if d.Problem != "" {
			problems = append(problems, d.Problem)
		}
	}
	if sh.JSON() {
		if err := sh.PrintJSON(done); err != nil {
			return err
		}
	} else if err := sh.Print("%s %s\n", terminal.Plural(len(done)-len(problems), "run"), b.done); err != nil {
		return err
	}
	if len(problems) == 0 {
		return nil
	}
	const shown = 10
	if len(problems) > shown {
		problems = append(problems[:shown], "and so on")
	}
	return errors.New(strings.Join(problems, "\nzflow: "))
}

package terminal

import (
	"context"
	"strings"
	"time"

	"zflow/internal/operator"

	"github.com/spf13/cobra"
)

// completeWithin is how long a completion may ask the server.
const completeWithin = 2 * time.Second

// Completer returns what an argument or flag can be.
type Completer = func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// Complete completes a flag with fixed words. The flag exists: its name is the caller's.
func Complete(c *cobra.Command, flag string, words ...string) {
	CompleteWith(c, flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	})
}

// CompleteWith completes a flag with what f returns.
func CompleteWith(c *cobra.Command, flag string, f Completer) {
	_ = c.RegisterFlagCompletionFunc(flag, f) // fails for a flag that is not there
}

// Names completes the first argument, or a flag, with what the server knows;
// without one there is nothing to complete.
func (sh *Shell) Names(list func(context.Context, *operator.Operator) ([]string, error)) Completer {
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && !strings.HasPrefix(begun, "-") && c.Args != nil && c.Args(c, append(args, begun)) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.Background(), completeWithin)
		defer cancel()
		o, err := sh.Operator(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		all, err := list(ctx, o)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// WorkflowNames are those of the deployed workflows.
func WorkflowNames(ctx context.Context, o *operator.Operator) ([]string, error) {
	all, err := o.Workflows(ctx)
	names := make([]string, 0, len(all))
	for _, w := range all {
		names = append(names, w.Name+"\t"+w.State)
	}
	return names, err
}

// MostCompleted is how many runs a completion offers.
const MostCompleted = 50

// RunIDs are those of the newest runs.
func RunIDs(ctx context.Context, o *operator.Operator) ([]string, error) {
	all, err := o.Runs(ctx, operator.RunQuery{Limit: MostCompleted})
	names := make([]string, 0, len(all))
	for _, r := range all {
		names = append(names, r.ID+"\t"+r.Workflow+" "+r.Status)
	}
	return names, err
}

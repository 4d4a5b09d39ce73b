package main

import (
	"context"
	"strings"
	"time"

	"zflow/internal/operator"

	"github.com/spf13/cobra"
)

// completeWithin is how long a completion may ask the server.
const completeWithin = 2 * time.Second

// completer returns what an argument or flag can be.
type completer = func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// complete completes a flag with fixed words. The flag exists: its name is the caller's.
func complete(c *cobra.Command, flag string, words ...string) {
	completeWith(c, flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	})
}

func completeWith(c *cobra.Command, flag string, f completer) {
	_ = c.RegisterFlagCompletionFunc(flag, f) // fails for a flag that is not there
}

// names completes the first argument, or a flag, with what the server knows;
// without one there is nothing to complete.
func (sh *shell) names(list func(context.Context, *operator.Operator) ([]string, error)) completer {
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && !strings.HasPrefix(begun, "-") && c.Args != nil && c.Args(c, append(args, begun)) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.Background(), completeWithin)
		defer cancel()
		o, err := sh.operator(ctx)
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

func workflowNames(ctx context.Context, o *operator.Operator) ([]string, error) {
	all, err := o.Workflows(ctx)
	names := make([]string, 0, len(all))
	for _, w := range all {
		names = append(names, w.Name+"\t"+w.State)
	}
	return names, err
}

// mostCompleted is how many runs a completion offers.
const mostCompleted = 50

func runIDs(ctx context.Context, o *operator.Operator) ([]string, error) {
	all, err := o.Runs(ctx, operator.RunQuery{Limit: mostCompleted})
	names := make([]string, 0, len(all))
	for _, r := range all {
		names = append(names, r.ID+"\t"+r.Workflow+" "+r.Status)
	}
	return names, err
}

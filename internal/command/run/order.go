package run

import (
	"context"
	"encoding/json"
	"strings"

	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func runsCancel(sh *shell) *cobra.Command {
	order := operator.Cancellation{}
	b := bulk{verb: "cancel", done: "canceled", choose: operator.Cancelable}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "cancel RUN", Short: "End a run, or many; what undo and finally say is done first", Args: terminal.SomeArgs(0, 1, "RUN"),
		Long: `End a run: a call under way is not waited for, then undo and finally run, unless --now
is given. Instead of RUN, --workflow, --status and --since select many.`,
		Example: "  zflow runs cancel 7k2m --reason 'the class was moved'\n" +
			"  zflow runs cancel --workflow welcome --status waiting --since 2d --dry-run",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			order.By = sh.Person()
			give := func(ctx context.Context, o *operator.Operator, id string) (operator.Run, error) {
				order := order
				order.Run = id
				return o.Cancel(ctx, order)
			}
			return sh.order(c.Context(), b, args, give, func(r operator.Run) error {
				return sh.Print("cancel is in the history of run %s, now %s\n", r.ID, sh.Paint(r.Status))
			})
		},
	}))
	c.Flags().StringVar(&order.Reason, "reason", "", "`why`, for the history")
	c.Flags().BoolVar(&order.Now, "now", false, "at once: without undo and finally")
	b.flags(sh, c)
	return c
}

func runsRetry(sh *shell) *cobra.Command {
	order := operator.Retry{}
	var with []string
	b := bulk{verb: "retry", done: "retried", choose: operator.Retriable}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "retry RUN", Short: "Go on with a run that failed or was canceled, or with many", Args: terminal.SomeArgs(0, 1, "RUN"),
		Long: `Go on with a run that failed or was canceled, where it ended: what completed stays, a
loop goes on with what is not done. --with corrects an input of a step; its value is
JSON, or else a text. --latest and --version go on with another version of the workflow.
Instead of RUN, --workflow, --status and --since select many.`,
		Example: "  zflow runs retry 7k2m\n  zflow runs retry 7k2m --with invite.to=kim@example.org --latest\n" +
			"  zflow runs retry --workflow welcome --since 1d --yes",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if order.With, err = corrections(with); err != nil {
				return err
			}
			if order.Latest && order.Version != "" {
				return terminal.Misused("--latest and --version are one too many")
			}
			order.By = sh.Person()
			give := func(ctx context.Context, o *operator.Operator, id string) (operator.Run, error) {
				order := order
				order.Run = id
				return o.Retry(ctx, order)
			}
			return sh.order(c.Context(), b, args, give, func(r operator.Run) error {
				return sh.Print("run %s goes on, now %s\n", r.ID, sh.Paint(r.Status))
			})
		},
	}))
	c.Flags().StringArrayVar(&with, "with", nil, "correct an input: `STEP.KEY=VALUE`; again for more")
	c.Flags().StringVar(&order.Version, "version", "", "go on with this `version` of the workflow")
	c.Flags().BoolVar(&order.Latest, "latest", false, "go on with the active version of the workflow")
	b.flags(sh, c)
	return c
}

// corrections reads what --with says: step, key of its inputs, value.
func corrections(given []string) (map[string]map[string]json.RawMessage, error) {
	all := map[string]map[string]json.RawMessage{}
	for _, text := range given {
		path, value, ok := strings.Cut(text, "=")
		dot := strings.LastIndexByte(path, '.')
		if !ok || dot <= 0 || dot == len(path)-1 {
			return nil, terminal.Misused("--with is STEP.KEY=VALUE, such as invite.to=kim@example.org, not %q", text)
		}
		step, key := path[:dot], path[dot+1:]
		if all[step] == nil {
			all[step] = map[string]json.RawMessage{}
		}
		if _, twice := all[step][key]; twice {
			return nil, terminal.Misused("--with has %s twice", path)
		}
		raw := json.RawMessage(value)
		if !json.Valid(raw) {
			var err error
			if raw, err = json.Marshal(value); err != nil {
				return nil, err
			}
		}
		all[step][key] = raw
	}
	return all, nil
}

func runsSignal(sh *shell) *cobra.Command {
	var data string
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "signal RUN NAME", Short: "Give a run a signal that it waits for, or will", Args: terminal.Args("RUN", "NAME"),
		Example:           "  zflow runs signal 7k2m paid --data '{\"amount\": 12}'",
		ValidArgsFunction: sh.Names(terminal.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if data != "" && !json.Valid([]byte(data)) {
				return terminal.Misused("--data is no JSON")
			}
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			r, err := o.Signal(c.Context(), operator.Signal{Run: args[0], Name: args[1], By: sh.Person(), Data: json.RawMessage(data)})
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(r)
			}
			return sh.Print("signal %s is in the history of run %s, now %s\n", args[1], r.ID, sh.Paint(r.Status))
		},
	}))
	c.Flags().StringVar(&data, "data", "", "what the signal carries, as `JSON`")
	return c
}

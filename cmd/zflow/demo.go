package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"zflow/internal/app"
	"zflow/internal/command/run"
	"zflow/internal/terminal"
)

const aboutDemo = `Run everything in one process, in a folder that is removed again: a simulated Zoom
signs and delivers five events, they go through ingest and NATS to a worker, and five
example workflows call the simulated Zoom. Prints each run as it ends; exits 0 if all
completed. Needs no account, no network and no other program.

With --full one more workflow runs, of which a step is JavaScript: that needs Node.js.`

func demoCommand(sh *shell) *cobra.Command {
	full := false
	c := &cobra.Command{
		Use: "demo", Short: "Watch signed events run example workflows against a simulated Zoom", Long: aboutDemo,
		Args: terminal.Args(),
		RunE: func(c *cobra.Command, _ []string) error {
			show := func(ctx context.Context, client *app.Client, id string) error {
				detail, err := client.Operator().Show(ctx, id)
				if err != nil {
					return err
				}
				return sh.Print("\n%s", run.Timeline(sh.Shell, detail))
			}
			d := app.Demo{Out: sh.Out, Log: logger(sh), Shown: show, Limit: time.Minute, Full: full}
			if err := d.Run(c.Context()); err != nil {
				return fmt.Errorf("the demo did not end well: %w", err)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&full, "full", false, "with a step of JavaScript, where there is Node.js")
	return c
}

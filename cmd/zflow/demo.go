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
completed. Needs no account, no network and no other program.`

func demoCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
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
			d := app.Demo{Out: sh.Out, Log: logger(sh), Shown: show, Limit: time.Minute}
			if err := d.Run(c.Context()); err != nil {
				return fmt.Errorf("the demo did not end well: %w", err)
			}
			return nil
		},
	}
}

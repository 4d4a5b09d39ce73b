// Command console is the private process: the HTTP API and the live streams. Any
// number of consoles may run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"zflow/internal/app"
	"zflow/internal/settings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

const failed, wrongUse = 1, 2

// usage is an error in how the command was called.
type usage struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "console:", err)
		if errors.As(err, new(usage)) {
			os.Exit(wrongUse)
		}
		os.Exit(failed)
	}
}

func command() *cobra.Command {
	var config string
	var health bool
	c := &cobra.Command{
		Use:           "console",
		Short:         "Serve the HTTP API and the live streams",
		Long:          "Serve the HTTP API and the live streams. SIGTERM ends the streams, which clients\nresume, and lets the requests under way finish.\n\nEvery key of the configuration file can be set by a ZFLOW_… environment variable.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage{fmt.Errorf("unknown argument %q", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), config, health) },
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	c.Flags().StringVar(&config, "config", "", "configuration `file`")
	c.Flags().BoolVar(&health, "healthcheck", false, "ask the console that runs here whether it is well, and exit")
	return c
}

func run(ctx context.Context, config string, health bool) error {
	c, err := settings.Load(settings.Setup{File: config, Environ: os.Environ(), For: settings.ForConsole})
	if err != nil {
		return err
	}
	if health {
		return app.AskHealth(ctx, c.Console.MetricsListen)
	}
	log, err := zap.NewProduction()
	if err != nil {
		return fmt.Errorf("starting the log: %w", err)
	}
	// Standard error may be a pipe that cannot be synced.
	defer func() { _ = log.Sync() }()
	return app.RunConsole(ctx, c, log)
}

// Command ingest takes what happens outside: it receives webhooks, verifies them
// and stores them as events. It holds no tokens and runs no workflow.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"zflow/internal/app"
	"zflow/internal/app/intake"
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
		fmt.Fprintln(os.Stderr, "ingest:", err)
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
		Use:           "ingest",
		Short:         "Receive Zoom's webhooks and store them as events",
		Long:          "Receive Zoom's webhooks and store them as events.\n\nEvery key of the configuration file can be set by a ZFLOW_… environment variable.",
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
	c.Flags().BoolVar(&health, "healthcheck", false, "ask the ingest that runs here whether it is well, and exit")
	return c
}

func run(ctx context.Context, config string, health bool) error {
	c, err := settings.Load(settings.Setup{File: config, Environ: os.Environ(), For: settings.ForIngest})
	if err != nil {
		return err
	}
	if health {
		return app.AskHealth(ctx, c.Ingest.MetricsListen)
	}
	log, err := zap.NewProduction()
	if err != nil {
		return fmt.Errorf("starting the log: %w", err)
	}
	// Standard error may be a pipe that cannot be synced.
	defer func() { _ = log.Sync() }()
	in, err := intake.New(intake.ConfigOf(c), log)
	if err != nil {
		return err
	}
	return in.Run(ctx)
}

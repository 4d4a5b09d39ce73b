// Package process is the command line of a process that runs until it is told to
// end: ingest, worker, console.
package process

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

// Process is one of them.
type Process struct {
	Name   string // worker
	Short  string // what it does, in a line
	Long   string // the same with what a user should know
	For    settings.Process
	Health func(*settings.Config) string // the address of its health checks
	Run    func(context.Context, *settings.Config, *zap.Logger) error
}

const failed, wrongUse = 1, 2

// usage is an error in how the command was called.
type usage struct{ error }

// Main runs the process and exits if it fails.
func Main(p Process) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := p.command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, p.Name+":", err)
		if errors.As(err, new(usage)) {
			os.Exit(wrongUse)
		}
		os.Exit(failed)
	}
}

func (p Process) command() *cobra.Command {
	var config string
	var health bool
	c := &cobra.Command{
		Use:           p.Name,
		Short:         p.Short,
		Long:          p.Long + "\n\nEvery key of the configuration file can be set by a ZFLOW_… environment variable.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage{fmt.Errorf("unknown argument %q", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return p.run(c.Context(), config, health) },
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	c.Flags().StringVar(&config, "config", "", "configuration `file`")
	c.Flags().BoolVar(&health, "healthcheck", false, "ask the "+p.Name+" that runs here whether it is well, and exit")
	return c
}

func (p Process) run(ctx context.Context, config string, health bool) error {
	c, err := settings.Load(settings.Setup{File: config, Environ: os.Environ(), For: p.For})
	if err != nil {
		return err
	}
	if health {
		return app.AskHealth(ctx, p.Health(c))
	}
	log, err := zap.NewProduction()
	if err != nil {
		return fmt.Errorf("starting the log: %w", err)
	}
	// Standard error may be a pipe that cannot be synced.
	defer func() { _ = log.Sync() }()
	return p.Run(ctx, c, log)
}

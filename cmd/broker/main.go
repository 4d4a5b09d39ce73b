// Command broker runs a stock nats-server with the flush service beside it: what
// zflow calls stored is then on disk.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"zflow/internal/app"
	"zflow/internal/app/broker"
)

const failed, wrongUse = 1, 2

// usage is an error in how the command was called.
type usage struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "broker:", err)
		if errors.As(err, new(usage)) {
			os.Exit(wrongUse)
		}
		os.Exit(failed)
	}
}

func command() *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:           "broker",
		Short:         "Run a nats-server that makes messages durable on request",
		Long:          "Run a nats-server that makes messages durable on request.\n\nEvery flag can be set by a ZFLOW_BROKER_… environment variable, such as ZFLOW_BROKER_DATA.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage{fmt.Errorf("unknown argument %q", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.complete(c.Flags()); err != nil {
				return err
			}
			return run(c.Context(), o)
		},
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	o.define(c.Flags())
	return c
}

func run(ctx context.Context, o *options) error {
	if o.health {
		return app.AskHealth(ctx, o.MetricsListen)
	}
	b, err := broker.Start(ctx, o.Config)
	if err != nil {
		return err
	}
	defer b.Shutdown()
	select {
	case <-ctx.Done():
		return nil
	case <-b.Done():
		return errors.Join(errors.New("the broker ended by itself"), b.Err())
	}
}

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
	"go.uber.org/zap"

	"zflow/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "broker:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var c app.BrokerConfig
	var level string
	cmd := &cobra.Command{
		Use:           "broker",
		Short:         "Run a nats-server that makes messages durable on request",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logger(level)
			if err != nil {
				return err
			}
			c.Log = log
			return run(cmd.Context(), c)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.File, "config", "", "nats-server configuration, such as configs/nats.conf")
	f.StringVar(&c.Data, "data", "", "folder of the streams; goes before the configuration's store_dir")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:4222", "address for clients, where there is no --config (loopback only)")
	f.StringVar(&c.MetricsListen, "metrics-listen", "127.0.0.1:9093", "address of /healthz, /readyz and /metrics; empty for none")
	f.StringVar(&level, "log", "info", "least level that is logged: debug, info, warn, error")
	return cmd
}

func logger(level string) (*zap.Logger, error) {
	l, err := zap.ParseAtomicLevel(level)
	if err != nil {
		return nil, fmt.Errorf("reading --log: %w", err)
	}
	c := zap.NewProductionConfig()
	c.Level = l
	return c.Build()
}

func run(ctx context.Context, c app.BrokerConfig) error {
	b, err := app.StartBroker(ctx, c)
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

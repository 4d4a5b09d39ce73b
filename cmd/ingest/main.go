// Command ingest takes what happens outside: it receives webhooks, verifies them
// and stores them as events. It holds no tokens and runs no workflow.
package main

import (
	"context"

	"zflow/internal/app/intake"
	"zflow/internal/command/process"
	"zflow/internal/settings"

	"go.uber.org/zap"
)

func main() {
	process.Main(process.Process{
		Name: "ingest", Short: "Receive Zoom's webhooks and store them as events",
		Long: "Receive Zoom's webhooks and store them as events.",
		For:  settings.ForIngest, Health: func(c *settings.Config) string { return c.Ingest.MetricsListen },
		Run: run,
	})
}

func run(ctx context.Context, c *settings.Config, log *zap.Logger) error {
	in, err := intake.New(intake.ConfigOf(c), log)
	if err != nil {
		return err
	}
	return in.Run(ctx)
}

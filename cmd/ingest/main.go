// Command ingest takes what happens outside: it receives webhooks, requests to HTTP
// triggers and mails, and stores them as events. It holds no tokens and runs no workflow.
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
		Name: "ingest", Short: "Receive Zoom's webhooks, requests to HTTP triggers and mails, and store them as events",
		Long: `Receive what starts runs from outside, and store it as events:

  - Zoom's webhooks, at /hooks/zoom/<app>, for the apps of ingest.apps
  - requests to the workflows with a trigger http, at /http/<path>
  - mails to the workflows with a trigger email, by SMTP at ingest.smtp.listen

It holds no tokens and runs no workflow: it may stand where the Internet reaches it.`,
		For: settings.ForIngest, Health: func(c *settings.Config) string { return c.Ingest.MetricsListen },
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

// Command worker runs workflows: it starts runs for events, does their steps and
// wakes those that wait. Any number of workers share the work.
package main

import (
	"zflow/internal/app"
	"zflow/internal/command/process"
	"zflow/internal/settings"
)

func main() {
	process.Main(process.Process{
		Name: "worker", Short: "Run workflows",
		Long: "Run workflows. SIGTERM ends it once the attempts at hand are recorded.",
		For:  settings.ForWorker, Health: func(c *settings.Config) string { return c.Worker.MetricsListen },
		Run: app.RunWorker,
	})
}

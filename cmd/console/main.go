// Command console is the private process: the HTTP API and the live streams. Any
// number of consoles may run.
package main

import (
	"zflow/internal/app"
	"zflow/internal/command/process"
	"zflow/internal/settings"
)

func main() {
	process.Main(process.Process{
		Name: "console", Short: "Serve the HTTP API and the live streams",
		Long: "Serve the HTTP API and the live streams. SIGTERM ends the streams, which clients\nresume, and lets the requests under way finish.",
		For:  settings.ForConsole, Health: func(c *settings.Config) string { return c.Console.MetricsListen },
		Run: app.RunConsole,
	})
}

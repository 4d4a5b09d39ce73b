package main

import (
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"zflow/internal/app"
	"zflow/internal/terminal"
)

const aboutSim = `Run a simulated Zoom: an app of every kind with its OAuth, the REST operations that
zflow uses, signed webhooks with Zoom's retries, and WebSockets. GET /sim/v1/apps tells
the credentials it made, POST /sim/v1/events makes something happen, GET /sim/v1/ledger
lists every call. Whoever opens /oauth/authorize has consented at once.

Things go wrong on demand: POST /sim/v1/consent ({"client_id": …, "deny": true}, "wait",
"scopes", "account_id", "user_id"), /sim/v1/removals (the app is removed at Zoom's side),
/sim/v1/chaos ([{"seed": 1, "drop": 0.1, "duplicate": 0.1, "delay": 0.1, "late": "1h"}];
[] ends it), /sim/v1/faults (calls fail), /sim/v1/sockets (connections break). All of it
is in docs/simulator.md.`

func simCommand(sh *shell) *cobra.Command {
	var listen, secret, deliver string
	c := &cobra.Command{
		Use: "sim", Short: "Run a simulated Zoom to develop against", Long: aboutSim,
		Example: "  zflow sim --deliver http://127.0.0.1:8080/hooks/zoom/default --secret …\n" +
			`  curl -X POST localhost:8090/sim/v1/events -d '{"type": "meeting.ended"}'`,
		Args: terminal.Args(),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("starting the simulator: %w", err)
			}
			fmt.Fprintf(sh.Out, "zoom      http://%s (simulated)\nready\n", l.Addr())
			return app.RunSim(c.Context(), l, secret, deliver)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8090", "`address` to serve at")
	c.Flags().StringVar(&secret, "secret", "", "secret `token` that signs its webhooks; if not given, one is made")
	c.Flags().StringVar(&deliver, "deliver", "", "`URL` that gets its events, validated first")
	return c
}

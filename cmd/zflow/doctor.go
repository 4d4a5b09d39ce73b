package main

import (
	"cmp"
	"fmt"
	"os"

	"zflow/internal/app"
	"zflow/internal/operator/doctor"
	"zflow/internal/settings"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutDoctor = `Find out what is wrong, and say what to do about it: the server, how it keeps
messages, its streams and consumers, room and clock, workflows that lag or are
paused, and runs that nobody goes on with.

Of a worker it learns how connections are, stored ones too, whether they get tokens and
what scopes they lack; and of each app of zoom.apps its event subscriptions, its WebSocket,
its last event, and whether that is of an account that is connected.

With --config it also examines the Zoom apps and connections of a configuration,
with --ingest-metrics what Zoom's requests met, with --histories all histories. Exits 1 if anything is wrong.`

func doctorCommand(sh *shell) *cobra.Command {
	var config, metrics string
	var histories bool
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "doctor", Short: "Find out what is wrong, and what to do about it", Long: aboutDoctor, Args: terminal.Args(),
		Example: "  zflow doctor\n  zflow doctor --config zflow.yaml --ingest-metrics http://127.0.0.1:9090/metrics",
		RunE: func(c *cobra.Command, _ []string) error {
			doctor, err := sh.doctor(config, cmp.Or(metrics, sh.Env("ZFLOW_INGEST_METRICS")))
			if err != nil {
				return err
			}
			doctor.Histories, doctor.Progress = histories, sh.Progress("appends checked")
			report := doctor.Examine(c.Context())
			if err := sh.printReport(report); err != nil {
				return err
			}
			if len(report.Findings) > 0 {
				return terminal.ErrSaid
			}
			return nil
		},
	}))
	c.Flags().StringVar(&config, "config", "", "configuration `file` of the processes to examine too")
	c.Flags().BoolVar(&histories, "histories", false, "read all histories too, and check that nothing of them is missing or was altered")
	c.Flags().StringVar(&metrics, "ingest-metrics", "", "`URL` of ingest's metrics (ZFLOW_INGEST_METRICS)")
	return c
}

func (sh *shell) doctor(config, metrics string) (doctor.Doctor, error) {
	c := app.DoctorConfig{URL: cmp.Or(sh.Server, sh.Env("ZFLOW_SERVER")), Creds: cmp.Or(sh.Creds, sh.Env("ZFLOW_CREDS")),
		Durability: cmp.Or(sh.Durability, sh.Env("ZFLOW_DURABILITY")), Metrics: metrics}
	var err error
	if config != "" {
		c.Config, err = settings.Load(settings.Setup{File: config, Environ: os.Environ(), Others: sharedVariables()})
	} else if c.URL == "" {
		c.URL, err = sh.Address()
	}
	if err != nil {
		return doctor.Doctor{}, err
	}
	return app.NewDoctor(c)
}

// sharedVariables are those of the environment that stand for flags of commands.
func sharedVariables() []string {
	return []string{"ZFLOW_SERVER", "ZFLOW_CREDS", "ZFLOW_DURABILITY", "ZFLOW_INGEST", "ZFLOW_INGEST_METRICS", "ZFLOW_ZOOM_SECRET", "ZFLOW_CONFIG"}
}

func (sh *shell) printReport(r doctor.Report) error {
	if sh.JSON() {
		return sh.PrintJSON(r)
	}
	if r.Server != "" {
		if err := sh.Print("server      %s, nats-server %s\ndurability  %s\n", r.Server, r.Version, cmp.Or(r.Durability, "none")); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		about := f.Check
		if f.About != "" {
			about += " " + f.About
		}
		if err := sh.Print("\n%s  %s: %s\n       %s\n", sh.Paint("error"), about, f.Wrong, f.Advice); err != nil {
			return err
		}
	}
	for _, n := range r.Notes {
		if err := sh.Print("\nnote   %s\n", n); err != nil {
			return err
		}
	}
	verdict := sh.Paint("ok") + ": nothing is wrong"
	if n := len(r.Findings); n > 0 {
		verdict = fmt.Sprintf("%s to look after", terminal.Plural(n, "thing"))
	}
	return sh.Print("\n%s\n", verdict)
}

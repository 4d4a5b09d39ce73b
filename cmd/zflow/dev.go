package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"zflow/internal/app"
	"zflow/internal/settings"
	"zflow/internal/terminal"
)

const aboutDev = `Run all of zflow in one process: broker, ingest and worker, on loopback. The
workflows of a folder (default: this one) are deployed, and again whenever a file
changes. With --sim a simulated Zoom comes along, and a folder without workflows
gets a first one.

It prints "ready" on a line of its own once it serves; SIGTERM or Ctrl-C drains it.`

// devFlags are those of dev; each has a ZFLOW_ environment variable of its name.
type devFlags struct {
	data, ingest, nats, simListen, secret, config string
	console, token, smtp                          string
	sim                                           bool
	allow                                         []string
}

func devCommand(sh *shell) *cobra.Command {
	f := &devFlags{}
	c := &cobra.Command{
		Use: "dev [DIR]", Short: "Run everything in one process, and reload workflows as they change", Long: aboutDev,
		Example: "  zflow dev --sim\n  zflow dev workflows/ --data /var/lib/zflow --zoom-secret …",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return terminal.Misused("there is nothing to do with the argument %q: dev takes one folder", args[1])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return runDev(c, sh, f, append(args, ".")[0])
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.data, "data", terminal.DevData, "`folder` for all that lasts")
	flags.StringVar(&f.ingest, "ingest-listen", "127.0.0.1:8080", "`address` for Zoom's webhooks: /hooks/zoom/default, and HTTP triggers: /http/…")
	flags.StringVar(&f.smtp, "smtp-listen", "127.0.0.1:2525", "`address` for mails to workflows, of any domain; \"\" for none")
	flags.StringVar(&f.nats, "nats-listen", "127.0.0.1:4222", "loopback `address` for NATS clients, without credentials")
	flags.BoolVar(&f.sim, "sim", false, "run a simulated Zoom, and connect to it")
	flags.StringVar(&f.simListen, "sim-listen", "127.0.0.1:8090", "`address` of the simulated Zoom")
	flags.StringVar(&f.secret, "zoom-secret", "", "secret `token` of app default; if not given, one is made and kept in the data folder")
	flags.StringVar(&f.console, "console-listen", "127.0.0.1:8081", "`address` for the HTTP API and the live streams")
	flags.StringVar(&f.token, "api-token", "", "`token` of the HTTP API that may do everything; if not given, one is made and kept in the data folder")
	flags.StringVar(&f.config, "config", "", "configuration `file` for connections, secrets and limits")
	flags.StringSliceVar(&f.allow, "http-allow", nil, "`hosts` and CIDRs that http.request may call though they are not public")
	return c
}

// leastToken is how long a token must be: nobody guesses it.
const leastToken = 16

func runDev(c *cobra.Command, sh *shell, f *devFlags, dir string) error {
	if err := fromEnvironment(c, sh); err != nil {
		return err
	}
	config, err := loadConfig(c, f.config)
	if err != nil {
		return err
	}
	if f.token != "" && len(f.token) < leastToken {
		return terminal.Misused("--api-token has %d characters: it is to have at least %d", len(f.token), leastToken)
	}
	if c.Flags().Changed("http-allow") {
		config.HTTPAllow = f.allow
	}
	f.mayTake(c, sh)
	simListen := ""
	if f.sim {
		simListen = f.simListen
	}
	dev, err := app.StartDev(c.Context(), app.DevConfig{
		Dir: dir, Data: f.data, IngestListen: f.ingest, NATSListen: f.nats, SMTPListen: f.smtp, SimListen: simListen, ZoomSecret: f.secret,
		ConsoleListen: f.console, APIToken: f.token, Config: config, Out: sh.Out, Log: logger(sh),
	})
	if c.Context().Err() != nil && err != nil {
		return nil // it was asked to end before it was ready
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(sh.Out, "webhooks  %s/hooks/zoom/default\nnats      %s\n", dev.IngestURL(), dev.NATSURL())
	f.printConsole(sh, dev)
	for _, r := range dev.Requests() {
		fmt.Fprintf(sh.Out, "http      %s\n", r)
	}
	for _, m := range dev.Mailboxes() {
		fmt.Fprintf(sh.Out, "mail      %s@… at %s\n", m, dev.MailAddr())
	}
	if dev.Sim() != nil {
		fmt.Fprintf(sh.Out, "zoom      %s (simulated)\n", dev.SimURL())
	}
	fmt.Fprintln(sh.Out, "ready")
	err = dev.Wait(c.Context())
	dev.Close()
	if err != nil && !errors.Is(err, c.Context().Err()) {
		return err
	}
	return nil
}

// mayTake leaves mail out where its port, which nobody has named, is another's.
func (f *devFlags) mayTake(c *cobra.Command, sh *shell) {
	if c.Flags().Changed("smtp-listen") || f.smtp == "" {
		return
	}
	l, err := net.Listen("tcp", f.smtp)
	if err != nil {
		fmt.Fprintf(sh.Out, "no mail is received: %v (--smtp-listen names another address)\n", err)
		f.smtp = ""
		return
	}
	_ = l.Close() // nobody has connected
}

// printConsole says where the API is, and its token where that was made.
func (f *devFlags) printConsole(sh *shell, dev *app.Dev) {
	token := "the token is that of --api-token"
	if f.token == "" {
		token = "token " + dev.APIToken()
	}
	fmt.Fprintf(sh.Out, "api       %s/api/v1 (%s)\n", dev.ConsoleURL(), token)
}

// fromEnvironment gives flags that were not given the values of ZFLOW_ variables.
func fromEnvironment(c *cobra.Command, sh *shell) (err error) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		value := sh.Env(variable(f))
		if f.Changed || value == "" || err != nil {
			return
		}
		if e := c.Flags().Set(f.Name, value); e != nil {
			err = terminal.Misused("%s: %v", variable(f), e)
		}
	})
	return err
}

func variable(f *pflag.Flag) string {
	return "ZFLOW_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// loadConfig reads the configuration, where the variables of flags are no keys.
func loadConfig(c *cobra.Command, file string) (*settings.Config, error) {
	flags := sharedVariables()
	c.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, variable(f)) })
	return settings.Load(settings.Setup{File: file, Environ: os.Environ(), Others: flags})
}

// logger logs warnings to standard error, for people.
func logger(sh *shell) *zap.Logger {
	e := zap.NewDevelopmentEncoderConfig()
	e.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(e), zapcore.AddSync(sh.Err), zap.WarnLevel))
}

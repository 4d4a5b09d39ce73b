package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"zflow/internal/app/broker"
)

// options are what the command was asked to do.
type options struct {
	broker.Config
	health bool
	level  string
}

func (o *options) define(f *pflag.FlagSet) {
	f.StringVar(&o.File, "config", "", "nats-server configuration `file`, such as configs/nats.conf")
	f.StringVar(&o.Data, "data", "", "`folder` of the streams; goes before the configuration's store_dir")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:4222", "`address` for clients; goes before the configuration's host and port; without --config loopback only")
	f.StringVar(&o.MetricsListen, "metrics-listen", "127.0.0.1:9093", "`address` of /healthz, /readyz and /metrics; empty for none")
	f.StringVar(&o.level, "log", "info", "least `level` that is logged: debug, info, warn, error")
	f.BoolVar(&o.health, "healthcheck", false, "ask the broker that runs here whether it is well, and exit")
}

// complete fills in what the environment says, and checks the whole.
func (o *options) complete(f *pflag.FlagSet) (err error) {
	f.VisitAll(func(flag *pflag.Flag) {
		name := "ZFLOW_BROKER_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		value, set := os.LookupEnv(name)
		if !set || flag.Changed || err != nil {
			return
		}
		if e := f.Set(flag.Name, value); e != nil {
			err = usage{fmt.Errorf("reading %s: %w", name, e)}
		}
	})
	if err != nil {
		return err
	}
	if o.File != "" && !f.Changed("listen") {
		o.Listen = "" // where the configuration says
	}
	level, err := zap.ParseAtomicLevel(o.level)
	if err != nil {
		return usage{fmt.Errorf("reading --log: %w", err)}
	}
	c := zap.NewProductionConfig()
	c.Level = level
	if o.Log, err = c.Build(); err != nil {
		return fmt.Errorf("starting the log: %w", err)
	}
	return nil
}

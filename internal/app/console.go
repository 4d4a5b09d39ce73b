package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"zflow/internal/app/garbage"
	"zflow/internal/app/link"
	"zflow/internal/console"
	"zflow/internal/public"
	"zflow/internal/settings"
	"zflow/internal/tokens"
)

// Tokens are those of the API.
func (c *Client) Tokens(ctx context.Context) (*tokens.Store, error) {
	s, err := tokens.Open(ctx, c.JS, c.Gate)
	return s, notSetUp(err)
}

// RunConsole runs the console process of a configuration until ctx ends, then
// drains. It waits for a server that is not there yet.
func RunConsole(ctx context.Context, c *settings.Config, log *zap.Logger) error {
	garbage.Grow(garbage.Twofold)
	site, err := public.NewSite(c.PublicURL, c.TrustedProxies)
	if err != nil {
		return err
	}
	config := console.Config{Site: site, Listen: c.Console.Listen, MetricsListen: c.Console.MetricsListen, Log: log}
	for _, t := range c.Console.Tokens {
		config.Tokens = append(config.Tokens, t.Reveal())
	}
	config.Open = func(ctx context.Context) (*console.Backend, error) { return openBackend(ctx, c, log) }
	o, err := console.New(ctx, config)
	if ctx.Err() != nil && err != nil {
		return nil // it was asked to end before it had begun anything
	}
	if err != nil {
		return err
	}
	return o.Run(ctx)
}

// notYet is how often a console looks for what a worker makes.
const notYet = time.Second

// openBackend connects, and waits until a worker has made what zflow keeps there.
func openBackend(ctx context.Context, c *settings.Config, log *zap.Logger) (*console.Backend, error) {
	registry, err := Actions(ActionsConfig{})
	if err != nil {
		return nil, err
	}
	cc := clientConfig(c, "zflow console")
	nc, err := link.Dial(ctx, cc.Config)
	if err != nil {
		return nil, err
	}
	cc.Known = Known(registry, connectionsOn(nc))
	for {
		client, err := OpenOn(ctx, nc, cc)
		if err == nil {
			var b *console.Backend
			if b, err = backendOf(ctx, client); err == nil {
				return b, nil
			}
		}
		if ctx.Err() != nil || !errors.Is(err, errNotSetUp) {
			nc.Close()
			return nil, fmt.Errorf("opening what zflow keeps on the server: %w", err)
		}
		log.Info("waiting for a worker to make the streams", zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(notYet):
		}
	}
}

func backendOf(ctx context.Context, client *Client) (*console.Backend, error) {
	t, err := client.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	return &console.Backend{Operator: client.Operator(), Tokens: t, Close: client.Close}, nil
}

// startConsole starts the API where dev is to have one.
func (d *Dev) startConsole(ctx context.Context) error {
	if d.config.ConsoleListen == "" {
		d.state.Console = ""
		return nil
	}
	b, err := backendOf(ctx, d.client)
	if err != nil {
		return err
	}
	b.Close = func() {} // the connection is dev's
	d.console, err = console.New(ctx, console.Config{Listen: d.config.ConsoleListen, Tokens: []string{d.state.APIToken}, Log: d.config.Log,
		Open: func(context.Context) (*console.Backend, error) { return b, nil }})
	if err != nil {
		return err
	}
	d.state.Console = d.ConsoleURL()
	d.run("console", d.console.Run)
	return nil
}

// ConsoleURL is where the API is, empty where there is none.
func (d *Dev) ConsoleURL() string {
	if d.console == nil {
		return ""
	}
	return "http://" + d.console.Addr()
}

// APIToken is the one of the configuration that dev's API takes.
func (d *Dev) APIToken() string { return d.state.APIToken }

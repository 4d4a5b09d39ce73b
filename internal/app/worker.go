package app

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/actions"
	"zflow/actions/code"
	"zflow/engine/blobs"
	"zflow/engine/router"
	"zflow/engine/waits"
	"zflow/engine/worker"
	"zflow/internal/app/able"
	"zflow/internal/app/accounts"
	"zflow/internal/app/ends"
	"zflow/internal/app/feeds"
	"zflow/internal/app/garbage"
	"zflow/internal/app/link"
	"zflow/internal/app/mailboxes"
	"zflow/internal/app/routes"
	"zflow/internal/app/streams"
	"zflow/internal/connections"
	"zflow/internal/described"
	"zflow/internal/durable"
	"zflow/internal/public"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/internal/vault"
	"zflow/proto"
	"zflow/sources"
)

// WorkerConfig is what the process that runs workflows is made of.
type WorkerConfig struct {
	*settings.Config
	Keys    *sealed.Keys
	Grants  *connections.Keyring // seals the tokens of connections
	Alone   bool                 // no other worker exists
	Flusher *durable.Flusher     // of the broker in this process; nil: it is another process
	Log     *zap.Logger

	site    public.Site   // made by newWorker
	runtime *code.Runtime // the same
	vault   *vault.Vault  // the same
	scripts *scripts      // the same
	ingest  string        // where ingest is in this process, without a path; empty: it is another
}

// RunWorker runs the worker process of a configuration until ctx ends, then
// drains. It waits for a server that is not there yet.
func RunWorker(ctx context.Context, c *settings.Config, log *zap.Logger) error {
	garbage.Grow(garbage.Twofold)
	keys, err := sealed.LoadKeys(c.Worker.SealingKeysFile)
	if err != nil {
		return fmt.Errorf("starting worker: %w", err)
	}
	grants, err := connections.LoadOrCreateKeyring(accounts.KeysFile(c.Worker.SealingKeysFile))
	if err != nil {
		return fmt.Errorf("starting worker: %w", err)
	}
	nc, err := link.Dial(ctx, clientConfig(c, "zflow worker").Config)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer nc.Close()
	w, err := newWorker(ctx, nc, WorkerConfig{Config: c, Keys: keys, Grants: grants, Log: log})
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer w.close()
	stop, err := serveWorkerHealth(c.Worker.MetricsListen, nc, w)
	if err != nil {
		return fmt.Errorf("starting worker: %w", err)
	}
	defer stop()
	return w.run(ctx)
}

// workerProcess is a worker with what runs beside it.
type workerProcess struct {
	*worker.Worker
	client   *Client
	accounts *accounts.Accounts
	feeds    *feeds.Feeds
	routes   *routes.Desk
	runtime  *code.Runtime
	able     *able.Server
	scripts  *scripts
	vault    *vault.Vault

	mailboxes *mailboxes.Mailboxes
	ends      ends.Options
}

// run works until ctx ends, then drains.
func (p *workerProcess) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var beside sync.WaitGroup
	beside.Go(func() { p.feeds.Run(ctx) })
	beside.Go(func() { p.vault.Run(ctx) })
	beside.Go(func() { p.ends.Run(ctx) })
	beside.Go(func() {
		if err := p.mailboxes.Run(ctx); err != nil && ctx.Err() == nil {
			p.Log.Error("mailboxes are not read", zap.Error(err))
		}
	})
	err := p.Run(ctx)
	stop()
	beside.Wait()
	return err
}

// close ends what the worker worked with, once it has ended.
func (p *workerProcess) close() {
	p.routes.Close()
	p.able.Close()
	if err := p.runtime.Close(); err != nil {
		p.Log.Warn("ending the processes of code", zap.Error(err))
	}
	p.feeds.Close()
	p.accounts.Close()
}

// unlessEnded explains why a worker cannot start. Who was asked to end before it
// had begun anything, such as while it waited for a server, has not failed.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("starting worker: %w", err)
}

// clientConfig says how a process of a configuration reaches the server.
func clientConfig(c *settings.Config, name string) ClientConfig {
	cc := ClientConfig{Config: link.Config{URL: c.NATS.URL, Creds: c.NATS.Creds, Name: name, Wait: true, Options: link.Login(c.NATS)}}
	if c.NATS.Durability != settings.DurabilityAuto {
		cc.Declared = durable.Mode(c.NATS.Durability)
	}
	return cc
}

// newWorker makes the streams, then a worker on them. The connection is the
// caller's.
func newWorker(ctx context.Context, nc *nats.Conn, c WorkerConfig) (*workerProcess, error) {
	nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		c.Log.Warn("NATS reports an error", zap.Error(err))
	})
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	if c.site, err = public.NewSite(c.PublicURL, c.TrustedProxies); err != nil {
		return nil, err
	}
	cc := clientConfig(c.Config, "")
	if err := prepare(ctx, nc, js, c, &cc); err != nil {
		return nil, err
	}
	if c.vault, err = vaultOf(ctx, c); err != nil {
		return nil, err
	}
	c.runtime = runtimeOf(c.Worker.Code)
	c.scripts = newScripts()
	p := &workerProcess{runtime: c.runtime, scripts: c.scripts, vault: c.vault}
	services, err := servicesOf(c)
	if err != nil {
		return nil, err
	}
	p.accounts, err = accounts.Open(ctx, nc, js, accounts.Config{Config: c.Config, Site: c.site, Keys: c.Keys, Grants: c.Grants, Gate: cc.Gate, Log: c.Log, Services: services})
	if err != nil {
		return nil, err
	}
	if p.Worker, p.client, err = workerOn(ctx, nc, c, cc, p.accounts); err == nil {
		p.feeds, err = feeds.Open(ctx, nc, js, feeds.Config{Apps: c.Zoom.Apps, Holder: p.ID(), Tokens: p.accounts, Leases: p.client.Leases,
			Publish: p.client.Publisher.Publish, Key: c.Keys.Public(), Log: c.Log,
			Portal: feeds.Portal{Site: c.site, Ingest: c.Ingest.Apps, Apps: p.accounts, Workflows: p.client.deployed}})
	}
	if err == nil {
		p.routes, err = routes.Serve(nc, routes.Options{Catalog: p.client.Catalog, History: p.client.History, Blobs: p.client.Blobs, Secrets: c.vault.Values,
			Base: strings.TrimSuffix(cmp.Or(c.site.URL("/"), c.ingest+"/"), "/"), Log: c.Log})
	}
	if err == nil {
		p.mailboxes, err = mailboxesOn(c, p.client, p.ID(), p.accounts.Credential)
	}
	if err == nil {
		p.ends = ends.Options{JS: js, Catalog: p.client.Catalog, History: p.client.History, Blobs: p.client.Blobs, Leases: p.client.Leases,
			Holder: p.ID(), Publish: p.client.Publisher.Publish, Log: c.Log}
	}
	if err == nil {
		p.able, err = able.Serve(nc, p.ID(), p.runtime.Found)
	}
	if err != nil {
		p.accounts.Close()
		return nil, err
	}
	return p, nil
}

// prepare opens the Gate and makes the streams.
func prepare(ctx context.Context, nc *nats.Conn, js jetstream.JetStream, c WorkerConfig, cc *ClientConfig) (err error) {
	if cc.Gate, err = durable.Open(ctx, nc, durable.Options{Declared: cc.Declared, Streams: ourStreams, Flusher: c.Flusher}); err != nil {
		return err
	}
	if cc.Gate.Warning() != "" {
		c.Log.Warn(cc.Gate.Warning())
	}
	limits, err := streams.FitOn(ctx, cc.Gate, c.Streams, c.Log)
	if err != nil {
		return err
	}
	return streams.MakeIn(ctx, js, limits, c.Log)
}

// workerOn makes a worker on streams that there are.
func workerOn(ctx context.Context, nc *nats.Conn, c WorkerConfig, cc ClientConfig, tokens *accounts.Accounts) (*worker.Worker, *Client, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, nil, err
	}
	kept, err := blobs.Open(ctx, js, cc.Gate)
	if err != nil {
		return nil, nil, err
	}
	local, err := localOn(ctx, js, cc.Gate, c)
	if err != nil {
		return nil, nil, err
	}
	requests, err := requestsOf(ActionsConfig{HTTPAllow: c.HTTPAllow, HTTP: c.HTTP, Files: FilesIn(kept), Credential: credentialsOf(tokens.Credential)})
	if err != nil {
		return nil, nil, err
	}
	var registry *actions.Registry
	scripts := codeOn(js, c.runtime, tokens, local.Data)
	scripts.Act = func(ctx context.Context, action string, c actions.Call) (actions.Result, error) {
		return registry.Get(action).Do(ctx, c)
	}
	registry, err = Actions(ActionsConfig{Local: local, Requests: requests, Token: tokens.Token, Renew: tokens.Renew,
		Flow: flowOn(nc, sources.NewPublisher(js, cc.Gate)), Files: FilesIn(kept), Code: scripts})
	if err != nil {
		return nil, nil, err
	}
	cc.Known = Known(registry, tokens.Kind)
	cc.Known.Runs, cc.Known.Describe, cc.Known.Bundle = runsAt(c.site), described.With(requests), c.scripts.of
	client, err := OpenOn(ctx, nc, cc)
	if err != nil {
		return nil, nil, err
	}
	waiters, err := waits.Open(ctx, js, cc.Gate)
	if err != nil {
		return nil, nil, err
	}
	events, err := router.Open(ctx, js, cc.Gate, router.Stores{Waits: waiters, Wakes: client.Stores.Wakes}, c.Log)
	if err != nil {
		return nil, nil, err
	}
	w := worker.New(worker.Config{
		NC: nc, Gate: cc.Gate, Catalog: client.Catalog, Router: events, Stores: client.Stores, Actions: registry, Keys: c.Keys,
		Secrets: c.vault.Sealed, Log: c.Log, Slots: c.Worker.Slots, MaxHeld: c.Worker.MaxHeld, Alone: c.Alone,
		Outside: worker.Outside{Account: tokens.Account, Connection: tokens.Of, Ended: routes.Over(nc).Ended, Unmatched: routes.Over(nc).Unmatched},
	})
	if c.Alone {
		err = w.TakeAll(ctx)
	}
	return w, client, err
}

// vaultOf reads what workflows see as secrets.
func vaultOf(ctx context.Context, c WorkerConfig) (*vault.Vault, error) {
	from := make(map[string]vault.Source, len(c.Secrets))
	for name, s := range c.Secrets {
		from[name] = vault.Source{Text: s.Reveal(), File: s.File, Command: s.Command, TTL: time.Duration(s.TTL)}
	}
	return vault.Open(ctx, from, c.Keys.Public().Seal, c.Log)
}

// runsAt is the address of the pages of runs: the console's, on this machine where
// others do not reach it.
func runsAt(site public.Site) string {
	return cmp.Or(site.URL("/runs/"), "http://127.0.0.1:8081/runs/")
}

// ourStreams are those whose durability is checked at the start.
var ourStreams = []string{proto.Events, proto.Runs, proto.Wakes, proto.Bucket(proto.Definitions), proto.Bucket(proto.Leases), proto.Bucket(proto.Once)}

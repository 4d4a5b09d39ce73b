package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"zflow/internal/app/broker"
	"zflow/internal/app/garbage"
	"zflow/internal/app/intake"
	"zflow/internal/app/link"
	"zflow/internal/connections"
	"zflow/internal/console"
	"zflow/internal/durable"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/internal/zoomsim"
	"zflow/sources/zoom"
)

// DevConfig says how to run all of zflow in one process.
type DevConfig struct {
	Dir          string // of workflows; reloaded when it changes
	Data         string // what lasts: streams, keys, dev.json
	IngestListen string
	NATSListen   string // loopback only; empty: none
	SMTPListen   string // receives mail for any domain; empty: none
	SimListen    string // of the simulator; empty: no simulator
	ZoomSecret   string // the secret token of app default; empty: made, and kept

	ConsoleListen string // of the API; empty: none
	APIToken      string // that it takes; empty: made, and kept

	Config *settings.Config
	Sim    zoomsim.Options
	Out    io.Writer // for people
	Log    *zap.Logger
}

// Dev is all of zflow in one process: broker, ingest, worker, and the simulator
// if asked for.
type Dev struct {
	config DevConfig
	state  devState
	broker *broker.Broker
	client *Client
	intake *intake.Intake
	worker *workerProcess
	sim    *zoomsim.Sim
	folder *folder

	console *console.Console // nil: none

	stops []func() // what Close does, last first
	fail  chan error
}

// StartDev starts everything and returns once it serves and the folder's
// workflows are deployed. The caller calls Close.
func StartDev(ctx context.Context, c DevConfig) (*Dev, error) {
	if c.Config == nil {
		c.Config = settings.Default()
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	garbage.Grow(garbage.Twofold)
	d := &Dev{config: c, fail: make(chan error, 8)}
	for _, start := range []func(context.Context) error{
		d.openData, d.startBroker, d.startSim, d.startWorker, d.startIngest, d.startConsole, d.startFolder, d.subscribe,
	} {
		if err := start(ctx); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// Client returns the connection that dev works on.
func (d *Dev) Client() *Client { return d.client }

// Sim returns the simulator, nil where there is none.
func (d *Dev) Sim() *zoomsim.Sim { return d.sim }

// NATSURL and IngestURL are where clients and Zoom connect.
func (d *Dev) NATSURL() string { return d.broker.URL() }

// IngestURL is where Zoom's requests come to, without the path.
func (d *Dev) IngestURL() string { return "http://" + d.intake.Addr() }

// Requests are the methods and addresses of the workflows that HTTP requests start.
func (d *Dev) Requests() []string {
	all := d.intake.Requests()
	for i, r := range all {
		method, path, _ := strings.Cut(r, " ")
		all[i] = method + " " + d.IngestURL() + path
	}
	return all
}

// Mailboxes are those of workflows, and MailAddr is where mail for them is received.
func (d *Dev) Mailboxes() []string { return d.intake.Mailboxes() }

// MailAddr is where mail is received, empty where none is.
func (d *Dev) MailAddr() string { return d.intake.MailAddr() }

// SimURL is where the simulator listens.
func (d *Dev) SimURL() string { return d.state.Sim }

// Flushes says what the broker's flush service has done.
func (d *Dev) Flushes() durable.Counts { return d.broker.Flushes() }

// Wait returns when ctx ends, or with the error of a part that failed.
func (d *Dev) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.fail:
		return err
	case <-d.broker.Done():
		return errors.Join(errors.New("the broker ended"), d.broker.Err())
	}
}

// Close drains: nothing new is taken in, what is under way ends, then the broker goes.
func (d *Dev) Close() {
	for len(d.stops) > 0 {
		last := len(d.stops) - 1
		d.stops[last]()
		d.stops = d.stops[:last]
	}
}

// run runs a part until Close comes to it.
func (d *Dev) run(name string, part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := part(ctx); err != nil {
			d.fail <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	d.stops = append(d.stops, func() { cancel(); <-done })
}

func (d *Dev) openData(context.Context) error {
	if info, err := os.Stat(d.config.Dir); err != nil {
		return fmt.Errorf("reading workflows: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("reading workflows: %s is not a folder", d.config.Dir)
	}
	if err := os.MkdirAll(d.config.Data, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if err := folderOf(d.config.Config, d.config.Data); err != nil {
		return fmt.Errorf("making the folder for files: %w", err)
	}
	var err error
	d.state, err = readDevState(d.config.Data)
	if d.config.APIToken != "" {
		d.state.APIToken = d.config.APIToken
	}
	return err
}

func (d *Dev) startBroker(ctx context.Context) (err error) {
	d.broker, err = broker.Start(ctx, broker.Config{
		Data: filepath.Join(d.config.Data, "jetstream"), Listen: d.config.NATSListen, Log: d.config.Log,
		Always: d.config.Config.NATS.Durability == settings.DurabilityAlways,
	})
	if err != nil {
		return err
	}
	d.stops = append(d.stops, d.broker.Shutdown)
	return nil
}

// startSim starts the simulator and makes its first app the connection "zoom".
func (d *Dev) startSim(context.Context) error {
	if d.config.ZoomSecret != "" {
		d.state.ZoomSecret = d.config.ZoomSecret
	}
	if d.config.SimListen == "" {
		d.state.Sim = ""
		return nil
	}
	l, err := net.Listen("tcp", d.config.SimListen)
	if err != nil {
		return fmt.Errorf("starting the simulator: %w", err)
	}
	o := d.config.Sim
	o.Imagine, o.NoMe, o.Apps = true, true, zoomsim.EachKind(d.state.ZoomSecret)
	d.sim = zoomsim.New(o)
	d.state.Sim = "http://" + l.Addr().String()
	app := d.sim.Apps()[0]
	config := *d.config.Config
	config.Connections = map[string]settings.Connection{}
	maps.Copy(config.Connections, d.config.Config.Connections)
	config.Zoom.OAuthURL, config.Zoom.APIURL = d.state.Sim, d.state.Sim+"/v2"
	config.Connections["zoom"] = settings.Connection{
		Kind: app.Kind, AccountID: app.AccountID, ClientID: app.ClientID, ClientSecret: settings.NewSecret(app.ClientSecret),
		APIURL: d.state.Sim + "/v2", OAuthURL: d.state.Sim,
	}
	config.Zoom.Apps = map[string]settings.ZoomApp{"default": {AppID: app.ClientID, Connection: "zoom", Reconcile: settings.Duration(time.Hour)}}
	maps.Copy(config.Zoom.Apps, d.config.Config.Zoom.Apps)
	d.config.Config = &config
	d.run("simulator", func(ctx context.Context) error { return serveSim(ctx, d.sim, l) })
	return nil
}

func (d *Dev) startWorker(ctx context.Context) error {
	keys, err := sealed.LoadOrCreateKeys(filepath.Join(d.config.Data, "sealing.keys"))
	if err != nil {
		return err
	}
	grants, err := connections.LoadOrCreateKeyring(filepath.Join(d.config.Data, "connection.keys"))
	if err != nil {
		return err
	}
	nc, err := d.broker.Connect("zflow dev", link.Options(link.Config{})...)
	if err != nil {
		return err
	}
	d.stops = append(d.stops, nc.Close)
	d.worker, err = newWorker(ctx, nc, WorkerConfig{Config: d.config.Config, Keys: keys, Grants: grants, Alone: true, Flusher: d.broker.Flusher(), Log: d.config.Log,
		ingest: "http://" + d.config.IngestListen})
	if err != nil {
		return err
	}
	d.client = d.worker.client
	d.stops = append(d.stops, d.worker.close)
	d.state.public = keys.Public().String()
	d.run("worker", d.worker.run)
	return nil
}

func (d *Dev) startIngest(ctx context.Context) (err error) {
	c := intake.ConfigOf(d.config.Config)
	c.Listen, c.MetricsListen, c.SealKey = d.config.IngestListen, "", d.state.public
	c.Mail.Listen, c.Mail.Domains = d.config.SMTPListen, []string{"*"}
	c.NATS = intake.NATS{Conn: d.client.NC, Gate: d.client.Gate}
	c.Apps = withDefault(c.Apps, d.state.ZoomSecret)
	if d.intake, err = intake.New(c, d.config.Log); err != nil {
		return err
	}
	d.run("ingest", d.intake.Run)
	select {
	case <-d.intake.Opened():
		return nil
	case err := <-d.fail:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Dev) startFolder(ctx context.Context) error {
	if d.config.SimListen != "" {
		if err := writeStarter(d.config.Dir, d.config.Out); err != nil {
			return err
		}
	}
	d.folder = &folder{dir: d.config.Dir, catalog: d.client.Catalog, known: d.client.Known, scripts: d.worker.scripts, out: d.config.Out,
		able: func() error { _, err := d.worker.runtime.Found(); return err }}
	if err := d.folder.sync(ctx); err != nil {
		return err
	}
	if err := d.intake.Learn(ctx); err != nil {
		return err
	}
	d.run("workflows", d.folder.watch)
	d.state.NATS, d.state.Ingest = d.NATSURL(), d.IngestURL()
	return d.state.write(d.config.Data)
}

// withDefault lets app default have the secret, beside those of a configuration.
func withDefault(apps []zoom.App, secret string) []zoom.App {
	for i, a := range apps {
		if a.Name == "default" {
			apps[i].Secrets = append(a.Secrets, secret)
			return apps
		}
	}
	return append(apps, zoom.App{Name: "default", Secrets: []string{secret}})
}

// subscribe makes the simulator send its events to ingest.
func (d *Dev) subscribe(ctx context.Context) error {
	if d.sim == nil {
		return nil
	}
	_, err := d.sim.Subscribe(ctx, zoomsim.Subscription{URL: d.IngestURL() + "/hooks/zoom/default"})
	return err
}

package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"sync/atomic"
	"time"

	"zflow/internal/app/garbage"
	"zflow/internal/durable"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/internal/unused"
	"zflow/sources"
	"zflow/sources/email"
	"zflow/sources/http"
	"zflow/sources/zoom"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Config is what the process that takes events from outside is made of.
// Zero numbers are the defaults.
type Config struct {
	Listen        string // for Zoom, such as ":8080"
	MetricsListen string // /healthz, /readyz, /metrics; empty: none
	NATS          NATS
	Apps          []zoom.App
	SealKey       string // the workers' public sealing key
	Verification  string // what Zoom's domain verification file says; empty: there is none
	TLS           settings.TLS
	Limits        sources.Limits
	Beside        int64         // bytes that the limits of other streams take of the disk
	Past, Future  time.Duration // bounds of a webhook's signature time
	MaxBody       int64         // of a webhook or another request, in bytes
	Triggers
	Concurrent int           // events stored at once
	Drain      time.Duration // how long a stop waits for requests under way: 10 s
}

// Triggers are how events of workflows' own triggers come in.
type Triggers struct {
	HTTP http.Limits // of requests
	Mail Mail
}

// NATS says how ingest reaches NATS.
type NATS struct {
	URL       string
	Creds     string        // a credentials file; empty: none
	Declared  durable.Mode  // of a server whose mode cannot be found
	Conn      *nats.Conn    // of the process that ingest is a part of; nil: it connects itself
	Gate      *durable.Gate // of that connection
	Options   []nats.Option // more, such as a user or the server in process
	OpenEvery time.Duration // how often opening is tried again: 1 s
}

const (
	defaultDrain     = 10 * time.Second
	defaultOpenEvery = time.Second
	spaceEvery       = 5 * time.Second
)

// Intake is the public process: it takes webhooks and stores them. It holds no
// tokens and runs no steps. It serves from the first moment, with NATS away too:
// events are then answered 503 and URL validation as ever.
type Intake struct {
	config   Config
	log      *zap.Logger
	nc       *nats.Conn
	handler  *zoom.Handler
	public   net.Listener
	private  net.Listener  // nil: none
	web      *web          // HTTP triggers
	mail     *email.Server // nil: no mail is received
	post     net.Listener  // of it
	numbers  *numbers
	store    atomic.Pointer[store]
	linked   chan struct{} // a connection to NATS was made; holds one
	opened   chan struct{} // closed once events can be stored
	draining atomic.Bool
}

// New binds the listeners, so that a port that is taken is an error here.
func New(c Config, log *zap.Logger) (*Intake, error) {
	garbage.Grow(garbage.Fourfold)
	in := &Intake{config: c, log: log, linked: make(chan struct{}, 1), opened: make(chan struct{})}
	if err := in.assemble(); err != nil {
		in.close()
		return nil, fmt.Errorf("starting ingest: %w", err)
	}
	return in, nil
}

func (in *Intake) assemble() error {
	c := in.config
	key, err := sealed.ParsePublicKey(c.SealKey)
	if err != nil {
		return err
	}
	in.handler, err = zoom.NewHandler(zoom.Config{
		Apps: c.Apps, Key: key, Publish: in.publish, Room: in.room, MaxPayload: in.maxPayload,
		Past: c.Past, Future: c.Future, MaxBody: c.MaxBody, Concurrent: c.Concurrent, Log: in.log,
	})
	if err != nil {
		return err
	}
	if in.web, err = newWeb(in); err != nil {
		return err
	}
	in.numbers = newNumbers(in)
	if in.public, err = in.listen(); err != nil {
		return err
	}
	if c.MetricsListen != "" {
		if in.private, err = net.Listen("tcp", c.MetricsListen); err != nil {
			return err
		}
	}
	if err := in.openMail(); err != nil {
		return err
	}
	in.nc, err = in.connect()
	return err
}

func (in *Intake) close() {
	for _, l := range []net.Listener{in.public, in.private, in.post} {
		if l != nil {
			_ = l.Close() // it may be closed already
		}
	}
	if in.nc != nil && in.config.NATS.Conn == nil {
		in.nc.Close()
	}
}

// Addr is the address that Zoom's requests come to.
func (in *Intake) Addr() string { return in.public.Addr().String() }

// MetricsAddr is the address of health and metrics, empty where there is none.
func (in *Intake) MetricsAddr() string {
	if in.private == nil {
		return ""
	}
	return in.private.Addr().String()
}

// Opened is closed once events can be stored.
func (in *Intake) Opened() <-chan struct{} { return in.opened }

// Stats says what became of the webhooks so far.
func (in *Intake) Stats() []zoom.Stats { return in.handler.Stats() }

// Run serves until ctx ends, then lets the requests under way finish. It returns
// nil after a clean stop. An Intake runs once.
func (in *Intake) Run(ctx context.Context) error {
	defer in.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	public, idle := in.publicServer()
	private := in.privateServer()
	ended := make(chan error, 2)
	go func() { ended <- public.Serve(in.public) }()
	if in.private != nil {
		go func() { ended <- private.Serve(in.private) }()
	}
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		in.keep(ctx)
	}()
	go in.web.keep(ctx)
	stopMail, mailEnded := in.serveMail(ctx)
	in.log.Info("ingest is listening", zap.String("address", in.Addr()), zap.String("metrics", in.MetricsAddr()))
	var failure error
	select {
	case <-ctx.Done():
	case err := <-ended:
		failure = fmt.Errorf("serving webhooks: %w", err)
	case err := <-mailEnded:
		failure = fmt.Errorf("receiving mail: %w", err)
	}
	in.draining.Store(true)
	defer time.AfterFunc(cmp.Or(in.config.Drain, defaultDrain)*3/4, in.web.handler.Stop).Stop()
	mailStopped := make(chan struct{})
	go func() {
		defer close(mailStopped)
		stopMail()
	}()
	failure = errors.Join(failure, in.drain(public, idle))
	<-mailStopped
	stop(nil)
	<-kept
	return errors.Join(failure, private.Close())
}

// drain stops taking connections and waits for the requests under way; NATS stays
// connected for them.
func (in *Intake) drain(public *nethttp.Server, idle *unused.Conns) error {
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(in.config.Drain, defaultDrain))
	defer cancel()
	defer time.AfterFunc(unusedFor, idle.Close).Stop()
	if err := public.Shutdown(ctx); err != nil {
		return fmt.Errorf("waiting for the webhooks under way: %w", errors.Join(err, public.Close()))
	}
	return nil
}

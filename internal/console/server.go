package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"zflow/internal/operator"
	"zflow/internal/public"
	"zflow/internal/tokens"
)

// Config is what a console is made of.
type Config struct {
	Listen        string
	MetricsListen string // /healthz, /readyz, /metrics; empty: none
	Tokens        []string
	Site          public.Site                             // tells who asks behind a proxy
	Open          func(context.Context) (*Backend, error) // waits for the server
	Drain         time.Duration                           // how long a stop waits for requests under way: 10 s
	Log           *zap.Logger

	ping       time.Duration // of a stream: 15 s
	writeLimit time.Duration // how long a client may take to read what was sent: 10 s
}

// Backend is what the console asks.
type Backend struct {
	Operator *operator.Operator
	Tokens   *tokens.Store
	Close    func()
}

const (
	defaultDrain      = 10 * time.Second
	defaultPing       = 15 * time.Second
	defaultWriteLimit = 10 * time.Second
)

// Limits of requests. An answer may take as long as an order to a run does.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 15 * time.Second
	answerWithin   = 25 * time.Second
	writeTimeout   = 40 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
)

// Console is the process. It runs once.
type Console struct {
	config   Config
	api      *api
	public   net.Listener
	private  net.Listener // nil: none
	backend  *Backend     // opened early; nil: Run opens it
	draining atomic.Bool
}

// New binds the listeners, so that a port that is taken is an error here. Where it
// is to listen beyond loopback without a token of the configuration, it waits for
// the server first, to see whether that has one.
func New(ctx context.Context, c Config) (*Console, error) {
	c.Drain, c.ping, c.writeLimit = cmp.Or(c.Drain, defaultDrain), cmp.Or(c.ping, defaultPing), cmp.Or(c.writeLimit, defaultWriteLimit)
	o := &Console{config: c, api: newAPI(c)}
	if err := o.bind(ctx); err != nil {
		o.close()
		return nil, fmt.Errorf("starting the console: %w", err)
	}
	return o, nil
}

func (o *Console) bind(ctx context.Context) (err error) {
	if o.config.MetricsListen != "" {
		if o.private, err = net.Listen("tcp", o.config.MetricsListen); err != nil {
			return err
		}
	}
	if len(o.config.Tokens) == 0 && !loopback(o.config.Listen) {
		if err := o.guarded(ctx); err != nil {
			return err
		}
	}
	o.public, err = net.Listen("tcp", o.config.Listen)
	return err
}

// loopback tells whether an address can be reached from this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// guarded sees to it that somebody has a token.
func (o *Console) guarded(ctx context.Context) (err error) {
	if o.backend, err = o.config.Open(ctx); err != nil {
		return err
	}
	all, err := o.backend.Tokens.List(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if !t.Expired {
			return nil
		}
	}
	return fmt.Errorf("it is to listen at %s, which others can reach, and no token exists: make one with `zflow tokens create`, "+
		"set console.tokens, or let it listen at 127.0.0.1 only", o.config.Listen)
}

func (o *Console) close() {
	for _, l := range []net.Listener{o.public, o.private} {
		if l != nil {
			_ = l.Close() // it may be closed already
		}
	}
	if o.backend != nil {
		o.backend.Close()
	}
}

// Addr is the address that the API is at.
func (o *Console) Addr() string { return o.public.Addr().String() }

// MetricsAddr is the address of health and metrics, empty where there is none.
func (o *Console) MetricsAddr() string {
	if o.private == nil {
		return ""
	}
	return o.private.Addr().String()
}

// Run serves until ctx ends, then ends the streams and lets the requests under way
// finish. It returns nil after a clean stop.
func (o *Console) Run(ctx context.Context) error {
	defer o.close()
	public, private := o.server(o.api), o.server(o.health())
	ended := make(chan error, 3)
	go func() { ended <- public.Serve(o.public) }()
	if o.private != nil {
		go func() { ended <- private.Serve(o.private) }()
	}
	opening, stop := context.WithCancel(ctx)
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		if err := o.open(opening); err != nil {
			ended <- err
		}
	}()
	o.config.Log.Info("the console is listening", zap.String("address", o.Addr()), zap.String("metrics", o.MetricsAddr()))
	var failure error
	select {
	case <-ctx.Done():
	case err := <-ended:
		failure = fmt.Errorf("serving the console: %w", err)
	}
	o.draining.Store(true)
	stop()
	<-opened
	return errors.Join(failure, o.drain(public), private.Close())
}

// open waits for the server; requests are answered 503 until it is there.
func (o *Console) open(ctx context.Context) (err error) {
	if o.backend == nil {
		if o.backend, err = o.config.Open(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	if o.backend != nil {
		o.api.begin(o.backend)
	}
	return nil
}

func (o *Console) drain(public *http.Server) error {
	o.api.stop()
	ctx, cancel := context.WithTimeout(context.Background(), o.config.Drain)
	defer cancel()
	if err := public.Shutdown(ctx); err != nil {
		return fmt.Errorf("waiting for the requests under way: %w", errors.Join(err, public.Close()))
	}
	return nil
}

func (o *Console) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		// What it says is about single connections of strangers.
		ErrorLog: zap.NewStdLog(o.config.Log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel))),
	}
}

func (o *Console) health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", o.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.api.numbers.registry, promhttp.HandlerOpts{}))
	return mux
}

// readyz tells a load balancer whether to send requests. While NATS is away streams
// wait for it, and other requests are answered 503.
func (o *Console) readyz(w http.ResponseWriter, _ *http.Request) {
	b := o.api.backend.Load()
	switch {
	case o.draining.Load():
		say(w, http.StatusServiceUnavailable, "stopping")
	case b == nil:
		say(w, http.StatusServiceUnavailable, "waiting for NATS")
	case !b.Operator.NC.IsConnected():
		say(w, http.StatusServiceUnavailable, "NATS is away")
	default:
		say(w, http.StatusOK, "ready")
	}
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // who asked and is gone needs no answer
}

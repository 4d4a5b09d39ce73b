package zoomsim

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"zflow/internal/unused"
	"zflow/internal/zoomsim/oauth"
	"zflow/internal/zoomsim/rest"
	"zflow/internal/zoomsim/world"
)

// Options say how a Sim behaves; the zero value is a friendly Zoom.
type Options struct {
	Apps           []App            // none: one of each kind with new credentials, the server-to-server app first
	TokenLife      time.Duration    // 0: an hour
	RefreshLife    time.Duration    // 0: 90 days
	APIURL         string           // what token answers say; empty: where the request came to
	Limits         map[string]Limit // by rate limit label; none: unlimited
	DailyLimits    bool             // Zoom's limits per host and registrant and day
	ReportDelay    time.Duration    // from a meeting's end to its list of participants
	RecordingDelay time.Duration    // from recording.completed to the REST answer
	Users          []string         // ids and mail addresses; none: whoever is named exists
	NoMe           bool             // a server-to-server app may not say me, as Zoom advises; else me is its owner
	Imagine        bool             // a past meeting that it never heard of is made up
	KeepTimestamp  bool             // retries carry the timestamp of the first attempt
	Client         http.RoundTripper
}

// Sim is a simulated Zoom, an http.Handler.
type Sim struct {
	o      Options
	oauth  *oauth.Server
	world  *world.World
	limits *rest.Limits
	routes rest.Router
	mu     sync.Mutex // guards faults and subscriptions
	trouble
	subs    []*subscription
	sockets map[string]*socket // by subscription
	ledger  *ledger
	weblog  *weblog
	client  *http.Client
	done    chan struct{} // closed by Close
	close   func()
	work    sync.WaitGroup // deliveries and validations under way
}

// trouble is what is to go wrong.
type trouble struct {
	faults []*Fault
	chaos  []Chaos
}

// New returns a Sim. Close ends it.
func New(o Options) *Sim {
	s := &Sim{
		o:       o,
		limits:  rest.NewLimits(o.Limits, o.DailyLimits),
		ledger:  newLedger(keep),
		weblog:  &weblog{},
		sockets: map[string]*socket{},
		done:    make(chan struct{}),
	}
	s.close = sync.OnceFunc(func() {
		s.mu.Lock() // no work starts once Close waits
		defer s.mu.Unlock()
		close(s.done)
	})
	s.client = &http.Client{
		Transport:     o.Client,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	pages := rest.NewPages()
	s.world = world.New(world.Options{
		ReportDelay: o.ReportDelay, RecordingDelay: o.RecordingDelay, Users: o.Users, NoMe: o.NoMe, Imagine: o.Imagine,
		Limits: s.limits, Pages: pages,
	})
	handlers := s.world.Handlers()
	maps.Copy(handlers, s.handlers(pages))
	s.routes = rest.NewRouter(handlers)
	user, admin := scopesKnown()
	s.oauth = oauth.New(oauth.Options{
		Apps: o.Apps, TokenLife: o.TokenLife, RefreshLife: o.RefreshLife, APIURL: o.APIURL,
		UserScopes: user, AdminScopes: admin, Done: s.done,
	})
	return s
}

// ServeHTTP answers OAuth, REST and the simulator's own API.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/oauth/"):
		s.serveOAuth(w, r)
	case r.URL.Path == "/ws":
		s.serveSocket(w, r)
	case strings.HasPrefix(r.URL.Path, "/v2/"):
		s.serveREST(w, r)
	case strings.HasPrefix(r.URL.Path, "/sim/v1/"):
		s.serveControl(w, r)
	default:
		rest.Write(w, rest.Error(http.StatusNotFound, 2300, "This API endpoint is not recognized."))
	}
}

// Serve answers on a listener until ctx ends, then finishes what is under way.
func (s *Sim) Serve(ctx context.Context, l net.Listener) error {
	idle := &unused.Conns{}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ConnState: idle.Note}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.close() // releases calls that hang on demand
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	idle.Close()
	err := server.Shutdown(grace)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	<-failed
	return err
}

// Close drops the retries that wait and lets attempts under way end, which takes
// 3 seconds at most.
func (s *Sim) Close(ctx context.Context) error {
	s.close()
	idle := make(chan struct{})
	go func() {
		s.work.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		s.client.CloseIdleConnections()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Sim) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// start runs f as work that Close waits for; after Close it does nothing.
func (s *Sim) start(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed() {
		s.work.Go(f)
	}
}

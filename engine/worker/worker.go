package worker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/oklog/ulid/v2"
	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/gates"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/router"
	"zflow/engine/wakes"
	"zflow/engine/worker/attempt"
	"zflow/engine/worker/clock"
	"zflow/engine/worker/lease"
	"zflow/engine/worker/turnstile"
	"zflow/internal/durable"
	"zflow/internal/sealed"
	"zflow/proto"
)

// Config is what a worker is made of.
type Config struct {
	NC      *nats.Conn
	Gate    *durable.Gate
	Catalog *catalog.Catalog
	Router  *router.Router
	Stores  Stores
	Actions *actions.Registry
	Keys    *sealed.Keys
	Secrets func() map[string]any // as they are now, by name, sealed; nil: none. Nobody changes the map
	Log     *zap.Logger
	Slots   int           // attempts at a time; 0: 256
	MaxHeld int           // runs at a time; 0: 1,000
	Drain   time.Duration // how long calls may go on after a stop; 0: 20 s
	Alone   bool          // no other worker exists: what others left is taken without reading their leases
	Watch   Watch
	Outside
}

// Outside is what a worker asks or tells others; nil functions are not called.
type Outside struct {
	Account    func(connection string) (id string, known bool) // of a trigger's connection; nil: none is known
	Connection func(account string) (name string)              // one of the account; empty: there is none
	Ended      func(*engine.Run)                               // its end is durable; may be called again
	Unmatched  func(*proto.Event)                              // which no trigger takes
}

// Stores are the streams and buckets a worker works on.
type Stores struct {
	History *history.Store
	Wakes   *wakes.Store
	Leases  *leases.Store
	Gates   *gates.Store
	Blobs   *blobs.Store
	Ticks   *durable.Bucket                           // nil: this worker polls nothing
	Publish func(context.Context, *proto.Event) error // to EVENTS; returns when the event is durable
}

// Worker runs workflows. Any number of them share the work.
type Worker struct {
	Config
	id     string
	lease  *lease.Lease
	clock  clock.Clock
	slots  chan struct{}
	counts counters
	held   hold
	stop   stopping
	caller *attempt.Caller
	busy   turnstile.Turnstiles // one handler of a run at a time

	mu       sync.Mutex
	owned    map[string]*owned
	released []*message     // carriers to be given back once the lease is
	work     sync.WaitGroup // handlers of messages
}

// hold is how much a worker has in hand.
type hold struct {
	now   atomic.Int64  // messages being handled
	asked atomic.Int64  // that pulls may bring
	freed chan struct{} // a token: one was done with
}

// New returns a worker that does nothing until Run.
func New(c Config) *Worker {
	if c.Slots == 0 {
		c.Slots = 256
	}
	if c.MaxHeld == 0 {
		c.MaxHeld = 1000
	}
	if c.Drain == 0 {
		c.Drain = 20 * time.Second
	}
	if c.Secrets == nil {
		c.Secrets = func() map[string]any { return map[string]any{} }
	}
	w := &Worker{
		Config: c, id: ulid.Make().String(), slots: make(chan struct{}, c.Slots), held: hold{freed: make(chan struct{}, 1)},
		owned: map[string]*owned{},
		stop:  stopping{soon: make(chan struct{})},
	}
	w.Log = c.Log.With(zap.String("worker", w.id))
	w.lease = lease.New(lease.Config{Worker: w.id, NC: w.NC, Store: w.Stores.Leases, Clock: &w.clock, Log: w.Log, Renewed: w.Watch.Renewed})
	w.caller = &attempt.Caller{Actions: c.Actions, Keys: c.Keys, Log: w.Log}
	return w
}

// ID returns the worker's id, new in each process.
func (w *Worker) ID() string { return w.id }

// Run works until ctx ends, then drains: it pulls no more, finishes the calls in
// flight, gives its messages and its lease back. It returns an error only if it
// could not begin.
func (w *Worker) Run(ctx context.Context) error {
	work, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	hints, err := w.begin(ctx)
	if err != nil {
		return fmt.Errorf("starting worker: %w", err)
	}
	defer hints.Unsubscribe() //nolint:errcheck // it ends with the connection at the latest
	var background sync.WaitGroup
	background.Go(func() { w.lease.Keep(work) })
	background.Go(func() { w.keepCarriers(work) })
	background.Go(func() { w.sweeper().Run(ctx) })
	background.Go(func() { w.Router.Run(ctx, func(e *proto.Event) { w.countUntaken(ctx, e) }) })
	var pulls sync.WaitGroup
	if err := w.pullAll(ctx, work, &pulls); err != nil {
		return fmt.Errorf("starting worker: %w", err)
	}
	w.Log.Info("worker runs")
	<-ctx.Done()
	done := w.drain(&pulls)
	kill()
	background.Wait()
	w.leave()
	<-done
	w.Log.Info("worker stopped")
	return nil
}

// begin takes the lease and listens for hints.
func (w *Worker) begin(ctx context.Context) (hints *nats.Subscription, err error) {
	if err := w.lease.Renew(ctx); err != nil {
		return nil, err
	}
	hints, err = w.NC.Subscribe(proto.WorkerSubject(w.id), func(m *nats.Msg) { w.hint(string(m.Data)) })
	if err != nil {
		return nil, fmt.Errorf("listening for hints: %w", err)
	}
	return hints, nil
}

// stopping tells carriers that no attempt is to begin any more.
type stopping struct {
	soon chan struct{}
	once sync.Once
}

func (s *stopping) now() { s.once.Do(func() { close(s.soon) }) }

func (s *stopping) is() bool {
	select {
	case <-s.soon:
		return true
	default:
		return false
	}
}

// drain lets the calls in flight end, and returns after the drain time at the
// latest; done is closed when they have.
func (w *Worker) drain(pulls *sync.WaitGroup) (done chan struct{}) {
	w.stop.now()
	pulls.Wait()
	done = make(chan struct{})
	go func() { w.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(w.Drain):
		w.Log.Warn("calls did not end in time: they are of unknown outcome", zap.Duration("drain", w.Drain))
	}
	return done
}

// leave gives the lease back, and then the runs, which others can take from there.
func (w *Worker) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	w.lease.Leave(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.released {
		w.giveBack(m)
	}
}

package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"zflow/internal/durable"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

const brokerStartLimit = 30 * time.Second

// Config says how to run the broker.
type Config struct {
	// File is a nats-server configuration such as configs/nats.conf. Without one
	// the broker needs no credentials, and listens on loopback at most.
	File string
	// Data is the folder of the streams; it goes before the file's store_dir.
	Data string
	// Listen is an address for clients. With File it goes before the file's host and
	// port; without, it is a loopback address, and "" means that only this process
	// can connect.
	Listen string
	// MetricsListen serves /healthz, /readyz and /metrics; "" means not at all.
	MetricsListen string
	// Account has the streams where File defines accounts; default the global one.
	Account string
	// Always makes the server flush each message, and leaves the flush service out.
	// Clients must be told: they cannot find it out.
	Always bool
	// Flusher tunes the flush service.
	Flusher durable.FlusherOptions
	Log     *zap.Logger
}

// Broker is a stock nats-server with the flush service beside it. They live and
// end together: a server whose flushes fail must not acknowledge anything more.
type Broker struct {
	log     *zap.Logger
	login   []nats.Option
	lock    *os.File
	nats    *server.Server
	conn    *nats.Conn
	flusher *durable.Flusher // nil: the server flushes each message
	health  *http.Server
	address net.Addr // of health

	cancel context.CancelFunc
	once   sync.Once
	done   chan struct{}
	err    error
}

// Start starts the server and returns once messages can be made durable.
// The caller calls Shutdown, also after Done.
func Start(ctx context.Context, c Config) (*Broker, error) {
	b := &Broker{log: c.Log, done: make(chan struct{})}
	if b.log == nil {
		b.log = zap.NewNop()
	}
	if err := b.start(ctx, c); err != nil {
		b.Shutdown()
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	return b, nil
}

func (b *Broker) start(ctx context.Context, c Config) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	if b.lock, err = claimFolder(o.StoreDir); err != nil {
		return err
	}
	letReserve(o)
	if b.login, err = addOwnUser(o, c.Account); err != nil {
		return err
	}
	if err := b.startServer(ctx, o); err != nil {
		return err
	}
	if !c.Always {
		if err := b.startFlusher(ctx, c); err != nil {
			return err
		}
	}
	if c.MetricsListen != "" {
		if err := b.serveHealth(c.MetricsListen); err != nil {
			return err
		}
	}
	d := b.disk()
	b.log.Info("the broker serves", zap.String("url", b.URL()), zap.String("data", o.StoreDir),
		zap.Uint64("disk_bytes", d.Size), zap.Uint64("disk_free_bytes", d.Free), zap.Uint64("disk_reserve_bytes", d.Reserve))
	return nil
}

func (b *Broker) startServer(ctx context.Context, o *server.Options) error {
	ns, err := server.NewServer(o)
	if err != nil {
		return err
	}
	l := &serverLog{log: b.log.Named("nats").Sugar(), fatal: make(chan string, 1)}
	ns.SetLoggerV2(l, o.Debug, o.Trace, false)
	b.nats = ns
	ns.Start()
	for deadline := time.Now().Add(brokerStartLimit); !ns.ReadyForConnections(100 * time.Millisecond); {
		select {
		case why := <-l.fatal:
			return errors.New(why)
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the NATS server is not ready after %v", brokerStartLimit)
		}
	}
	if !ns.JetStreamEnabled() {
		return errors.New("the NATS server runs without JetStream: its configuration needs a jetstream block")
	}
	return nil
}

func (b *Broker) startFlusher(ctx context.Context, c Config) error {
	account := c.Account
	if account == "" {
		account = server.DEFAULT_GLOBAL_ACCOUNT
	}
	var err error
	if b.conn, err = b.Connect("zflow broker"); err != nil {
		return err
	}
	if c.Flusher.WriteErrors == nil {
		c.Flusher.WriteErrors = func() map[string]string { return b.writeErrors(account) }
	}
	b.flusher = durable.NewFlusher(b.conn, filepath.Join(b.nats.StoreDir(), account), c.Flusher)
	run, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go b.run(run)
	select {
	case <-b.flusher.Ready():
		return nil
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeErrors tells the streams that have seen a write error, which sticks until
// the server is started again.
func (b *Broker) writeErrors(account string) map[string]string {
	found := map[string]string{}
	health := b.nats.Healthz(&server.HealthzOptions{Account: account, Details: true})
	for _, e := range health.Errors {
		if e.Type == server.HealthzErrorStream && strings.Contains(e.Error, "write error") {
			found[e.Stream] = e.Error
		}
	}
	return found
}

// run keeps the flush service; when that ends in error, the server goes at once.
func (b *Broker) run(ctx context.Context) {
	defer close(b.done)
	b.err = b.flusher.Run(ctx)
	if b.err != nil {
		b.log.Error("the broker ends: what it acknowledges could be lost", zap.Error(b.err))
		b.nats.Shutdown()
	}
}

// Flushes says what the flush service has done: nothing where there is none.
func (b *Broker) Flushes() durable.Counts {
	if b.flusher == nil {
		return durable.Counts{}
	}
	return b.flusher.Counts()
}

// Flusher is the flush service, nil where the server flushes each message.
func (b *Broker) Flusher() *durable.Flusher { return b.flusher }

func (b *Broker) disk() durable.Disk {
	if b.flusher == nil {
		return durable.Disk{}
	}
	return b.flusher.Disk()
}

// Connect opens a connection in process, with the broker's own rights where its
// configuration asks for credentials.
func (b *Broker) Connect(name string, opts ...nats.Option) (*nats.Conn, error) {
	all := append(b.InProcess(), nats.Name(name), nats.ReconnectBufSize(-1))
	nc, err := nats.Connect("", append(all, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the broker in process: %w", err)
	}
	return nc, nil
}

// InProcess are the options of a connection that needs no network.
func (b *Broker) InProcess() []nats.Option {
	return append([]nats.Option{nats.InProcessServer(b.nats)}, b.login...)
}

// URL is where clients connect, "" where there is no listener.
func (b *Broker) URL() string {
	if b.nats.Addr() == nil {
		return ""
	}
	return b.nats.ClientURL()
}

// HealthAddr is where /healthz and the others are served, nil if nowhere.
func (b *Broker) HealthAddr() net.Addr { return b.address }

// Done is closed when the broker ended by itself or by Shutdown. Err says why.
func (b *Broker) Done() <-chan struct{} { return b.done }

// Err is why the broker ended by itself; nil after Shutdown, and before Done.
func (b *Broker) Err() error {
	select {
	case <-b.done:
		return b.err
	default:
		return nil
	}
}

// Shutdown answers the flush requests at hand, then closes all connections and
// files. Whatever was acknowledged and not yet flushed is written all the same.
func (b *Broker) Shutdown() {
	b.once.Do(b.shutdown)
}

func (b *Broker) shutdown() {
	if b.health != nil {
		_ = b.health.Close() // its answers are worth nothing now
	}
	if b.cancel == nil { // no flush service runs
		close(b.done)
	} else {
		b.cancel()
		<-b.done
	}
	if b.conn != nil {
		b.conn.Close()
	}
	if b.nats != nil {
		b.nats.Shutdown()
		b.nats.WaitForShutdown()
	}
	if b.lock != nil {
		_ = b.lock.Close() // and with it the lock
	}
}

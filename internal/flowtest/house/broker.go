package house

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"zflow/internal/durable"
)

// broker is a nats-server with its Flusher, on a store of its own.
type broker struct {
	mu      sync.Mutex
	dir     string
	server  *server.Server
	stop    context.CancelFunc
	stopped chan error
}

const startWithin = 30 * time.Second

func startBroker() (*broker, error) {
	dir, err := newFolder()
	if err != nil {
		return nil, fmt.Errorf("making a store for the test: %w", err)
	}
	b := &broker{}
	if err := b.up(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

// up starts the server on a folder.
func (b *broker) up(dir string) error {
	ns, err := server.NewServer(&server.Options{
		JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true, DontListen: true, MaxPayload: 8 << 20,
	})
	if err != nil {
		return fmt.Errorf("making a nats-server: %w", err)
	}
	ns.Start()
	if !ns.ReadyForConnections(startWithin) {
		return errors.New("starting a nats-server: not ready in time")
	}
	nc, err := nats.Connect("", nats.InProcessServer(ns))
	if err != nil {
		return fmt.Errorf("connecting the flusher: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	// Weeks of virtual time should not cost a look at all files each second.
	f := durable.NewFlusher(nc, filepath.Join(ns.StoreDir(), server.DEFAULT_GLOBAL_ACCOUNT), durable.FlusherOptions{Sweep: 24 * time.Hour, Reserve: 1})
	go func() {
		err := f.Run(ctx)
		nc.Close()
		stopped <- err
	}()
	select {
	case <-f.Ready():
	case err := <-stopped:
		stop()
		return fmt.Errorf("starting the flusher: %w", err)
	}
	b.mu.Lock() // only now: a connection that looks for the server meanwhile is not to wait
	defer b.mu.Unlock()
	b.dir, b.server, b.stop, b.stopped = dir, ns, stop, stopped
	return nil
}

// rest stops the server, to go on from its folder.
func (b *broker) rest() (dir string) {
	b.mu.Lock()
	dir, ns, stop, stopped := b.dir, b.server, b.stop, b.stopped
	b.server, b.stop = nil, nil
	b.mu.Unlock()
	if ns == nil {
		return dir
	}
	stop()
	<-stopped
	ns.Shutdown()
	ns.WaitForShutdown()
	return dir
}

// down stops the server; its folder goes with it.
func (b *broker) down() error { return os.RemoveAll(b.rest()) }

// image copies the store as it is: what a crash of the machine at this moment
// would leave, but for what the disk had not yet.
func (b *broker) image() (string, error) {
	dir, err := newFolder()
	if err != nil {
		return "", fmt.Errorf("copying the store: %w", err)
	}
	b.mu.Lock()
	from := b.dir
	b.mu.Unlock()
	// A file may go while the rest is copied: JetStream replaces some of its own.
	for try := 0; ; try++ {
		if err = os.CopyFS(dir, os.DirFS(from)); err == nil {
			return dir, nil
		}
		if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil || try == 10 {
			break
		}
	}
	return "", fmt.Errorf("copying the store: %w", err)
}

// InProcessConn lets a connection find the server that runs now, so that it
// outlives a restart.
func (b *broker) InProcessConn() (net.Conn, error) {
	b.mu.Lock()
	ns := b.server
	b.mu.Unlock()
	if ns == nil {
		return nil, errors.New("connecting: the server is down")
	}
	return ns.InProcessConn()
}

// connect connects as production does: nothing is buffered while the server is away.
func connect(to nats.InProcessConnProvider) (*nats.Conn, error) {
	return nats.Connect("", nats.InProcessServer(to), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond))
}

// line is the network between a worker and the broker, to be cut when the worker
// is killed: a dead process sends nothing any more.
type line struct {
	*broker
	mu    sync.Mutex
	down  atomic.Bool
	conns []net.Conn
}

// InProcessConn connects, unless the line is cut.
func (l *line) InProcessConn() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down.Load() {
		return nil, errors.New("connecting: the worker is dead")
	}
	c, err := l.broker.InProcessConn()
	if err != nil {
		return nil, err
	}
	l.conns = append(l.conns, c)
	return c, nil
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down.Store(true)
	for _, c := range l.conns {
		_ = c.Close() // it may be closed already
	}
}

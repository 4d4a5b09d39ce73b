// Package natstest runs a real nats-server with JetStream in the test's process,
// with the Flusher beside it as in the broker: it starts in milliseconds, needs
// no network, and works inside a testing/synctest bubble (call ats.Register
// before the bubble begins).
//
// A server and its connections end with the test. Kill and Image stand for what
// happens to a broker: a process that dies, and a disk that is read elsewhere.
package natstest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"zflow/internal/durable"
)

const startLimit = 10 * time.Second

// Server is a running nats-server with its Flusher.
type Server struct {
	o options

	mu      sync.Mutex
	server  *server.Server
	conns   []*nats.Conn
	shared  *nats.Conn // of JetStream and Gate
	flusher *durable.Flusher
	stop    context.CancelFunc
	ended   chan error
}

type options struct {
	dir       string
	port      int // of the listener; 0 = none
	noFlusher bool
	flusher   durable.FlusherOptions
	change    func(*server.Options)
}

// Option changes how a server is started.
type Option func(*options)

// Listen opens a TCP listener on a free loopback port; see Server.URL. It cannot
// be used inside a bubble.
func Listen(o *options) { o.port = server.RANDOM_PORT }

// NoFlusher leaves the Flusher out: a stock server.
func NoFlusher(o *options) { o.noFlusher = true }

// Dir uses this store folder instead of a new one, such as an Image.
func Dir(dir string) Option { return func(o *options) { o.dir = dir } }

// Flusher tunes the Flusher.
func Flusher(f durable.FlusherOptions) Option { return func(o *options) { o.flusher = f } }

// Configure changes the server's own options.
func Configure(change func(*server.Options)) Option { return func(o *options) { o.change = change } }

// Start starts a server that ends with the test.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	// Hours of virtual time should not cost a sweep a second.
	s := &Server{o: options{flusher: durable.FlusherOptions{Sweep: time.Minute, Reserve: 1}}}
	for _, opt := range opts {
		opt(&s.o)
	}
	if s.o.dir == "" {
		s.o.dir = t.TempDir()
	}
	t.Cleanup(s.Stop)
	s.start(t)
	return s
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	o := &server.Options{
		JetStream: true, StoreDir: s.o.dir, NoSigs: true, NoLog: true,
		DontListen: s.o.port == 0, Host: "127.0.0.1", Port: s.o.port, MaxPayload: 8 << 20,
	}
	if s.o.change != nil {
		s.o.change(o)
	}
	ns, err := server.NewServer(o)
	if err != nil {
		t.Fatalf("making a nats-server: %v", err)
	}
	ns.Start()
	if !ns.ReadyForConnections(startLimit) {
		t.Fatal("starting a nats-server: not ready in time")
	}
	if s.o.port != 0 {
		s.o.port = ns.Addr().(*net.TCPAddr).Port // for a restart too
	}
	if !s.o.noFlusher {
		s.startFlusher(t, ns)
	}
	s.mu.Lock() // only now: a connection that looks for the server meanwhile is not to wait
	defer s.mu.Unlock()
	s.server = ns
}

func (s *Server) startFlusher(t testing.TB, ns *server.Server) {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(ns))
	if err != nil {
		t.Fatalf("connecting the flusher: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	f := durable.NewFlusher(nc, filepath.Join(ns.StoreDir(), server.DEFAULT_GLOBAL_ACCOUNT), s.o.flusher)
	s.mu.Lock()
	s.stop, s.ended, s.flusher = stop, ended, f
	s.mu.Unlock()
	go func() {
		ended <- f.Run(ctx)
		nc.Close()
	}()
	select {
	case <-f.Ready():
	case err := <-ended:
		ended <- err
		t.Fatalf("starting the flusher: %v", err)
	}
}

// Stop closes all connections and shuts the server down.
func (s *Server) Stop() {
	s.mu.Lock()
	conns := s.conns
	s.conns, s.shared = nil, nil
	s.mu.Unlock()
	for _, nc := range conns {
		nc.Close()
	}
	s.Down()
}

// Restart shuts the server down and starts it on the same folder (and port).
// Connections made with Listen come back by themselves, those in process do so
// where they were made by Connect.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Down()
	s.Up(t)
}

// Down shuts the server down and leaves its connections to wait for Up.
func (s *Server) Down() {
	s.mu.Lock()
	ns, stop, ended := s.server, s.stop, s.ended
	s.server, s.stop = nil, nil
	s.mu.Unlock() // a connection that looks for the server meanwhile is not to wait
	if stop != nil {
		stop()
		ended <- <-ended // ended, and still to be read by FlusherError
	}
	if ns != nil {
		ns.Shutdown()
		ns.WaitForShutdown()
	}
}

// Up starts the server again after Down.
func (s *Server) Up(t testing.TB) {
	t.Helper()
	s.start(t)
}

// Image copies the store as a kill of the process would leave it, for Dir.
// What is being written meanwhile may be in it or not.
func (s *Server) Image(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(s.o.dir)); err != nil {
		t.Fatalf("copying the store: %v", err)
	}
	return dir
}

// Dir is the store folder.
func (s *Server) Dir() string { return s.o.dir }

// URL is the address of a server started with Listen.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server.ClientURL()
}

// Embedded is the nats-server itself, nil while it is down.
func (s *Server) Embedded() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server
}

// Flusher is the one that runs beside the server.
func (s *Server) Flusher() *durable.Flusher {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flusher
}

// FlusherError waits for the Flusher to end and returns why it did.
func (s *Server) FlusherError() error {
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	err := <-ended
	ended <- err
	return err
}

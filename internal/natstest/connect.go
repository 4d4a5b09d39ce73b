package natstest

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
)

// Connect returns a connection as production makes it: it reconnects for ever
// and buffers nothing meanwhile. It is closed at the end of the test.
func (s *Server) Connect(t testing.TB, opts ...nats.Option) *nats.Conn {
	t.Helper()
	opts = append([]nats.Option{
		nats.InProcessServer(s), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
	}, opts...)
	nc, err := nats.Connect("", opts...)
	if err != nil {
		t.Fatalf("connecting: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, nc)
	return nc
}

// InProcessConn lets a connection find the server that runs now, so that it
// survives a Restart.
func (s *Server) InProcessConn() (net.Conn, error) {
	if ns := s.Embedded(); ns != nil {
		return ns.InProcessConn()
	}
	return nil, errors.New("connecting in process: the server is down")
}

// JetStream returns JetStream on the connection that Gate uses too.
func (s *Server) JetStream(t testing.TB) jetstream.JetStream {
	t.Helper()
	return JetStream(t, s.sharedConn(t))
}

// Gate returns a Gate on the connection that JetStream uses too.
func (s *Server) Gate(t testing.TB) *durable.Gate {
	t.Helper()
	return Gate(t, s.sharedConn(t))
}

func (s *Server) sharedConn(t testing.TB) *nats.Conn {
	t.Helper()
	s.mu.Lock()
	nc := s.shared
	s.mu.Unlock()
	if nc != nil {
		return nc
	}
	nc = s.Connect(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared = nc
	return nc
}

// JetStream returns JetStream on a connection.
func JetStream(t testing.TB, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatalf("opening JetStream: %v", err)
	}
	return js
}

// Gate opens a Gate on a connection.
func Gate(t testing.TB, nc *nats.Conn) *durable.Gate {
	t.Helper()
	g, err := durable.Open(context.Background(), nc, durable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

package zoomsim

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Pipe is a listener in memory: whoever dials it, whatever the address, reaches
// who serves it. It needs no network and so works in a synctest bubble.
type Pipe struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

// NewPipe returns a listener in memory.
func NewPipe() *Pipe {
	p := &Pipe{conns: make(chan net.Conn), done: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.done) })
	return p
}

// Accept waits for a caller.
func (p *Pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and all dialing.
func (p *Pipe) Close() error {
	p.close()
	return nil
}

// Addr returns a name, not an address.
func (p *Pipe) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// Dial connects to who serves the pipe.
func (p *Pipe) Dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Transport sends every request through the pipe.
func (p *Pipe) Transport() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return p.Dial(ctx) }}
}

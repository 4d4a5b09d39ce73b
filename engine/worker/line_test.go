package worker

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"zflow/internal/natstest"
)

// line is the network between one client and the server. It implements
// nats.InProcessConnProvider, and can be cut, go silent, or lose an answer.
type line struct {
	server *natstest.Server

	mu    sync.Mutex
	down  int // faults that keep it from being used
	conns []*lineConn
	lose  atomic.Int64 // how many publishes from now one is stored and its answer lost; 0: none
}

func (l *line) InProcessConn() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down > 0 {
		return nil, errors.New("connecting: the line is down")
	}
	c, err := l.server.InProcessConn()
	if err != nil {
		return nil, err
	}
	conn := &lineConn{Conn: c, line: l}
	l.conns = append(l.conns, conn)
	return conn, nil
}

// cut closes the connection; none is made until mend.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down++
	for _, c := range l.conns {
		_ = c.Close() // it may be closed already
	}
	l.conns = nil
}

// hush swallows what either side sends, and lets no new connection be made until mend.
func (l *line) hush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down++
	for _, c := range l.conns {
		c.silent.Store(true)
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down--
}

// lineConn is one connection over a line.
type lineConn struct {
	net.Conn
	line   *line
	silent atomic.Bool
}

func (c *lineConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.silent.Load() {
			return n, err
		}
	}
}

func (c *lineConn) Write(p []byte) (int, error) {
	if c.silent.Load() {
		return len(p), nil
	}
	n, err := c.Conn.Write(p)
	if bytes.Contains(p, []byte("HPUB zflow.")) && c.line.lose.Load() > 0 && c.line.lose.Add(-1) == 0 {
		_ = c.Conn.Close() // what was written arrives, its answer does not
	}
	return n, err
}

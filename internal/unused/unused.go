// Package unused knows the connections over which nothing came yet. A client that dials
// one more than it needs keeps them, and an http.Server that stops waits 5 s for each.
package unused

import (
	"net"
	"net/http"
	"sync"
)

// Conns are those of one server. The zero Conns are ready.
type Conns struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Note is the server's ConnState.
func (u *Conns) Note(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.conns == nil {
		u.conns = map[net.Conn]struct{}{}
	}
	if state == http.StateNew {
		u.conns[c] = struct{}{}
	} else {
		delete(u.conns, c)
	}
}

// Close closes them. A request that came meanwhile is sent again.
func (u *Conns) Close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close() // nobody waits for an answer
	}
}

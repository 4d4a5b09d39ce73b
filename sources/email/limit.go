package email

import (
	"net"
	"sync"
	"time"
)

// oldest is how long a connection may last.
const oldest = time.Hour

// limited is a listener that refuses connections beyond so many, in all and from one
// address.
type limited struct {
	net.Listener
	most, each int
	refused    func()

	mu   sync.Mutex
	all  int
	from map[string]int
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := sender(c.RemoteAddr())
		if l.enter(host) {
			return l.held(c, host), nil
		}
		l.refused()
		// Who cannot read that at once does not get to know why.
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = c.Write([]byte("421 4.7.0 Too many connections, try again later\r\n"))
		_ = c.Close()
	}
}

func (l *limited) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.most || l.from[host] >= l.each {
		return false
	}
	l.all++
	l.from[host]++
	return true
}

func (l *limited) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.from[host]--; l.from[host] == 0 {
		delete(l.from, host)
	}
}

func (l *limited) held(c net.Conn, host string) net.Conn {
	h := &held{Conn: c}
	h.end = sync.OnceFunc(func() { l.leave(host) })
	h.last = time.AfterFunc(oldest, func() { _ = c.Close() }) // who waits on it learns it
	return h
}

// held is a connection that has a place.
type held struct {
	net.Conn
	end  func()
	last *time.Timer
}

func (h *held) Close() error {
	h.last.Stop()
	h.end()
	return h.Conn.Close()
}

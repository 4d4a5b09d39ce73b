package imap

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// errFlood says that a server sends more than was asked for.
var errFlood = errors.New("the server sends more than it was asked for")

// meter is a connection that ends when an answer takes too long, or is too long.
type meter struct {
	net.Conn
	left atomic.Int64 // bytes that may still come
	late atomic.Bool  // it was ended since an answer did not come
}

// spare is what may come beside a mail: answers to commands, news about others.
const spare = 16 << 20

// allow begins an answer: it may take so long, and be so long.
func (m *meter) allow(within time.Duration, bytes int64) (end func()) {
	m.left.Store(bytes + spare)
	t := time.AfterFunc(within, func() {
		m.late.Store(true)
		_ = m.Close() // who waits for it learns it
	})
	return func() { t.Stop() }
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	if m.left.Add(-int64(n)) < 0 {
		return 0, errFlood
	}
	return n, err
}

package http

import (
	"bufio"
	"fmt"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are in memory, so that time is virtual.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// Bodies that come too slowly are ended by the clock, those with files later, and
// leave no event and no place taken.
func TestSlowBodies(t *testing.T) {
	for _, c := range []struct {
		kind, begin string
		after       time.Duration
	}{
		{jsonType, `{"n":`, 10 * time.Second}, {formType, "a=", 10 * time.Second}, {"", "a", 10 * time.Second},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nabc", 2 * time.Minute},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disp", 2 * time.Minute}, {"image/png", "png", 2 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, h := newDesk(t, Limits{Reading: 1, Files: 1}, echo(nil))
			p := &pipes{make(chan net.Conn), make(chan struct{})}
			server := &nethttp.Server{Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second} // as ingest has it
			go func() { _ = server.Serve(p) }()                                                                  // until the pipes are closed
			ours, theirs := net.Pipe()
			p.conns <- theirs
			began := time.Now()
			go fmt.Fprintf(ours, "POST /http/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nContent-Type: %s\r\n\r\n%s", c.kind, c.begin)
			w, err := nethttp.ReadResponse(bufio.NewReader(ours), nil)
			if took := time.Since(began); err != nil || w.StatusCode != 408 || took != c.after {
				t.Errorf("%s: %+v, %v after %v", c.kind, w, err, took)
			}
			_ = ours.Close() // in memory
			if w := send(h, "POST", "/http/echo", strings.Repeat(" ", 3)); w.Code != 202 || len(d.events) != 1 {
				t.Errorf("%s: the next one gets %d, %d events", c.kind, w.Code, len(d.events))
			}
			close(p.done)
			_ = server.Close()
		})
	}
}

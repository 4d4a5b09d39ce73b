package webhooks

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// answerWithin is how long an answer may take.
const answerWithin = 10 * time.Second

// lines are connections to a target. Load and target share the machine, so what sends
// should cost little beside what is measured: a request is one write, of a head whose
// fixed part is made once.
type lines struct {
	address, head string
	idle          chan *line
}

type line struct {
	net.Conn
	answers *bufio.Reader
	out     []byte
}

// newLines keeps up to most connections open between requests.
func newLines(target string, most int) (*lines, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return nil, fmt.Errorf("webhooks go to http://host:port/path, not to %q", target)
	}
	head := "POST " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: zflow-bench\r\nContent-Type: application/json\r\n"
	return &lines{address: u.Host, head: head, idle: make(chan *line, most)}, nil
}

// post sends a body with its signature's headers and returns the answer's status.
func (l *lines) post(ctx context.Context, sign http.Header, body []byte) (int, error) {
	c, err := l.line(ctx)
	if err != nil {
		return 0, err
	}
	status, err := c.post(l.head, sign, body)
	if err != nil {
		return 0, closed(c, err)
	}
	select {
	case l.idle <- c:
	default:
		_ = c.Close() // there are enough
	}
	return status, nil
}

func (l *lines) line(ctx context.Context) (*line, error) {
	select {
	case c := <-l.idle:
		return c, nil
	default:
	}
	c, err := (&net.Dialer{Timeout: answerWithin}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	return &line{Conn: c, answers: bufio.NewReader(c)}, nil
}

func (c *line) post(head string, sign http.Header, body []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return 0, err
	}
	c.out = append(c.out[:0], head...)
	for name, values := range sign {
		c.out = append(append(append(append(c.out, name...), ": "...), values[0]...), "\r\n"...)
	}
	c.out = strconv.AppendInt(append(c.out, "Content-Length: "...), int64(len(body)), 10)
	c.out = append(append(c.out, "\r\n\r\n"...), body...)
	if _, err := c.Write(c.out); err != nil {
		return 0, err
	}
	r, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return 0, err
	}
	return r.StatusCode, r.Body.Close()
}

// closed closes a line on which something went wrong.
func closed(c *line, err error) error {
	_ = c.Close() // the error says what is wrong
	return err
}

// close closes what is idle, when all requests are over.
func (l *lines) close() {
	for {
		select {
		case c := <-l.idle:
			_ = c.Close() // nothing is under way
		default:
			return
		}
	}
}

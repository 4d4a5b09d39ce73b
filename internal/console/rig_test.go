package console

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"zflow/internal/operator/operatortest"
	"zflow/internal/tokens"
)

const (
	master   = "a-token-of-the-configuration"
	patience = 20 * time.Second
)

// rig is a console on a real server.
type rig struct {
	*operatortest.House
	t       testing.TB
	console *Console
	store   *tokens.Store
	url     string
	stop    context.CancelFunc
	ended   chan error
}

func newRig(t testing.TB, change ...func(*Config)) *rig {
	t.Helper()
	h := operatortest.New(t)
	r := &rig{House: h, t: t, ended: make(chan error, 1)}
	ctx := context.Background()
	js := h.Server.JetStream(t)
	h.Must(tokens.Create(ctx, js, 1))
	var err error
	r.store, err = tokens.Open(ctx, js, h.Server.Gate(t))
	h.Must(err)
	c := Config{Listen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0", Tokens: []string{master}, Log: zap.NewNop(), Open: r.open, ping: 200 * time.Millisecond, writeLimit: time.Second}
	for _, f := range change {
		f(&c)
	}
	r.console, err = New(ctx, c)
	h.Must(err)
	r.url = "http://" + r.console.Addr()
	run, stop := context.WithCancel(ctx)
	r.stop = stop
	go func() { r.ended <- r.console.Run(run) }()
	t.Cleanup(r.end)
	r.until("ready", func() bool { return r.get("http://"+r.console.MetricsAddr()+"/readyz").status == http.StatusOK })
	return r
}

func (r *rig) open(context.Context) (*Backend, error) {
	return &Backend{Operator: r.Operator, Tokens: r.store, Close: func() {}}, nil
}

// end stops the console, once.
func (r *rig) end() {
	if r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	if err := <-r.ended; err != nil {
		r.t.Errorf("the console ended with %v", err)
	}
}

// until waits for something, by looking again.
func (r *rig) until(what string, so func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !so(); {
		if time.Now().After(end) {
			r.t.Fatalf("it is not so: %s", what)
		}
	}
}

// reply is what was answered.
type reply struct {
	status int
	header http.Header
	body   string
}

func (a reply) json(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

func (a reply) error(t testing.TB) string {
	t.Helper()
	var e struct{ Error string }
	a.json(t, &e)
	return e.Error
}

func (r *rig) do(method, address, token, body string, header ...string) reply {
	r.t.Helper()
	if !strings.HasPrefix(address, "http") {
		address = r.url + address
	}
	q, err := http.NewRequest(method, address, strings.NewReader(body))
	r.Must(err)
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := (&http.Client{Timeout: patience}).Do(q)
	r.Must(err)
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	r.Must(err)
	return reply{a.StatusCode, a.Header, string(raw)}
}

func (r *rig) get(address string) reply { r.t.Helper(); return r.do("GET", address, master, "") }

// token makes one.
func (r *rig) token(name string, expires time.Duration, scopes ...string) string {
	r.t.Helper()
	text, _, err := r.store.New(context.Background(), name, scopes, expires)
	r.Must(err)
	return text
}

// metric returns the value of a line of the metrics, empty where there is none.
func (r *rig) metric(line string) string {
	r.t.Helper()
	for l := range strings.Lines(r.get("http://" + r.console.MetricsAddr() + "/metrics").body) {
		if value, ok := strings.CutPrefix(l, line+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// client is one of a live stream.
type client struct {
	t      testing.TB
	answer *http.Response
	lines  *bufio.Scanner
	close  context.CancelFunc
}

// sent is one event of a stream, or a comment.
type sent struct {
	id, event, data, comment string
}

// stream opens one, and returns once it has begun.
func (r *rig) stream(address, token string, header ...string) *client {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.t.Cleanup(cancel)
	q, err := http.NewRequestWithContext(ctx, "GET", r.url+address, nil)
	r.Must(err)
	q.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := http.DefaultClient.Do(q)
	r.Must(err)
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
		raw, _ := io.ReadAll(a.Body)
		r.t.Fatalf("the stream answers %s %s", a.Status, raw)
	}
	c := &client{t: r.t, answer: a, lines: bufio.NewScanner(a.Body), close: cancel}
	c.lines.Buffer(nil, 16<<20)
	if first, _ := c.next(); first.comment == "" {
		r.t.Fatalf("it begins with %+v", first)
	}
	return c
}

// next returns what comes next; more says that it was not the end.
func (c *client) next() (s sent, more bool) {
	for c.lines.Scan() {
		name, value, _ := strings.Cut(c.lines.Text(), ": ")
		switch name {
		case "":
			if value == "" { // the empty line
				return s, true
			}
			s.comment = value
		case "id":
			s.id = value
		case "event":
			s.event = value
		case "data":
			s.data = value
		}
	}
	return s, false
}

// event returns the next that is no comment.
func (c *client) event() sent {
	c.t.Helper()
	for {
		s, more := c.next()
		if !more {
			c.t.Fatal("the stream ended")
		}
		if s.event != "" {
			return s
		}
	}
}

// ids returns those of the next n events.
func (c *client) ids(n int) string {
	c.t.Helper()
	var all []string
	for range n {
		all = append(all, c.event().id)
	}
	return strings.Join(all, " ")
}

// rest returns the comments until the end.
func (c *client) rest() (comments string) {
	for {
		s, more := c.next()
		if !more {
			return comments
		}
		comments += s.comment + "\n"
	}
}

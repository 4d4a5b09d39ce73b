package mailboxes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine/catalog"
	"zflow/engine/definition"
	"zflow/engine/leases"
	"zflow/internal/natstest"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/email"
	reader "zflow/sources/imap"
	"zflow/sources/imap/place"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"go.uber.org/zap"
)

// house has an IMAP server and a catalog; its workers read what workflows name.
type house struct {
	t       *testing.T
	user    *imapmemserver.User
	address string
	options Options

	mu       sync.Mutex
	events   map[string]string // subjects by id
	secrets  map[string]string
	sessions int // that are open
	most     int
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// counted is a connection that says when it ends. The server notices later.
type counted struct {
	net.Conn
	end func()
}

func (c counted) Close() error {
	c.end()
	return c.Conn.Close()
}

func (h *house) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	h.count(1)
	return counted{c, sync.OnceFunc(func() { h.count(-1) })}, nil
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, events: map[string]string{}, secrets: map[string]string{"mailbox": "hunter2"}, user: imapmemserver.NewUser("desk", "hunter2")}
	must(t, h.user.Create("INBOX", nil))
	memory := imapmemserver.New()
	memory.AddUser(h.user)
	server := imapserver.New(&imapserver.Options{InsecureAuth: true, Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, Logger: quietly{}, NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
		return memory.NewSession(), nil, nil
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	h.address = l.Addr().String()
	s := natstest.Start(t)
	js, gate := s.JetStream(t), s.Gate(t)
	must(t, catalog.Create(t.Context(), js, 1))
	must(t, leases.Create(t.Context(), js, 1))
	must(t, place.Create(t.Context(), js, 1))
	must(t, sources.Create(t.Context(), js, sources.Limits{MaxBytes: 64 << 20}))
	h.options = Options{Holder: "w1", Log: zap.NewNop(), Dial: h.dial, Secrets: h.now,
		Storage: email.Storage{Publish: h.publish, MaxPayload: func() int64 { return 1 << 20 }, Files: noFiles}}
	registry, err := actions.NewRegistry(&actions.Action{Spec: actions.Spec{Name: "log", Input: actions.Schema{Open: true}, Effect: actions.Read}})
	must(t, err)
	h.options.Catalog, err = catalog.Open(t.Context(), js, gate, definition.Known{Actions: registry})
	must(t, err)
	h.options.Leases, err = leases.Open(t.Context(), js)
	must(t, err)
	h.options.Places, err = place.Open(t.Context(), js, gate)
	must(t, err)
	return h
}

type quietly struct{}

func (quietly) Printf(string, ...any) {}

func noFiles() (email.Put, email.Settle, error) { return nil, nil, nil }

func (h *house) count(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions += n
	h.most = max(h.most, h.sessions)
}

func (h *house) now() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.secrets
}

func (h *house) publish(_ context.Context, e *proto.Event) (sources.Ack, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events[e.ID] = e.Subject
	return sources.Ack{}, nil
}

func (h *house) deploy(name, more string) {
	h.t.Helper()
	host, port, _ := strings.Cut(h.address, ":")
	text := fmt.Sprintf("name: %s\non:\n  - email: { imap: { host: %s, port: %s, tls: none, user: desk, password: '${{ secrets.mailbox }}', every: 10s%s } }\nsteps:\n  - { uses: log, with: { message: x } }\n", name, host, port, more)
	if _, problems, err := h.options.Catalog.Deploy(h.t.Context(), name+".yaml", []byte(text)); err != nil || problems.Err() != nil {
		h.t.Fatal(problems, err)
	}
}

// worker reads mailboxes until stop is called.
func (h *house) worker(name string) (m *Mailboxes, stop func()) {
	o := h.options
	o.Holder = name
	m = New(o)
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(stop)
	return m, stop
}

func (h *house) until(what string, so func() bool) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(end) {
			h.t.Fatalf("%s never", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (h *house) put(subject string) {
	h.t.Helper()
	raw := "Subject: " + subject + "\r\nMessage-ID: <" + subject + "@x>\r\n\r\nhi\r\n"
	_, err := h.user.Append("INBOX", letter{strings.NewReader(raw), int64(len(raw))}, &imap.AppendOptions{Time: time.Now()})
	must(h.t, err)
}

type letter struct {
	io.Reader
	size int64
}

func (l letter) Size() int64 { return l.size }

func (h *house) position() place.Position {
	h.t.Helper()
	all, err := h.options.Places.All(h.t.Context())
	must(h.t, err)
	if len(all) == 0 {
		return place.Position{}
	}
	return all[0]
}

func (h *house) looked(m *Mailboxes) bool {
	all := m.Stats()
	return len(all) == 1 && !all[0].Looked.IsZero()
}

// Two workflows and two workers have one reader, which goes on with the other worker.
func TestOneReader(t *testing.T) {
	h := newHouse(t)
	h.deploy("first", "")
	h.deploy("second", ", mark: seen")
	one, stop := h.worker("w1")
	h.until("a look", func() bool { return h.looked(one) })
	taken, err := h.options.Leases.While(t.Context(), lease(one.Stats()[0].Mailbox), "w3", func(context.Context) error { return nil })
	if err != nil || taken {
		t.Errorf("who reads the mailbox does not hold its lock: %v", err)
	}
	two, _ := h.worker("w2")
	if len(two.Stats()) != 0 || h.most != 1 {
		t.Errorf("%v, %d sessions at once", two.Stats(), h.most)
	}
	stop()
	h.put("meanwhile")
	h.until("the other worker", func() bool { return h.looked(two) })
	h.until("the event", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.events) == 1 })
	if h.most != 1 {
		t.Errorf("%d sessions at once", h.most)
	}
}

// Of a workflow that is paused the mailbox is kept as it was; when none is left, how far
// it was read is forgotten.
func TestPausedAndRemoved(t *testing.T) {
	h := newHouse(t)
	h.deploy("first", "")
	m, _ := h.worker("w1")
	h.until("a look", func() bool { return h.looked(m) })
	must(t, h.options.Catalog.Pause(t.Context(), "first"))
	h.until("the end", func() bool { return len(m.Stats()) == 0 })
	h.put("meanwhile")
	must(t, h.options.Catalog.Resume(t.Context(), "first"))
	h.until("the event", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.events) == 1 })
	must(t, h.options.Catalog.Remove(t.Context(), "first"))
	h.until("the end", func() bool { return h.position().Mailbox == "" })
	h.put("nobody's")
	h.deploy("second", "")
	h.until("a look", func() bool { return h.looked(m) })
	if h.events["nobody's"] != "" || len(h.events) != 1 || h.position().Mails != 0 {
		t.Errorf("%v, %+v", h.events, h.position())
	}
}

// Without its secret a mailbox is told as one that cannot be read, by the names of the
// workflows.
func TestNoSecret(t *testing.T) {
	h := newHouse(t)
	h.secrets = nil
	h.deploy("first", "")
	_, _ = h.worker("w1")
	h.until("the problem", func() bool { return h.position().Problem != nil })
	if got := h.position().Problem.Message; !strings.Contains(got, "the secret that is its password in workflow first is not in the worker's configuration") {
		t.Error(got)
	}
}

// What a connection gives opens a mailbox; why it gives nothing is told as it says it.
func TestConnections(t *testing.T) {
	h := newHouse(t)
	asked := make(chan string, 100)
	h.options.Token = func(_ context.Context, connection, server string) (reader.Key, error) {
		asked <- connection + " for " + server
		return reader.Key{}, errors.New("connection " + connection + " needs to be connected again")
	}
	host, port, _ := strings.Cut(h.address, ":")
	text := fmt.Sprintf("name: first\non:\n  - email: { imap: { host: %s, port: %s, tls: none, user: desk, connection: mail } }\nsteps:\n  - { uses: log, with: { message: x } }\n", host, port)
	if _, problems, err := h.options.Catalog.Deploy(t.Context(), "first.yaml", []byte(text)); err != nil || problems.Err() != nil {
		t.Fatal(problems, err)
	}
	_, stop := h.worker("w1")
	h.until("the problem", func() bool { return h.position().Problem != nil })
	if got := h.position().Problem.Message; got != "connection mail needs to be connected again" {
		t.Error(got)
	}
	if got := <-asked; got != "mail for "+h.address {
		t.Error(got)
	}
	stop()
	h.deploy("second", "") // which has a password for the same mailbox
	m, _ := h.worker("w2")
	h.until("a look", func() bool { return h.looked(m) })
}

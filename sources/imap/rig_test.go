package imap

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/actions"
	"zflow/internal/natstest"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/email"
	"zflow/sources/imap/place"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// office is an IMAP server on a port of this machine, and a reader of one mailbox of it.
type office struct {
	t      *testing.T
	user   *imapmemserver.User
	server *imapserver.Server
	listen net.Listener
	secure *tls.Config // of the server: STARTTLS
	config Config
	nats   *natstest.Server
	logs   *observer.ObservedLogs

	mu       sync.Mutex
	events   map[string]*proto.Event
	order    []string
	files    [][]byte
	attempts int    // to publish
	fails    error  // of publishing
	after    func() // once a mail is published
	password string
	renew    func(context.Context) error // the password is a token; nil: it is not
	dials    int
	token    string // that the server takes
	refusals int    // of tokens
	wrap     func(imapserver.Session) imapserver.Session
}

// newOffice starts a server; caps beside IMAP4rev1.
func newOffice(t *testing.T, caps ...imap.Cap) *office {
	t.Helper()
	o := &office{t: t, events: map[string]*proto.Event{}, password: "hunter2"}
	o.user = imapmemserver.NewUser("desk", "hunter2")
	must(t, o.user.Create("INBOX", nil))
	o.serve(caps...)
	o.nats = natstest.Start(t)
	must(t, place.Create(t.Context(), o.nats.JetStream(t), 1))
	places, err := place.Open(t.Context(), o.nats.JetStream(t), o.nats.Gate(t))
	must(t, err)
	core, logs := observer.New(zap.DebugLevel)
	o.logs = logs
	o.config = Config{
		Mailbox: Mailbox{Name: "imap.example.org/desk/INBOX", Address: o.listen.Addr().String(), Secure: "none", User: "desk", Folder: "INBOX", Every: 50 * time.Millisecond},
		Key:     o.secret, Dial: o.dial, Places: places, MaxSize: 1 << 20, Log: zap.New(core),
		Storage: &email.Storage{Publish: o.publish, Files: o.begin, MaxPayload: func() int64 { return 8 << 20 }},
	}
	return o
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve begins a server with the user's mailboxes.
func (o *office) serve(caps ...imap.Cap) {
	memory := imapmemserver.New()
	memory.AddUser(o.user)
	set := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range caps {
		set[c] = struct{}{}
	}
	o.server = imapserver.New(&imapserver.Options{InsecureAuth: true, Caps: set, Logger: quietly{}, TLSConfig: o.secure,
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			if o.wrap != nil {
				return o.wrap(memory.NewSession()), nil, nil
			}
			return memory.NewSession(), nil, nil
		}})
	var err error
	o.listen, err = net.Listen("tcp", "127.0.0.1:0")
	must(o.t, err)
	server, listen := o.server, o.listen // a test may put others in their place
	go func() { _ = server.Serve(listen) }()
	o.t.Cleanup(func() { _ = server.Close() })
}

type quietly struct{}

func (quietly) Printf(string, ...any) {}

func (o *office) secret(context.Context) (Key, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.renew != nil {
		return Key{Text: o.password, Token: true, Renew: o.renew}, nil
	}
	return Key{Text: o.password}, nil
}

func (o *office) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	o.mu.Lock()
	o.dials++
	address := o.listen.Addr().String()
	o.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (o *office) publish(_ context.Context, e *proto.Event) (sources.Ack, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attempts++
	if o.fails != nil {
		return sources.Ack{}, o.fails
	}
	if o.events[e.ID] != nil {
		return sources.Ack{Duplicate: true}, nil
	}
	o.events[e.ID] = e
	o.order = append(o.order, e.ID)
	if o.after != nil {
		o.after()
	}
	return sources.Ack{}, nil
}

func (o *office) begin() (email.Put, email.Settle, error) {
	return func(_ context.Context, r io.Reader, f actions.File, most int64) (actions.File, error) {
		raw, err := io.ReadAll(io.LimitReader(r, most+1))
		o.mu.Lock()
		defer o.mu.Unlock()
		f.ID, f.Size = fmt.Sprintf("file-%d", len(o.files)), int64(len(raw))
		o.files = append(o.files, raw)
		return f, err
	}, func(context.Context) error { return nil }, nil
}

// put lets a mail come.
func (o *office) put(folder, text string, when ...time.Time) {
	o.t.Helper()
	options := &imap.AppendOptions{Time: time.Now()}
	for _, at := range when {
		options.Time = at
	}
	raw := []byte(strings.ReplaceAll(text, "\n", "\r\n"))
	_, err := o.user.Append(folder, literal{bytes.NewReader(raw), int64(len(raw))}, options)
	must(o.t, err)
}

type literal struct {
	io.Reader
	size int64
}

func (l literal) Size() int64 { return l.size }

func letter(id string) string {
	return "From: Ada <ada@example.net>\nTo: desk@example.org\nDelivered-To: desk+now@example.org\nReturn-Path: <ada@example.net>\nSubject: " + id +
		"\nMessage-ID: <" + id + "@example.net>\n\nhi\n"
}

// run reads the mailbox until stop is called.
func (o *office) run() (r *Reader, stop func()) {
	r = New(o.config)
	r.first = 20 * time.Millisecond
	ctx, cancel := context.WithCancel(o.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			o.t.Error(err)
		}
	})
	o.t.Cleanup(stop)
	return r, stop
}

// until waits for something that is to become so.
func (o *office) until(what string, so func() bool) {
	o.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		o.mu.Lock()
		ok := so()
		o.mu.Unlock()
		switch {
		case ok:
			return
		case time.Now().After(end):
			o.t.Fatalf("%s never: %v; logs %v", what, o.order, o.logs.All())
		}
		pauseShort()
	}
}

func pauseShort() { <-time.After(2 * time.Millisecond) }

// subjects are those of the events, in their order.
func (o *office) subjects() (all []string) {
	for _, id := range o.order {
		all = append(all, o.events[id].Subject)
	}
	return all
}

func (o *office) want(subjects ...string) {
	o.t.Helper()
	o.until(fmt.Sprint("events ", subjects), func() bool { return len(o.order) >= len(subjects) })
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := o.subjects(); fmt.Sprint(got) != fmt.Sprint(subjects) {
		o.t.Errorf("events %q, not %q", got, subjects)
	}
}

// looked waits until the mailbox was read from now on.
func (o *office) looked(r *Reader) {
	o.t.Helper()
	now := time.Now()
	o.until("a look", func() bool { return r.Stats().Looked.After(now) })
}

func (o *office) body(i int) (b map[string]any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	must(o.t, json.Unmarshal(o.events[o.order[i]].Body, &b))
	return b
}

func (o *office) position() place.Position {
	o.t.Helper()
	p, err := o.config.Places.Of(o.t.Context(), o.config.Name)
	must(o.t, err)
	return p
}

var errAway = errors.New("the broker is away")

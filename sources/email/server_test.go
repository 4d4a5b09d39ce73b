package email

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/actions"
	"zflow/proto"
	"zflow/sources"

	"go.uber.org/zap"
)

// post is a server on a port of this machine, and what it has stored.
type post struct {
	t      *testing.T
	server *Server
	addr   string

	mu     sync.Mutex
	events map[string]*proto.Event
	order  []string
	files  map[string][]byte
	fails  error // of publishing
	away   error // of who knows the mailboxes
	room   error
	hold   chan struct{} // publishing waits for it
	begun  chan struct{}
}

func newPost(t *testing.T, change ...func(*Config)) *post {
	t.Helper()
	p := &post{t: t, events: map[string]*proto.Event{}, files: map[string][]byte{}, begun: make(chan struct{}, 10)}
	c := Config{Name: "mail.example.org", Domains: []string{"example.org", "Example.com"}, Known: p.known, Log: zap.NewNop(), Storage: Storage{
		Publish: p.publish, Files: p.begin, Room: func(context.Context) error { return p.room }, MaxPayload: func() int64 { return 8 << 20 }}}
	for _, f := range change {
		f(&c)
	}
	p.server = NewServer(c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- p.server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		p.server.Stop(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *post) known(_ context.Context, mailbox string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away == nil && (mailbox == "desk" || mailbox == "a.b" || mailbox == "x+y"), p.away
}

func (p *post) publish(_ context.Context, e *proto.Event) (sources.Ack, error) {
	p.mu.Lock()
	hold, fails := p.hold, p.fails
	p.mu.Unlock()
	select {
	case p.begun <- struct{}{}:
	default:
	}
	if hold != nil {
		<-hold
	}
	if fails != nil {
		return sources.Ack{}, fails
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.events[e.ID] != nil {
		return sources.Ack{Duplicate: true}, nil
	}
	p.events[e.ID] = e
	p.order = append(p.order, e.ID)
	return sources.Ack{}, nil
}

func (p *post) begin() (Put, Settle, error) {
	var fresh []string
	put := func(_ context.Context, r io.Reader, f actions.File, most int64) (actions.File, error) {
		raw, err := io.ReadAll(io.LimitReader(r, most+1))
		if err != nil {
			return f, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		f.ID, f.Size = fmt.Sprintf("file-%d", len(p.files)), int64(len(raw))
		p.files[f.ID] = raw
		fresh = append(fresh, f.ID)
		return f, nil
	}
	return put, func(context.Context) error { return nil }, nil
}

func (p *post) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// stored are the bodies of the events, by what they say.
func (p *post) stored() (all []map[string]any) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range p.order {
		var b map[string]any
		if err := json.Unmarshal(p.events[id].Body, &b); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func crlf(text string) []byte { return []byte(strings.ReplaceAll(text, "\n", "\r\n")) }

const hello = "From: Ada <ada@example.net>\nTo: desk@example.org\nSubject: Hello\nMessage-ID: <m1@example.net>\n\nhi\n"

func (p *post) send(from string, text []byte, to ...string) error {
	return smtp.SendMail(p.addr, nil, from, to, text)
}

func (p *post) want(err error, code string) {
	p.t.Helper()
	if code == "" && err != nil || code != "" && (err == nil || !strings.HasPrefix(err.Error(), code)) {
		p.t.Errorf("answered %v, not %q", err, code)
	}
}

// One event for each mailbox, once however often the mail comes; the answer to others
// is no.
func TestReceive(t *testing.T) {
	p := newPost(t)
	p.want(p.send("ada@example.net", crlf(hello), "desk@example.org", "DESK+now@EXAMPLE.COM", "a.b@example.org", "X+Y@example.org"), "")
	p.want(p.send("ada@example.net", crlf("Received: again\n"+hello), "desk@example.org"), "")
	p.want(p.send("ada@example.net", crlf(hello), "nobody@example.org"), `550 "5.1.1`)
	p.want(p.send("ada@example.net", crlf(hello), "desk@elsewhere.example"), `550 "5.7.1`)
	got := p.stored()
	if len(got) != 3 {
		t.Fatalf("%d events: %v", len(got), got)
	}
	for i, want := range []struct{ mailbox, recipient, tag string }{{"desk", "desk@example.org", ""}, {"a.b", "a.b@example.org", ""}, {"x+y", "X+Y@example.org", ""}} {
		if got[i]["mailbox"] != want.mailbox || got[i]["recipient"] != want.recipient || got[i]["tag"] != want.tag || got[i]["sender"] != "ada@example.net" {
			t.Errorf("event %d is %v", i, got[i])
		}
	}
	e := p.events[p.order[0]]
	if e.Type != "desk" || e.Source != "email" || e.Origin != "smtp" || e.Subject != "Hello" || len(e.Trigger) != 0 {
		t.Errorf("%+v", e)
	}
	for o, want := range map[Outcome]int64{Accepted: 3, Duplicate: 1, NoMailbox: 1, OtherDomain: 1, Automatic: 0} {
		if n := p.server.Stats()[o]; n != want {
			t.Errorf("%s: %d, not %d", o, n, want)
		}
	}
}

// While it is not known whether a mail is stored, or whose it is, it is to come again;
// its events are the same then.
func TestComeAgain(t *testing.T) {
	p := newPost(t)
	p.set(func() { p.away = errors.New("nobody answers") })
	p.want(p.send("ada@example.net", crlf(hello), "desk@example.org"), "451")
	p.set(func() { p.away, p.fails = nil, errors.New("the broker is away") })
	p.want(p.send("ada@example.net", crlf(hello), "desk@example.org"), "451")
	p.set(func() { p.fails, p.room = nil, errors.New("full") })
	p.want(p.send("ada@example.net", crlf(hello), "desk@example.org"), "451")
	p.set(func() { p.room = nil })
	p.want(p.send("ada@example.net", crlf(hello), "desk@example.org"), "")
	if n := len(p.stored()); n != 1 {
		t.Errorf("%d events", n)
	}
}

// Without a Message-ID a mail is known by all of it.
func TestKnownByItsContent(t *testing.T) {
	p := newPost(t)
	for _, text := range []string{"Subject: a\n\n1\n", "Subject: a\n\n1\n", "Subject: a\n\n2\n"} {
		p.want(p.send("ada@example.net", crlf(text), "desk@example.org"), "")
	}
	if n := len(p.stored()); n != 2 {
		t.Errorf("%d events", n)
	}
}

// dialed is a client that says what it wants.
type dialed struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (p *post) dial() *dialed {
	p.t.Helper()
	c, err := net.Dial("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	return &dialed{p.t, c, bufio.NewReader(c)}
}

// says sends a line and returns the answer to it.
func (d *dialed) says(text string) string {
	d.t.Helper()
	if text != "" {
		if _, err := io.WriteString(d, text); err != nil {
			return err.Error()
		}
	}
	for {
		line, err := d.r.ReadString('\n')
		if err != nil || len(line) < 4 || line[3] != '-' {
			return strings.TrimSpace(line)
		}
	}
}

func (d *dialed) begin(to string) {
	d.t.Helper()
	d.says("")
	for _, line := range []string{"EHLO client\r\n", "MAIL FROM:<ada@example.net>\r\n", "RCPT TO:<" + to + ">\r\n"} {
		if got := d.says(line); !strings.HasPrefix(got, "250") {
			d.t.Fatalf("%q: %s", line, got)
		}
	}
	if got := d.says("DATA\r\n"); !strings.HasPrefix(got, "354") {
		d.t.Fatal(got)
	}
}

// Nothing but CRLF . CRLF ends a mail: what stands behind another end is no second one.
func TestNoMailInAMail(t *testing.T) {
	p := newPost(t)
	for i, end := range []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\r\n.\r\n", "\r.\r\n"} {
		d := p.dial()
		d.begin("desk@example.org")
		inner := "MAIL FROM:<boss@example.org>\r\nRCPT TO:<desk@example.org>\r\nDATA\r\nSubject: forged\r\n\r\npay"
		if got := d.says(fmt.Sprintf("Message-ID: <%d@x>\r\nSubject: outer\r\n\r\ntext%s%s\r\n.\r\n", i, end, inner)); !strings.HasPrefix(got, "250") {
			t.Fatalf("%q: %s", end, got)
		}
		if got := d.says("NOOP\r\n"); !strings.Contains(got, "nothing") {
			t.Errorf("after %q: %s", end, got)
		}
	}
	for _, b := range p.stored() {
		if b["subject"] != "outer" || b["sender"] != "ada@example.net" {
			t.Errorf("%v", b)
		}
	}
}

func TestLimits(t *testing.T) {
	p := newPost(t, func(c *Config) { c.Limits = Limits{Size: 100_000, Recipients: 2, Connections: 3, Each: 3} })
	large := hello + strings.Repeat("x\n", 60_000)
	p.want(p.send("ada@example.net", crlf(large), "desk@example.org"), "552")
	err := p.send("ada@example.net", crlf(hello), "desk@example.org", "a.b@example.org", "x+y@example.org")
	p.want(err, "452")
	d := p.dial()
	d.says("")
	d.says("EHLO client\r\n")
	if got := d.says("MAIL FROM:<a@b.c> SIZE=200000\r\n"); !strings.HasPrefix(got, "552") {
		t.Errorf("a size that is said: %s", got)
	}
	second, third := p.dial(), p.dial()
	second.says("")
	third.says("")
	if got := p.dial().says(""); !strings.HasPrefix(got, "421") {
		t.Errorf("the fourth connection: %s", got)
	}
	third.says("QUIT\r\n")
	for range 50 { // the place is free a moment after the answer
		if got := p.dial().says(""); strings.HasPrefix(got, "220") {
			return
		}
	}
	t.Error("a place that was left stays taken")
}

// A line without end is refused for good: it would be as long the next time.
func TestALongLine(t *testing.T) {
	p := newPost(t)
	d := p.dial()
	d.begin("desk@example.org")
	if got := d.says("Subject: x\r\n\r\n" + strings.Repeat("x", longestLine+10) + "\r\n.\r\n"); !strings.HasPrefix(got, "554 5.6.0") {
		t.Error(got)
	}
	if n := p.server.Stats(); n[Malformed] != 1 || n[Broken] != 0 || len(p.stored()) != 0 {
		t.Errorf("%v", n)
	}
}

// A mail that does not come whole is none.
func TestBrokenOff(t *testing.T) {
	p := newPost(t)
	d := p.dial()
	d.begin("desk@example.org")
	if _, err := d.Write(crlf(hello)); err != nil {
		t.Fatal(err)
	}
	_ = d.Close()
	p.want(p.send("ada@example.net", crlf(strings.Replace(hello, "m1", "m2", 1)), "desk@example.org"), "")
	if got := p.stored(); len(got) != 1 || got[0]["message_id"] != "m2@example.net" {
		t.Errorf("%v", got)
	}
}

// Who stops lets the mails that are under way end, and takes no more.
func TestStop(t *testing.T) {
	p := newPost(t)
	hold := make(chan struct{})
	p.set(func() { p.hold = hold })
	idle := p.dial()
	idle.says("")
	sent := make(chan error, 1)
	go func() { sent <- p.send("ada@example.net", crlf(hello), "desk@example.org") }()
	<-p.begun
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		p.server.Stop(t.Context())
	}()
	for !p.server.draining.Load() { // until it has begun
		idle.says("NOOP\r\n")
	}
	if got := idle.says("EHLO client\r\n"); !strings.HasPrefix(got, "421") {
		t.Errorf("a new one: %s", got)
	}
	close(hold)
	<-stopped
	if n := len(p.stored()); n != 1 {
		t.Errorf("%d events, the sender got %v", n, <-sent)
	}
}

// Attachments are files, and what is too long for an event too.
func TestFiles(t *testing.T) {
	p := newPost(t, func(c *Config) { c.Body = 300_000 })
	html := "<p>" + strings.Repeat("long ", 60_000) + "</p>"
	text := "From: ada@example.net\nMessage-ID: <f@x>\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhi\n" +
		"--b\nContent-Type: text/html\n\n" + html + "\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"../../etc/a.pdf\"\n" +
		"Content-Transfer-Encoding: base64\n\nJVBERg==\n--b--\n"
	p.want(p.send("ada@example.net", crlf(text), "desk@example.org"), "")
	got := p.stored()
	if len(got) != 1 || got[0]["html"] != nil || strings.TrimSpace(got[0]["text"].(string)) != "hi" {
		t.Fatalf("%v", got)
	}
	files := got[0]["attachments"].([]any)
	if len(files) != 2 {
		t.Fatalf("%v", files)
	}
	pdf, page := files[0].(map[string]any), files[1].(map[string]any)
	if pdf["name"] != "a.pdf" || pdf["type"] != "application/pdf" || pdf["inline"] != false || !bytes.Equal(p.files[pdf["file"].(string)], []byte("%PDF")) {
		t.Errorf("%v: %q", pdf, p.files[pdf["file"].(string)])
	}
	if page["name"] != "message.html" || strings.TrimSpace(string(p.files[page["file"].(string)])) != html {
		t.Errorf("%v", page)
	}
}

// STARTTLS is offered where there is a certificate, and what was said before it does
// not count.
func TestSTARTTLS(t *testing.T) {
	cert := certificate(t)
	p := newPost(t, func(c *Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
	c, err := smtp.Dial(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Mail("before@example.net"); err != nil {
		t.Fatal(err)
	}
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil { //nolint:gosec // it is its own authority
		t.Fatal(err)
	}
	if err := c.Rcpt("desk@example.org"); err == nil {
		t.Error("the sender of before the handshake counts")
	}
	for _, err := range []error{c.Mail("ada@example.net"), c.Rcpt("desk@example.org")} {
		p.want(err, "")
	}
	w, err := c.Data()
	p.want(err, "")
	_, err = w.Write(crlf(hello))
	p.want(err, "")
	p.want(w.Close(), "")
	if got := p.stored(); len(got) != 1 || got[0]["sender"] != "ada@example.net" {
		t.Errorf("%v", got)
	}
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mail.example.org"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

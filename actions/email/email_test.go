package email_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/email"
)

type object = map[string]any

const password = "hunter2-and-more"

// arrived is a mail as the server took it.
type arrived struct {
	from string
	to   []string
	raw  string
}

// post is a mail server in process.
type post struct {
	t      *testing.T
	server *smtp.Server
	roots  *x509.CertPool
	port   int

	mu     sync.Mutex
	mails  []arrived
	logins int

	mailErr, dataErr error            // what it says to MAIL, and to a mail
	rcptErr          map[string]error // what it says to recipients
	onData           func(net.Conn)   // what it does once it has read a mail, instead of taking it
}

type session struct {
	*post
	conn *smtp.Conn
	mail arrived
}

func (s *session) Reset()        { s.mail = arrived{} }
func (s *session) Logout() error { return nil }
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.from = from
	return s.mailErr
}
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.rcptErr[to]; err != nil {
		return err
	}
	s.mail.to = append(s.mail.to, to)
	return nil
}
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.onData != nil {
		s.onData(s.conn.Conn())
		return errors.New("gone")
	}
	if s.dataErr != nil {
		return s.dataErr
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mail.raw = string(raw)
	s.mails = append(s.mails, s.mail)
	return nil
}
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, given string) error {
		s.mu.Lock()
		s.logins++
		s.mu.Unlock()
		if user != "zflow" || given != password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no, not with " + given}
		}
		return nil
	}), nil
}

// serve starts a server whose connection is secured so.
func serve(t *testing.T, mode string) *post {
	t.Helper()
	p := &post{t: t, rcptErr: map[string]error{}}
	p.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{post: p, conn: c}, nil }))
	p.server.Domain, p.server.AllowInsecureAuth = "localhost", true
	config := p.certificate()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	switch mode {
	case email.StartTLS:
		p.server.TLSConfig = config
	case email.Implicit:
		l = tls.NewListener(l, config)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.server.Serve(l)
	}()
	t.Cleanup(func() { p.server.Close(); <-done })
	return p
}

// certificate makes one for 127.0.0.1, and lets mails trust it.
func (p *post) certificate() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		p.t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		p.t.Fatal(err)
	}
	p.roots = x509.NewCertPool()
	p.roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

func (p *post) options(mode string) email.Options {
	return email.Options{Host: "127.0.0.1", Port: p.port, User: "zflow", Password: password, From: "School <office@example.org>", TLS: mode, Roots: p.roots}
}

func (p *post) got() []arrived {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]arrived(nil), p.mails...)
}

func hello() object { return object{"to": "jo@example.org", "subject": "Hello", "text": "Hi"} }

func call(ctx context.Context, a *actions.Action, input object) (object, *actions.Error) {
	r, err := a.Do(ctx, actions.Call{Input: input, Key: "run-1/thanks", Started: time.Now()})
	if err == nil {
		return r.Output.(object), nil
	}
	var e *actions.Error
	if !errors.As(err, &e) {
		e = actions.Final("%v", err)
	}
	return nil, e
}

func wantError(t *testing.T, e *actions.Error, class actions.Class, code, says string) {
	t.Helper()
	switch {
	case e == nil:
		t.Errorf("it was sent, want it to be %s", class)
	case e.Class != class || e.Code != code || !strings.Contains(e.Message, says):
		t.Errorf("%s %q: %s; want %s %q with %q", e.Class, e.Code, e.Message, class, code, says)
	case strings.Contains(e.Message, password):
		t.Errorf("the error has the password: %s", e.Message)
	}
}

func TestItIsDocumented(t *testing.T) {
	actionstest.Spec(t, email.Action(email.Options{}).Spec)
}

func TestAMailIsHandedOver(t *testing.T) {
	for _, mode := range []string{email.StartTLS, email.Implicit, email.Plain} {
		p := serve(t, mode)
		a := email.Action(p.options(mode))
		out, err := call(t.Context(), a, object{"to": []any{"Jo Ün <jo@example.org>", "al@example.org, JO@example.org"}, "cc": "cc@example.org", "bcc": "hidden@example.org",
			"reply_to": "desk@example.org", "subject": "Grüße zum Kurs", "text": "Hällo\n.\n", "html": "<p>Hällo</p>"})
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		for _, problem := range actionstest.Check(a.Spec.Output, out) {
			t.Error(problem)
		}
		mails := p.got()
		if len(mails) != 1 || p.logins != 1 || strings.Join(mails[0].to, " ") != "jo@example.org al@example.org cc@example.org hidden@example.org" || mails[0].from != "office@example.org" {
			t.Fatalf("%s: %+v after %d logins", mode, mails, p.logins)
		}
		m := read(t, mails[0].raw)
		for name, want := range map[string]string{
			"Subject": "Grüße zum Kurs", "From": `"School" <office@example.org>`, "Cc": "<cc@example.org>", "Bcc": "", "Reply-To": "<desk@example.org>",
			"Auto-Submitted": "auto-generated", "Message-Id": "<" + out["message_id"].(string) + ">",
		} {
			if got := m.header(name); got != want {
				t.Errorf("%s: %s is %q, want %q", mode, name, got, want)
			}
		}
		if strings.Contains(mails[0].raw, "hidden@") || m.parts["text/plain"] != "Hällo\r\n.\r\n" || m.parts["text/html"] != "<p>Hällo</p>" {
			t.Errorf("%s: it says %q in\n%s", mode, m.parts, mails[0].raw)
		}
	}
}

// An answer names the mails before it; what a stranger gave as an id and is none is left out.
func TestAnAnswer(t *testing.T) {
	p := serve(t, email.Plain)
	o := p.options(email.Plain)
	o.User, o.Password = "", ""
	a := email.Action(o)
	long := []any{}
	for i := range 40 {
		long = append(long, strconv.Itoa(i)+"."+strings.Repeat("x", 100)+"@x")
	}
	for i, c := range []struct {
		to     any
		before []any
		reply  string
		refs   string
	}{
		{"m1@x", []any{"m0@x", "<r@x>"}, "<m1@x>", "<m0@x> <r@x> <m1@x>"},
		{"<m1@x>", []any{"m1@x", "m0@x"}, "<m1@x>", "<m0@x> <m1@x>"},
		{"", nil, "", ""},
		{nil, nil, "", ""},
		{"a b@x", []any{"x>\r\nBcc: <all@x", "", "\u00fc@x", strings.Repeat("x", 300), "ok@x", 7}, "", "<ok@x>"},
		{"m\r\nBcc: all@example.org", nil, "", ""},
		{"m1@x", long, "<m1@x>", "21."},
	} {
		input := hello()
		if c.to != nil {
			input["in_reply_to"] = c.to
		}
		if c.before != nil {
			input["references"] = c.before
		}
		if _, err := call(t.Context(), a, input); err != nil {
			t.Fatal(i, err)
		}
		mails := p.got()
		raw := mails[len(mails)-1].raw
		m := read(t, raw)
		if got := m.header("In-Reply-To"); got != c.reply {
			t.Errorf("%d: it answers %q", i, got)
		}
		got := m.header("References")
		if many := strings.HasPrefix(got, "<"+c.refs) && strings.HasSuffix(got, "<m1@x>") && len(strings.Fields(got)) == 20; got != c.refs && !many {
			t.Errorf("%d: after %q", i, got)
		}
		if m.header("Bcc") != "" || strings.Contains(raw, "\nBcc") {
			t.Errorf("%d: an id became a header:\n%s", i, raw)
		}
		for line := range strings.Lines(raw) {
			if len(line) > 500 {
				t.Errorf("%d: a line has %d bytes", i, len(line))
			}
		}
	}
}

// letter is a mail as a program reads it.
type letter struct {
	*mail.Message
	parts map[string]string // by content type, or by file name
}

func (l letter) header(name string) string {
	text, err := (&mime.WordDecoder{}).DecodeHeader(l.Header.Get(name))
	if err != nil {
		return err.Error()
	}
	return text
}

func read(t *testing.T, raw string) letter {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	l := letter{m, map[string]string{}}
	l.read(t, m.Header.Get("Content-Type"), m.Body)
	return l
}

func (l letter) read(t *testing.T, kind string, body io.Reader) {
	t.Helper()
	kind, params, _ := mime.ParseMediaType(kind)
	if !strings.HasPrefix(kind, "multipart/") {
		text, _ := io.ReadAll(body)
		l.parts[kind] = string(text)
		return
	}
	for r := multipart.NewReader(body, params["boundary"]); ; {
		part, err := r.NextPart() // quoted-printable is undone
		if err != nil {
			return
		}
		if name := part.FileName(); name != "" {
			text, _ := io.ReadAll(part)
			l.parts[name] = part.Header.Get("Content-Type") + " " + string(text)
			continue
		}
		l.read(t, part.Header.Get("Content-Type"), part)
	}
}

func TestTheSameStepHasTheSameMessageID(t *testing.T) {
	p := serve(t, email.Plain)
	a := email.Action(p.options(email.Plain))
	first, _ := call(t.Context(), a, hello())
	second, _ := call(t.Context(), a, hello())
	r, err := a.Do(t.Context(), actions.Call{Input: hello(), Key: "run-2/thanks"})
	if err != nil {
		t.Fatal(err)
	}
	third, _ := r.Output.(object)
	if first["message_id"] != second["message_id"] || first["message_id"] == third["message_id"] {
		t.Errorf("ids %v %v %v", first, second, third)
	}
}

func TestNothingGivenBecomesAHeaderOrACommand(t *testing.T) {
	p := serve(t, email.Plain)
	a := email.Action(p.options(email.Plain))
	for _, field := range []string{"to", "cc", "bcc", "reply_to"} {
		for _, evil := range []string{
			"jo@example.org\r\nBcc: all@example.org", "jo@example.org\nX: y", "Jo\r\nBcc: a@example.org <jo@example.org>", "jo@example.org> NOTIFY=NEVER", `"a> b"@example.org`, "jo", "jo@", "a@b@c", "@x.org", "jo@example.org\x00",
		} {
			input := hello()
			input[field] = evil
			_, err := call(t.Context(), a, input)
			wantError(t, err, actions.ClassFinal, "no_address", field+" has ")
		}
	}
	if n := len(p.got()); n != 0 {
		t.Fatalf("%d mails were sent", n)
	}
	input := hello()
	input["subject"] = "Hi\r\nBcc: all@example.org\r\n\r\nbody\u2028x"
	input["text"] = "a\r\n.\r\nMAIL FROM:<x@example.org>\r\n"
	if _, err := call(t.Context(), a, input); err != nil {
		t.Fatal(err)
	}
	mails := p.got()
	m := read(t, mails[0].raw)
	if len(mails) != 1 || m.Header.Get("Bcc") != "" || m.header("Subject") != "Hi  Bcc: all@example.org    body x" {
		t.Errorf("%d mails, the first\n%s", len(mails), mails[0].raw)
	}
}

func TestAMailForNobodyOrWithoutWordsIsRefused(t *testing.T) {
	a := email.Action(email.Options{Host: "127.0.0.1", Port: 1, From: "office@example.org"})
	many := make([]any, 101)
	for i := range many {
		many[i] = "a" + strconv.Itoa(i) + "@example.org"
	}
	for says, input := range map[string]object{
		"for nobody":                 {"subject": "x", "text": "x", "to": " "},
		"says nothing":               {"to": "jo@example.org"},
		"no reference":               {"to": "jo@example.org", "text": "x", "attachments": []any{"a.pdf"}},
		"101 addresses":              {"to": many, "text": "x"},
		"to has 7, which is no addr": {"to": int64(7), "text": "x"},
	} {
		if _, err := call(t.Context(), a, input); err == nil || err.Class != actions.ClassFinal || !strings.Contains(err.Message, says) {
			t.Errorf("%v: %v", input, err)
		}
	}
}

func TestWithoutAServerTheErrorSaysWhatToSet(t *testing.T) {
	_, err := call(t.Context(), email.Action(email.Options{}), hello())
	wantError(t, err, actions.ClassFinal, "not_configured", "ZFLOW_WORKER_SMTP_HOST")
}

// files keeps one file; its bytes end early, with an error, where broken.
func files(content string, broken bool) actions.Files {
	return actions.Files{Open: func(context.Context, actions.File) (io.ReadCloser, error) {
		if broken {
			return io.NopCloser(io.MultiReader(strings.NewReader(content), failing{})), nil
		}
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("its hash differs") }

func withFile(size int) object {
	input := hello()
	input["attachments"] = []any{actions.File{ID: "f", Name: "../Bericht \"März\"\r\nX: y.pdf", Type: "application/pdf\r\nX: y", Size: int64(size), SHA256: "00"}.Value(),
		actions.File{ID: "g", Name: "b.csv", Type: "text/csv; charset=utf-8", Size: 1, SHA256: "00"}.Value()}
	return input
}

func TestFilesGoAlong(t *testing.T) {
	p := serve(t, email.StartTLS)
	o := p.options(email.StartTLS)
	content := strings.Repeat("0123456789abcdef", 1<<16) // a mebibyte
	o.Files, o.MaxSize = files(content, false), 2<<20
	a := email.Action(o)
	if _, err := call(t.Context(), a, withFile(len(content))); err != nil {
		t.Fatal(err)
	}
	raw := p.got()[0].raw
	m := read(t, raw)
	if len(m.parts) != 3 || strings.Contains(raw, "\nX:") {
		t.Errorf("%d parts in\n%.1500s", len(m.parts), raw)
	}
	if !strings.HasPrefix(m.parts["b.csv"], `text/csv; name="b.csv" `) || !bytes.Contains([]byte(raw), []byte("MDEyMzQ1Njc4OWFiY2RlZjAx")) {
		t.Errorf("the csv is %.100q", m.parts["b.csv"])
	}
	_, err := call(t.Context(), a, withFile(2<<20))
	wantError(t, err, actions.ClassFinal, "too_large", "worker.smtp.max_size")
}

func TestAFileThatCannotBeReadIsNotDeliveredInHalf(t *testing.T) {
	p := serve(t, email.StartTLS)
	o := p.options(email.StartTLS)
	o.Files = files(strings.Repeat("x", 100_000), true)
	_, err := call(t.Context(), email.Action(o), withFile(100_000))
	wantError(t, err, actions.ClassRetryable, "", "its hash differs; the mail was not sent")
	p.server.Close() // all it was sent has been read
	if n := len(p.got()); n != 0 {
		t.Errorf("%d mails were delivered", n)
	}
}

func TestRefusalsAreToldApart(t *testing.T) {
	no := func(code int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: "no, not with " + password}
	}
	for _, c := range []struct {
		name  string
		set   func(p *post)
		class actions.Class
		code  string
		says  string
	}{
		{"sender for now", func(p *post) { p.mailErr = no(451) }, actions.ClassRetryable, "451", "refuses: 451 no, not with ••••"},
		{"sender for good", func(p *post) { p.mailErr = no(553) }, actions.ClassFinal, "553", "refuses: 553"},
		{"one recipient for now", func(p *post) { p.rcptErr["jo@example.org"] = no(450) }, actions.ClassRetryable, "450", "nobody got the mail: jo@example.org: 450"},
		{"one for good, one for now", func(p *post) { p.rcptErr["jo@example.org"], p.rcptErr["al@example.org"] = no(550), no(452) }, actions.ClassFinal, "550", "al@example.org: 452"},
		{"the mail for now", func(p *post) { p.dataErr = no(452) }, actions.ClassRetryable, "452", "452"},
		{"the mail for good", func(p *post) { p.dataErr = no(554) }, actions.ClassFinal, "554", "554"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := serve(t, email.Plain)
			c.set(p)
			input := hello()
			input["to"] = "jo@example.org, al@example.org"
			_, err := call(t.Context(), email.Action(p.options(email.Plain)), input)
			wantError(t, err, c.class, c.code, c.says)
			if len(p.got()) != 0 {
				t.Error("somebody got the mail")
			}
		})
	}
}

func TestAWrongPasswordIsFinalAndNotShown(t *testing.T) {
	p := serve(t, email.StartTLS)
	o := p.options(email.StartTLS)
	o.Password = "wrong-secret"
	_, err := call(t.Context(), email.Action(o), hello())
	wantError(t, err, actions.ClassFinal, "535", "535")
	if err != nil && strings.Contains(err.Message, "wrong-secret") {
		t.Errorf("it shows the password: %s", err)
	}
}

func TestAServerThatCannotBeTrustedGetsNothing(t *testing.T) {
	p := serve(t, email.StartTLS)
	o := p.options(email.StartTLS)
	o.Roots = x509.NewCertPool()
	_, err := call(t.Context(), email.Action(o), hello())
	wantError(t, err, actions.ClassFinal, "certificate", "cannot be trusted")
	p = serve(t, email.Plain) // knows no STARTTLS
	_, err = call(t.Context(), email.Action(p.options(email.StartTLS)), hello())
	wantError(t, err, actions.ClassFinal, "server", "STARTTLS")
	if p.logins != 0 {
		t.Error("the password went over a readable connection")
	}
}

func TestALostConnectionIsUnknownOnlyAfterData(t *testing.T) {
	p := serve(t, email.StartTLS)
	p.onData = func(c net.Conn) { c.Close() }
	_, err := call(t.Context(), email.Action(p.options(email.StartTLS)), hello())
	wantError(t, err, actions.ClassUnknown, "", "before it said whether it took the mail")

	l, lerr := net.Listen("tcp", "127.0.0.1:0")
	if lerr != nil {
		t.Fatal(lerr)
	}
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			c.Close()
		}
	}()
	o := p.options(email.StartTLS)
	o.Port = l.Addr().(*net.TCPAddr).Port
	_, err = call(t.Context(), email.Action(o), hello())
	wantError(t, err, actions.ClassRetryable, "", "the mail was not sent")
	l.Close()
	_, err = call(t.Context(), email.Action(o), hello())
	wantError(t, err, actions.ClassRetryable, "", "the mail was not sent")
}

func TestItEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := serve(t, email.Plain)
	over := make(chan struct{})
	p.onData = func(net.Conn) { cancel(); <-over }
	_, err := call(ctx, email.Action(p.options(email.Plain)), hello())
	close(over)
	wantError(t, err, actions.ClassUnknown, "", "the step was canceled")

	l, lerr := net.Listen("tcp", "127.0.0.1:0") // says nothing at all
	if lerr != nil {
		t.Fatal(lerr)
	}
	defer l.Close()
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	o := p.options(email.Plain)
	o.Port = l.Addr().(*net.TCPAddr).Port
	_, err = call(ctx, email.Action(o), hello())
	wantError(t, err, actions.ClassRetryable, "", "the step's timeout passed; the mail was not sent")
}

func TestAnAddressGetsSoManyMailsAtMost(t *testing.T) {
	p := serve(t, email.Plain)
	o := p.options(email.Plain)
	o.PerRecipient, o.Window = 2, time.Hour
	a := email.Action(o)
	p.mailErr = &smtp.SMTPError{Code: 451, Message: "later"}
	for range 3 { // what did not go out does not count
		_, err := call(t.Context(), a, hello())
		wantError(t, err, actions.ClassRetryable, "451", "")
	}
	p.mailErr = nil
	before := time.Now()
	for range 2 {
		if _, err := call(t.Context(), a, hello()); err != nil {
			t.Fatal(err)
		}
	}
	input := hello()
	input["to"] = "other@example.org, JO@example.org"
	_, err := call(t.Context(), a, input)
	wantError(t, err, actions.ClassRetryable, "too_many", "JO@example.org got 2 mails")
	if err != nil && (err.RetryAt.Before(before.Add(time.Hour)) || err.RetryAt.After(time.Now().Add(time.Hour))) {
		t.Errorf("there is room at %s", err.RetryAt)
	}
	input["to"] = "other@example.org"
	if _, err := call(t.Context(), a, input); err != nil {
		t.Errorf("another address: %v", err)
	}
	if n := len(p.got()); n != 3 {
		t.Errorf("%d mails", n)
	}
}

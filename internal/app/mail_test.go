package app

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	smtpserver "github.com/emersion/go-smtp"

	"zflow/internal/settings"
	"zflow/proto"
	"zflow/sources/email"
)

// handed is a mail as a server took it.
type handed struct {
	from string
	to   []string
	raw  []byte
}

// postOffice is a mail server to which mails are handed.
type postOffice struct {
	got  chan handed
	mail handed
}

func (p *postOffice) Reset()        { p.mail = handed{} }
func (p *postOffice) Logout() error { return nil }
func (p *postOffice) Mail(from string, _ *smtpserver.MailOptions) error {
	p.mail.from = from
	return nil
}
func (p *postOffice) Rcpt(to string, _ *smtpserver.RcptOptions) error {
	p.mail.to = append(p.mail.to, to)
	return nil
}
func (p *postOffice) Data(r io.Reader) (err error) {
	if p.mail.raw, err = io.ReadAll(r); err == nil {
		p.got <- p.mail
	}
	return err
}

// servePost starts one, and returns its port and the mails that it gets.
func servePost(t *testing.T) (port int, got chan handed) {
	t.Helper()
	got = make(chan handed, 10)
	s := smtpserver.NewServer(smtpserver.BackendFunc(func(*smtpserver.Conn) (smtpserver.Session, error) { return &postOffice{got: got}, nil }))
	s.Domain = "localhost"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return l.Addr().(*net.TCPAddr).Port, got
}

const answering = `name: desk
on: [ { email: desk } ]
steps:
  - uses: email.send
    with:
      to: ${{ event.from.address }}
      subject: "Re: ${{ event.subject }}"
      text: "You wrote: ${{ event.text }}"
      in_reply_to: ${{ event.message_id }}
      references: ${{ event.references }}
      attachments: ${{ event.attachments }}
`

const inquiry = "From: Ada <ada@example.net>\r\nTo: desk@school.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <m1@example.net>\r\nReferences: <m0@example.net>\r\n" +
	"In-Reply-To: <m0@example.net>\r\n%sContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplease\r\n" +
	"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"form 1.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n--b--\r\n"

// TestAMailIsAnswered: what comes by SMTP starts a run, which hands an answer to a mail
// server, with the attachment and in the same conversation, once however often it comes.
// To a notice of absence nobody answers, also not to that which the answer itself looks like.
func TestAMailIsAnswered(t *testing.T) {
	port, got := servePost(t)
	c, _ := devConfig(t)
	c.SimListen, c.SMTPListen, c.Config = "", "127.0.0.1:0", settings.Default()
	s := &c.Config.Worker.SMTP
	s.Host, s.Port, s.TLS, s.From = "127.0.0.1", port, "none", "School <office@school.example>"
	if err := os.WriteFile(filepath.Join(c.Dir, "desk.yaml"), []byte(answering), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDev(t, c)
	send := func(text string, to string) error {
		return smtp.SendMail(d.MailAddr(), nil, "ada@example.net", []string{to}, []byte(text))
	}
	for _, more := range []string{"Auto-Submitted: auto-replied\r\n", "", "", "List-Id: <x.example.net>\r\n"} {
		text := fmt.Sprintf(inquiry, more)
		if more != "" {
			text = strings.Replace(text, "m1@", more[:4]+"@", 1)
		}
		if err := send(text, "desk+now@school.example"); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(fmt.Sprintf(inquiry, ""), "nobody@school.example"); err == nil || !strings.HasPrefix(err.Error(), "550") {
		t.Errorf("nobody's mail: %v", err)
	}
	var sent handed
	select {
	case sent = <-got:
	case <-time.After(20 * time.Second):
		t.Fatal("no answer was sent")
	}
	if sent.from != "office@school.example" || len(sent.to) != 1 || sent.to[0] != "ada@example.net" {
		t.Errorf("from %q to %q", sent.from, sent.to)
	}
	answers(t, sent.raw)
	// The answer itself is one that no workflow answers.
	if err := send(string(sent.raw), "desk@school.example"); err != nil {
		t.Fatal(err)
	}
	awaitRuns(t, d, 1)
	events, err := d.Client().JS.Stream(t.Context(), proto.Events)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := events.Info(t.Context()); err != nil || info.State.Msgs != 4 {
		t.Errorf("%d events are stored, %v", info.State.Msgs, err)
	}
	d.Close() // what is under way ends
	if len(got) > 0 {
		t.Errorf("%d more answers", len(got))
	}
}

// answers checks what a mail server got.
func answers(t *testing.T, raw []byte) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Auto-Submitted": "auto-generated", "In-Reply-To": "<m1@example.net>", "References": "<m0@example.net> <m1@example.net>", "To": "<ada@example.net>"} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	read, err := email.Parse(raw)
	if err != nil || read.Subject != "Re: Grüße" || strings.TrimSpace(read.Text) != "You wrote: please" || read.Automatic != "auto-generated" {
		t.Errorf("%+v, %v", read, err)
	}
	if !bytes.Contains(raw, []byte("JVBERi0xLjc=")) || !bytes.Contains(raw, []byte(`filename="form 1.pdf"`)) || !bytes.Contains(raw, []byte("Content-Type: application/pdf")) {
		t.Errorf("the attachment is not there:\n%s", raw)
	}
}

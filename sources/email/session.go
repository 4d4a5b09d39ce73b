package email

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"zflow/proto"

	"github.com/emersion/go-smtp"
	"go.uber.org/zap"
)

// session is one client, and the mail that it sends.
type session struct {
	s    *Server
	conn *smtp.Conn
	from string
	to   []recipient
}

// recipient is a mailbox that a mail is for.
type recipient struct{ mailbox, tag, address string }

func refused(code int, enhanced smtp.EnhancedCode, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

func later(text string) error { return refused(451, smtp.EnhancedCode{4, 3, 0}, text) }

var errStops = refused(421, smtp.EnhancedCode{4, 3, 2}, "This server stops, try again later")

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	if s.draining.Load() {
		return nil, errStops
	}
	return &session{s: s, conn: c}, nil
}

// Reset forgets the mail.
func (n *session) Reset() { n.from, n.to = "", nil }

// Logout has nothing to free.
func (n *session) Logout() error { return nil }

// Mail begins a mail.
func (n *session) Mail(from string, _ *smtp.MailOptions) error {
	if n.s.draining.Load() {
		return errStops
	}
	if !n.s.rate.take(n.conn.Conn().RemoteAddr(), time.Now()) {
		n.s.counts.add(Overload)
		return refused(450, smtp.EnhancedCode{4, 7, 1}, "Too many mails from your address, try again later")
	}
	n.from = from
	return nil
}

// Rcpt takes a recipient whose mailbox a workflow has.
func (n *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	at := strings.LastIndexByte(to, '@')
	local, domain := to, ""
	if at >= 0 {
		local, domain = to[:at], to[at+1:]
	}
	if !n.s.receives(domain) {
		n.s.counts.add(OtherDomain)
		return refused(550, smtp.EnhancedCode{5, 7, 1}, "This server does not receive mail for that domain")
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeWithin)
	defer cancel()
	mailbox, tag, err := n.s.mailbox(ctx, local)
	switch {
	case err != nil:
		n.s.counts.add(NotKnown)
		n.s.config.Log.Warn("a mail is to come again, since its mailbox is not known now", zap.Error(err))
		return later("Which mailboxes there are is not known now, try again later")
	case mailbox == "":
		n.s.counts.add(NoMailbox)
		return refused(550, smtp.EnhancedCode{5, 1, 1}, "There is no such mailbox")
	}
	if !slices.ContainsFunc(n.to, func(r recipient) bool { return r.mailbox == mailbox }) {
		n.to = append(n.to, recipient{mailbox, tag, to})
	}
	return nil
}

// Data takes the mail: it is answered once its events are durable.
func (n *session) Data(r io.Reader) error {
	if !n.s.begin() {
		return errStops
	}
	defer n.s.end()
	from, to := n.from, slices.Clone(n.to)
	raw, release, err := n.read(r)
	if err != nil {
		return err
	}
	defer release()
	m, err := Parse(raw)
	if err != nil {
		n.s.counts.add(Malformed)
		return refused(554, smtp.EnhancedCode{5, 6, 0}, "The mail cannot be taken: "+err.Error())
	}
	m.Sender = from
	if m.Automatic == "" && from == "" {
		m.Automatic = "bounce"
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeWithin)
	defer cancel()
	if err := n.s.store(ctx, m, to); err != nil {
		n.s.counts.add(Unavailable)
		n.s.config.Log.Warn("a mail is to come again, since it is not known to be stored", zap.Error(err))
		return later("The mail cannot be stored now, try again later")
	}
	return nil
}

// read reads a mail; of large ones some at a time.
func (n *session) read(r io.Reader) (raw []byte, release func(), err error) {
	in := &patient{r: r, conn: n.conn, end: time.Now().Add(mailWithin)}
	var b bytes.Buffer
	if _, err = io.CopyN(&b, in, smallMail); errors.Is(err, io.EOF) {
		return b.Bytes(), func() {}, nil
	}
	release = func() {}
	if err == nil {
		place, ok := n.s.takeLarge()
		if !ok {
			n.s.counts.add(Overload)
			return nil, nil, later("Too many large mails at once, try again later")
		}
		release = place
		_, err = io.Copy(&b, in)
	}
	if err == nil {
		return b.Bytes(), release, nil
	}
	release()
	switch {
	case errors.Is(err, smtp.ErrDataTooLarge):
		n.s.counts.add(Oversize)
		return nil, nil, err
	case errors.Is(err, smtp.ErrTooLongLine): // it would be as long the next time
		n.s.counts.add(Malformed)
		return nil, nil, refused(554, smtp.EnhancedCode{5, 6, 0}, "The mail cannot be taken: it has a line of more than 1 MiB")
	}
	n.s.counts.add(Broken)
	return nil, nil, refused(451, smtp.EnhancedCode{4, 4, 2}, "The mail did not arrive whole")
}

// patient reads as long as something comes, until an end.
type patient struct {
	r    io.Reader
	conn *smtp.Conn
	end  time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	next := time.Now().Add(pauseWithin)
	if next.After(p.end) {
		next = p.end
	}
	if err := p.conn.Conn().SetReadDeadline(next); err != nil {
		return 0, err
	}
	return p.r.Read(b[:min(len(b), 64<<10)])
}

// store publishes the events of a mail, and counts them.
func (s *Server) store(ctx context.Context, m *Mail, to []recipient) error {
	arrivals := make([]Arrival, 0, len(to))
	for _, r := range to {
		arrivals = append(arrivals, Arrival{Type: r.mailbox, Origin: proto.FromSMTP,
			Addressed: Addressed{Mailbox: r.mailbox, Recipient: r.address, Tag: r.tag, Sender: m.Sender}})
	}
	acks, err := s.config.Store(ctx, m, arrivals)
	for _, ack := range acks {
		if ack.Duplicate {
			s.counts.add(Duplicate)
			continue
		}
		s.counts.add(Accepted)
		if m.Automatic != "" {
			s.counts.add(Automatic)
		}
	}
	return err
}

// key is what makes a mail known when it comes again: its Message-ID, which whoever
// sends it again leaves as it is, else all of it.
func (m *Mail) key() []string {
	if m.MessageID != "" {
		return []string{"id", m.MessageID}
	}
	sum := sha256.Sum256(m.raw)
	return []string{"hash", hex.EncodeToString(sum[:])}
}

// Key is key as a text of its own.
func (m *Mail) Key() string { return proto.Hash(m.key()...) }

// eventID is that of a mail to a mailbox.
func (m *Mail) eventID(mailbox string) string {
	return proto.EventID(proto.SourceEmail, mailbox, m.key()...)
}

package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"zflow/actions"
)

const (
	connecting = 30 * time.Second // to reach the server, TLS and login
	sending    = 10 * time.Minute // the whole, where the step's timeout is not shorter
	leaving    = 2 * time.Second  // for QUIT, whose answer changes nothing
)

// delivery is a mail on its way over a connection.
type delivery struct {
	*sender
	client *smtp.Client
	begun  bool // the server has agreed to DATA

	mu     sync.Mutex // the context's end closes it from elsewhere
	conn   net.Conn
	closed bool
}

// keep remembers the connection, or closes it at once if the context has ended.
func (d *delivery) keep(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = conn
	if d.closed {
		conn.Close()
	}
}

// close cuts the connection.
func (d *delivery) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.conn != nil {
		d.conn.Close()
	}
}

// send hands a mail over, and returns what the server said to it.
func (s *sender) send(ctx context.Context, m *message) (answer string, failed *actions.Error) {
	d := &delivery{sender: s}
	answer, err := d.deliver(ctx, m)
	if err == nil {
		d.leave()
		return s.clean(answer), nil
	}
	d.close() // not by QUIT: that would end DATA, and what was sent of the mail would be delivered
	if m.unreadable != nil {
		return "", actions.Retryable("%v; the mail was not sent", m.unreadable)
	}
	return "", d.failure(ctx, err)
}

func (d *delivery) deliver(ctx context.Context, m *message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, sending)
	defer cancel()
	if err := d.connect(ctx); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, d.close)
	defer stop()
	if err := d.conn.SetDeadline(time.Now().Add(sending)); err != nil {
		return "", err
	}
	from, err := m.GetSender(false)
	if err != nil {
		return "", err
	}
	if err := d.client.Mail("<" + strings.Trim(from, "<>") + ">"); err != nil {
		return "", err
	}
	if err := d.address(m.recipients); err != nil {
		return "", err
	}
	w, err := d.client.Data()
	if err != nil {
		return "", err
	}
	d.begun = true
	if _, err := m.WriteTo(w); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	if said, ok := w.(*smtp.DataCloser); ok {
		return said.ServerResponse(), nil
	}
	return "", nil
}

// connect reaches the server, secures the connection and logs in.
func (d *delivery) connect(ctx context.Context) error {
	o := []gomail.Option{
		gomail.WithPort(d.Port), gomail.WithTimeout(connecting), gomail.WithTLSConfig(d.tlsConfig()), gomail.WithTLSPolicy(gomail.NoTLS),
		gomail.WithDialContextFunc(d.dial),
	}
	if d.TLS == StartTLS {
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if d.User != "" {
		o = append(o, gomail.WithUsername(d.User), gomail.WithPassword(d.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	c, err := gomail.NewClient(d.Host, o...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, connecting)
	defer cancel()
	stop := context.AfterFunc(ctx, d.close)
	defer stop()
	d.client, err = c.DialToSMTPClientWithContext(ctx)
	return err
}

func (d *delivery) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: d.Host, RootCAs: d.Roots, MinVersion: tls.VersionTLS12}
}

// dial keeps the connection, so that it can be cut.
func (d *delivery) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if d.TLS == Implicit {
		secured := tls.Client(conn, d.tlsConfig())
		if err := secured.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secured
	}
	d.keep(conn)
	return conn, nil
}

// refusals are recipients that the server does not take.
type refusals struct {
	addresses []string
	errs      []error
}

func (r *refusals) Error() string { return fmt.Sprintf("%d recipients are refused", len(r.addresses)) }

func (d *delivery) address(recipients []string) error {
	var refused refusals
	for _, to := range recipients {
		err := d.client.Rcpt("<" + to + ">")
		var reply *textproto.Error
		switch {
		case errors.As(err, &reply):
			refused.addresses = append(refused.addresses, to)
			refused.errs = append(refused.errs, err)
		case err != nil:
			return err
		}
	}
	if len(refused.addresses) > 0 {
		return &refused
	}
	return nil
}

// leave says good-bye. The mail is the server's already.
func (d *delivery) leave() {
	_ = d.conn.SetDeadline(time.Now().Add(leaving)) // where it fails, so does Quit
	_ = d.client.Quit()
	d.close()
}

// failure tells what an error means for the next attempt.
func (d *delivery) failure(ctx context.Context, err error) *actions.Error {
	var reply *textproto.Error
	var refused *refusals
	var certificate *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	server := net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
	switch {
	case errors.As(err, &refused):
		return d.refusal(server, refused)
	case errors.As(err, &reply) && reply.Code >= 400:
		return d.reply(reply.Code, fmt.Sprintf("the mail server %s refuses: %d %s", server, reply.Code, d.clean(reply.Msg)))
	case d.begun:
		return actions.Unknown("the connection to the mail server %s went before it said whether it took the mail: %s", server, d.reason(ctx, err))
	case errors.As(err, &unknown):
		return actions.Final("the certificate of the mail server %s cannot be trusted: %s; where it is of a CA of your own, put that CA's certificate into a folder "+
			"and name the folder in SSL_CERT_DIR, in the environment of the workers", server, d.reason(ctx, err)).With(0, "certificate")
	case errors.As(err, &certificate):
		return actions.Final("the certificate of the mail server %s cannot be trusted: %s", server, d.reason(ctx, err)).With(0, "certificate")
	case !isLost(ctx, err):
		return actions.Final("the mail server %s cannot be used: %s", server, d.reason(ctx, err)).With(0, "server")
	}
	return actions.Retryable("reaching the mail server %s: %s; the mail was not sent", server, d.reason(ctx, err))
}

// reply is the error of an answer of the server's.
func (d *delivery) reply(code int, message string) *actions.Error {
	if code >= 500 {
		return actions.Final("%s", message).With(0, strconv.Itoa(code))
	}
	return actions.Retryable("%s", message).With(0, strconv.Itoa(code))
}

// refusal is final if one of the recipients is refused for good.
func (d *delivery) refusal(server string, r *refusals) *actions.Error {
	worst := 0
	var said []string
	for i, err := range r.errs {
		var reply *textproto.Error
		if errors.As(err, &reply) {
			worst = max(worst, reply.Code)
			said = append(said, fmt.Sprintf("%s: %d %s", r.addresses[i], reply.Code, d.clean(reply.Msg)))
		}
	}
	return d.reply(worst, short(fmt.Sprintf("the mail server %s refuses recipients, and nobody got the mail: %s", server, strings.Join(said, "; ")), 1000))
}

// isLost tells whether a connection went, or never came to be.
func isLost(ctx context.Context, err error) bool {
	var network net.Error
	var reply *textproto.Error
	var garbled textproto.ProtocolError
	return ctx.Err() != nil || errors.As(err, &network) || errors.As(err, &reply) || errors.As(err, &garbled) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

func (d *delivery) reason(ctx context.Context, err error) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "the step's timeout passed"
	case ctx.Err() != nil:
		return "the step was canceled"
	}
	return d.clean(err.Error())
}

// clean is what a server said, in one line, bounded, and without the password.
func (s *sender) clean(said string) string {
	for _, secret := range []string{
		base64.StdEncoding.EncodeToString([]byte("\x00" + s.User + "\x00" + s.Password)), base64.StdEncoding.EncodeToString([]byte(s.Password)), s.Password,
	} {
		if s.Password != "" {
			said = strings.ReplaceAll(said, secret, "••••")
		}
	}
	return short(oneLine(said), 300)
}

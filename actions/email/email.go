// Package email has the action email.send, which hands a mail to an SMTP server.
//
// Obligations:
//
//  1. Nothing that a step is given becomes a header, a recipient or a command of its
//     own: addresses are parsed and written anew, and what breaks lines is refused, or
//     becomes a space.
//  2. A mail goes to all of its recipients or to none. One that was not handed over in
//     whole is cut off in such a way that the server cannot take it for whole.
//  3. Whether the server has the mail is told apart: what it refused did not happen;
//     where the connection went before DATA neither; after that, until its answer came,
//     it is unknown.
//  4. Its Message-ID is made of the step's key: a mail that comes twice can be known.
//  5. A recipient gets at most so many mails in such a time: what answers itself in a
//     circle is slowed down.
//  6. The password goes out only over TLS, or to this machine, and stands in no error.
package email

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"

	"zflow/actions"
)

// How the connection to the server is secured.
const (
	StartTLS = "starttls" // it begins readable and must turn to TLS
	Implicit = "implicit" // TLS from the first byte
	Plain    = "none"     // readable: for a server on this machine, or one without a password
)

// Options of the action. Without Host it refuses.
type Options struct {
	Host     string
	Port     int // 0: the one that is usual for TLS
	User     string
	Password string
	From     string // a mail's sender, such as School <office@example.org>
	TLS      string // StartTLS, Implicit or Plain; empty: StartTLS
	MaxSize  int64  // of a mail's files together; 0: DefaultMaxSize

	PerRecipient int           // mails within Window that an address gets at most; 0: any number
	Window       time.Duration // see PerRecipient

	Files actions.Files
	Roots *x509.CertPool // whom the server's certificate must be of; nil: the system's
}

// DefaultMaxSize is what most servers take, less what base64 adds.
const DefaultMaxSize = 18 << 20

// Action returns email.send. What it counts for PerRecipient is counted in this
// process.
func Action(o Options) *actions.Action {
	if o.TLS == "" {
		o.TLS = StartTLS
	}
	if o.Port == 0 {
		o.Port = map[string]int{StartTLS: 587, Implicit: 465, Plain: 25}[o.TLS]
	}
	if o.MaxSize == 0 {
		o.MaxSize = DefaultMaxSize
	}
	s := &sender{Options: o, brake: brake{most: o.PerRecipient, window: o.Window, sent: map[string][]time.Time{}}}
	return &actions.Action{Spec: spec(), Do: s.do}
}

type sender struct {
	Options
	brake brake
}

func (s *sender) do(ctx context.Context, c actions.Call) (actions.Result, error) {
	if s.Host == "" || s.From == "" {
		return actions.Result{}, actions.Final("no mail server is configured: set worker.smtp.host, from, user and password_file in the configuration, "+
			"or ZFLOW_WORKER_SMTP_HOST, _FROM, _USER and _PASSWORD_FILE").With(0, "not_configured")
	}
	m, err := s.message(ctx, c)
	if err != nil {
		return actions.Result{}, err
	}
	release, err := s.brake.take(m.recipients, time.Now())
	if err != nil {
		return actions.Result{}, err
	}
	answer, failed := s.send(ctx, m)
	if failed != nil {
		if failed.Class != actions.ClassUnknown {
			release()
		}
		return actions.Result{}, failed
	}
	all := make([]any, len(m.recipients))
	for i, to := range m.recipients {
		all[i] = to
	}
	return actions.Result{Output: map[string]any{"message_id": m.id, "recipients": all, "answer": answer}}, nil
}

// idOf is a Message-ID, the same for all attempts of a step.
func idOf(key, domain string) string {
	sum := sha256.Sum256([]byte(key))
	return "zflow." + hex.EncodeToString(sum[:16]) + "@" + domain
}

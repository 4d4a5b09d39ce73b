// Package nats has the actions nats.publish and nats.request: messages to others on
// the NATS server that zflow itself uses.
//
// Obligations:
//
//  1. Subjects of zflow, of JetStream and of inboxes are refused, and headers that
//     give orders to streams.
//  2. A message that the server refuses is an error at once. Where a stream listens, a
//     message is acknowledged; the step's key keeps a stream from taking it twice.
//  3. Credentials reach messages opened; where an answer repeats one, it is masked.
package nats

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
)

// Options of the actions. The zero value refuses.
type Options struct {
	Conn   *nats.Conn
	JS     jetstream.JetStream
	Reveal func(text string) (string, error) // opens what is sealed in a text; nil: nothing is sealed
}

// How long an acknowledgement, and an answer, may take.
const (
	ackWait     = 10 * time.Second
	defaultWait = 10 * time.Second
	maxWait     = 4 * time.Minute
)

// Actions returns nats.publish and nats.request.
func Actions(o Options) []*actions.Action {
	d := &desk{Options: o}
	return []*actions.Action{{Spec: publishSpec(), Do: d.publish}, {Spec: requestSpec(), Do: d.request}}
}

type desk struct {
	Options
	sending sync.Mutex // one message at a time, so that a refusal is known to be of it
}

func (d *desk) publish(ctx context.Context, c actions.Call) (actions.Result, error) {
	m, err := d.message(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	must, ok := c.Input["stream"].(bool)
	if !ok && c.Input["stream"] != nil {
		return actions.Result{}, actions.Final("stream is true or false")
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	name, err := d.JS.StreamNameBySubject(ctx, m.Subject)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound) && must:
		return actions.Result{}, actions.Final("no stream listens at %s: make one, or leave out stream: true", m.Subject).With(0, "no_stream")
	case errors.Is(err, jetstream.ErrStreamNotFound):
		err = d.send(ctx, m)
		return actions.Result{Output: map[string]any{"stream": "", "sequence": int64(0), "duplicate": false}}, err
	case err != nil:
		return actions.Result{}, actions.Retryable("asking which stream listens at %s: %v", m.Subject, err)
	}
	return d.keep(ctx, m, name, c.Key)
}

// keep publishes to a stream, and waits until it has the message.
func (d *desk) keep(ctx context.Context, m *message, stream, key string) (actions.Result, error) {
	inbox, err := d.Conn.SubscribeSync(d.Conn.NewInbox())
	if err != nil {
		return actions.Result{}, actions.Retryable("publishing to %s: %v", m.Subject, err)
	}
	defer inbox.Unsubscribe() //nolint:errcheck // it ends with the connection at the latest
	m.Reply = inbox.Subject
	m.Header.Set(jetstream.MsgIDHeader, key)
	m.Header.Set(jetstream.ExpectedStreamHeader, stream)
	if err := d.send(ctx, m); err != nil {
		return actions.Result{}, err
	}
	reply, err := inbox.NextMsgWithContext(ctx)
	if errors.Is(err, nats.ErrNoResponders) {
		return actions.Result{}, actions.Retryable("the stream %s does not answer", stream).With(0, "no_responders")
	}
	if err != nil {
		return actions.Result{}, actions.Unknown("the stream %s did not acknowledge the message within %s", stream, ackWait)
	}
	return acknowledged(stream, reply)
}

func (d *desk) request(ctx context.Context, c actions.Call) (actions.Result, error) {
	m, err := d.message(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	wait, err := waitOf(c.Input["timeout"])
	if err != nil {
		return actions.Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	inbox, err := d.Conn.SubscribeSync(d.Conn.NewInbox())
	if err != nil {
		return actions.Result{}, actions.Retryable("asking %s: %v", m.Subject, err)
	}
	defer inbox.Unsubscribe() //nolint:errcheck // it ends with the connection at the latest
	m.Reply = inbox.Subject
	if err := d.send(ctx, m); err != nil {
		return actions.Result{}, err
	}
	reply, err := inbox.NextMsgWithContext(ctx)
	if errors.Is(err, nats.ErrNoResponders) {
		return actions.Result{}, actions.Retryable("nobody listens at %s", m.Subject).With(0, "no_responders")
	}
	if err != nil {
		return actions.Result{}, actions.Unknown("nobody answered at %s within %s", m.Subject, wait).With(0, "timeout")
	}
	return m.answered(reply)
}

// send publishes a message and learns whether the server takes it: a refusal comes
// before the answer to a ping.
func (d *desk) send(ctx context.Context, m *message) error {
	d.sending.Lock()
	defer d.sending.Unlock()
	before := d.Conn.LastError()
	if err := d.Conn.PublishMsg(&m.Msg); err != nil {
		return actions.Retryable("publishing to %s: %v", m.Subject, err)
	}
	if err := d.Conn.FlushWithContext(ctx); err != nil {
		return actions.Unknown("the server did not say that it has the message: %v", err)
	}
	after := d.Conn.LastError()
	if after == nil || after == before || !errors.Is(after, nats.ErrPermissionViolation) { //nolint:errorlint // each refusal is a value of its own
		return nil
	}
	if strings.Contains(after.Error(), `"`+m.Subject+`"`) {
		return actions.Final("the server does not let this worker publish to %s: allow it in the permissions of the worker's NATS user", m.Subject).With(0, "denied")
	}
	return actions.Unknown("the server refused a message of this worker, and it is not known which: %v", after)
}

// answered makes an output of a reply.
func (m *message) answered(reply *nats.Msg) (actions.Result, error) {
	if said := reply.Header.Get("Nats-Service-Error"); said != "" {
		return actions.Result{}, actions.Final("%s answered with an error: %.500s", m.Subject, m.masked(said)).With(0, m.masked(reply.Header.Get("Nats-Service-Error-Code")))
	}
	headers := map[string]any{}
	for name, values := range reply.Header {
		headers[name] = m.masked(strings.Join(values, ", "))
	}
	out := map[string]any{"headers": headers}
	if !utf8.Valid(reply.Data) {
		out["base64"] = base64.StdEncoding.EncodeToString(reply.Data)
		return actions.Result{Output: out}, nil
	}
	text := m.masked(string(reply.Data))
	out["text"] = text
	if v, err := actions.DecodeJSON([]byte(text)); err == nil {
		out["data"] = v
	}
	return actions.Result{Output: out}, nil
}

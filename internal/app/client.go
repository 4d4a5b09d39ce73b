package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/definition"
	"zflow/engine/gates"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/wakes"
	"zflow/engine/worker"
	"zflow/internal/durable"
	"zflow/internal/settings"
	"zflow/proto"
	"zflow/sources"
)

// ClientConfig says how to reach the server.
type ClientConfig struct {
	URL      string
	Creds    string       // a credentials file; empty: none
	Declared durable.Mode // of a server whose mode cannot be found; empty: none
	Options  []nats.Option
	Known    definition.Known // what workflows may refer to
	Name     string           // of the connection, for people
	Wait     bool             // for a server that is not there yet, as long as the context allows
	Gate     *durable.Gate    // of the connection; nil: OpenOn opens one
}

// Client is a connection to a server with all that zflow keeps there.
type Client struct {
	NC        *nats.Conn
	JS        jetstream.JetStream
	Gate      *durable.Gate
	Known     definition.Known // what workflows may refer to
	Catalog   *catalog.Catalog
	Publisher *sources.Publisher
	worker.Stores
}

// connectOptions are those of every long-lived connection: nothing is buffered
// while the server is away, so that what was reported as failed is never sent.
func connectOptions(c ClientConfig) []nats.Option {
	options := []nats.Option{
		nats.Name(c.Name), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
	}
	if c.Creds != "" {
		options = append(options, nats.UserCredentials(c.Creds))
	}
	for _, one := range strings.Split(c.URL, ",") {
		if u, err := serverURL(one); err == nil && u.User.Username() != "" {
			options = append(options, inbox(u.User.Username()))
		}
	}
	return append(options, c.Options...)
}

// login are the options of the configuration's user; without one there are none.
func login(n settings.NATS) []nats.Option {
	if n.User == "" {
		return nil
	}
	return []nats.Option{nats.UserInfo(n.User, n.Password.Reveal()), inbox(n.User)}
}

// inbox makes answers come to where only this user may read: configs/roles.conf.
func inbox(user string) nats.Option { return nats.CustomInboxPrefix("_INBOX_" + proto.Token(user)) }

// Dial connects, and where Wait is set tries again until the context ends.
func Dial(ctx context.Context, c ClientConfig) (*nats.Conn, error) {
	for {
		nc, err := nats.Connect(c.URL, connectOptions(c)...)
		if err == nil {
			return nc, nil
		}
		if !c.Wait || errors.Is(err, nats.ErrAuthorization) {
			return nil, fmt.Errorf("connecting to %s: %w", withoutPasswords(c.URL), err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connecting to %s: %w", withoutPasswords(c.URL), err)
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// withoutPasswords returns the addresses as a person may see them.
func withoutPasswords(addresses string) string {
	all := strings.Split(addresses, ",")
	for i, address := range all {
		u, err := serverURL(address)
		if err != nil {
			return "the server" // nobody knows where its password stands
		}
		all[i] = u.Redacted()
	}
	return strings.Join(all, ",")
}

// Open connects and looks up all that Setup made.
func Open(ctx context.Context, c ClientConfig) (*Client, error) {
	nc, err := Dial(ctx, c)
	if err != nil {
		return nil, err
	}
	client, err := OpenOn(ctx, nc, c)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return client, nil
}

// OpenOn is Open over a connection that there is; Close closes it.
func OpenOn(ctx context.Context, nc *nats.Conn, c ClientConfig) (*Client, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	o := &Client{NC: nc, JS: js, Gate: c.Gate, Known: c.Known}
	if o.Gate == nil {
		if o.Gate, err = durable.Open(ctx, nc, durable.Options{Declared: c.Declared}); err != nil {
			return nil, err
		}
	}
	if o.Catalog, err = catalog.Open(ctx, js, o.Gate, c.Known); err != nil {
		return nil, notSetUp(err)
	}
	if o.History, err = history.Open(ctx, js, o.Gate); err != nil {
		return nil, notSetUp(err)
	}
	if o.Wakes, err = wakes.Open(ctx, js, o.Gate); err != nil {
		return nil, notSetUp(err)
	}
	if o.Leases, err = leases.Open(ctx, js); err != nil {
		return nil, notSetUp(err)
	}
	if o.Gates, err = gates.Open(ctx, js, o.Gate); err != nil {
		return nil, notSetUp(err)
	}
	if o.Blobs, err = blobs.Open(ctx, js, o.Gate); err != nil {
		return nil, notSetUp(err)
	}
	o.Publisher = sources.NewPublisher(js, o.Gate)
	return o, nil
}

// notSetUp explains a stream or bucket that is not there.
func notSetUp(err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) {
		return fmt.Errorf("%w: zflow's streams are not on this server yet; a worker makes them when it starts", err)
	}
	return err
}

// Close ends the connection.
func (c *Client) Close() { c.NC.Close() }

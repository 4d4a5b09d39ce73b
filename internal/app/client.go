package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/definition"
	"zflow/engine/gates"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/tick"
	"zflow/engine/wakes"
	"zflow/engine/worker"
	"zflow/engine/workflow"
	"zflow/internal/app/link"
	"zflow/internal/durable"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/imap/place"
)

// ClientConfig says how to reach the server.
type ClientConfig struct {
	link.Config
	Declared durable.Mode     // of a server whose mode cannot be found; empty: none
	Known    definition.Known // what workflows may refer to
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
	Places    *place.Store // of mailboxes
	worker.Stores
}

// Open connects and looks up all that a worker makes there.
func Open(ctx context.Context, c ClientConfig) (*Client, error) {
	nc, err := link.Dial(ctx, c.Config)
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
	if o.Ticks, err = tick.Open(ctx, js, o.Gate); err != nil {
		return nil, notSetUp(err)
	}
	if o.Places, err = place.Open(ctx, js, o.Gate); err != nil {
		return nil, notSetUp(err)
	}
	o.Publisher = sources.NewPublisher(js, o.Gate)
	o.Publish = func(ctx context.Context, e *proto.Event) error { _, err := o.Publisher.Publish(ctx, e); return err }
	return o, nil
}

var errNotSetUp = errors.New("zflow's streams are not on this server yet; a worker makes them when it starts")

// notSetUp explains a stream or bucket that is not there.
func notSetUp(err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) {
		return fmt.Errorf("%w: %w", err, errNotSetUp)
	}
	return err
}

// deployed returns all workflows that are deployed, and the names of those that
// cannot be read.
func (c *Client) deployed(ctx context.Context) (flows []*workflow.Workflow, unreadable []string, err error) {
	all, err := c.Catalog.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range all {
		w, err := c.Catalog.Workflow(ctx, entry.Name, entry.Version)
		switch {
		case ctx.Err() != nil:
			return nil, nil, err
		case err != nil:
			unreadable = append(unreadable, entry.Name)
		default:
			flows = append(flows, w)
		}
	}
	return flows, unreadable, nil
}

// Close ends the connection.
func (c *Client) Close() { c.NC.Close() }

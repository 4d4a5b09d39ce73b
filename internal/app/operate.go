package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/internal/app/link"
	"zflow/internal/connections/desk"
	"zflow/internal/durable"
	"zflow/internal/operator"
	"zflow/internal/settings"
)

// openWithin is how long a command waits for a server.
const openWithin = 8 * time.Second

// Connect opens a client for a command: a server that is not there is an error
// within seconds. The URL may hold user and password; durability is one of the
// configuration's.
func Connect(ctx context.Context, address, creds, durability string) (*Client, error) {
	registry, err := Actions(ActionsConfig{})
	if err != nil {
		return nil, err
	}
	c, err := commandConfig(address, creds, durability)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	nc, err := link.Dial(ctx, c.Config)
	if errors.Is(err, nats.ErrAuthorization) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: start one with `zflow dev`, or name another with --server", err)
	}
	c.Known = Known(registry, connectionsOn(nc))
	client, err := OpenOn(ctx, nc, c)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return client, nil
}

func commandConfig(address, creds, durability string) (ClientConfig, error) {
	c := ClientConfig{Config: link.Config{URL: address, Creds: creds, Name: "zflow command"}}
	switch durability {
	case "", settings.DurabilityAuto:
	case settings.DurabilityAlways, settings.DurabilityReplicated:
		c.Declared = durable.Mode(durability)
	default:
		return c, fmt.Errorf("durability %q is none of %s, %s and %s", durability, settings.DurabilityAuto, settings.DurabilityAlways, settings.DurabilityReplicated)
	}
	for _, one := range strings.Split(address, ",") {
		if _, err := link.ParseURL(one); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Operator returns what a person may ask of the server and order it.
func (c *Client) Operator() *operator.Operator {
	return operator.New(operator.Access{
		NC: c.NC, JS: c.JS, Catalog: c.Catalog, Publisher: c.Publisher,
		History: c.History, Wakes: c.Wakes, Blobs: c.Blobs, Ticks: c.Ticks, Places: c.Places,
	})
}

// namesWithin is how long a worker may take to say which connections there are.
const namesWithin = 3 * time.Second

// connectionsOn tells whether a connection is there and of which kind, once a worker
// was asked; where none answers, each may be.
func connectionsOn(nc *nats.Conn) func(name string) (kind string, known bool) {
	kinds := sync.OnceValue(func() map[string]string {
		ctx, cancel := context.WithTimeout(context.Background(), namesWithin)
		defer cancel()
		all, err := desk.NewClient(nc).List(ctx)
		if err != nil {
			return nil
		}
		kinds := make(map[string]string, len(all))
		for _, r := range all {
			kinds[r.Name] = r.Kind
		}
		return kinds
	})
	return func(name string) (string, bool) {
		kind, known := kinds()[name]
		return kind, known || kinds() == nil
	}
}

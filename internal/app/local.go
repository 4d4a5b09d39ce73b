package app

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	keeping "zflow/actions/data"
	"zflow/engine/data"
	"zflow/internal/durable"
)

// LocalConfig is what actions work on that call nobody outside. Zero: they refuse.
type LocalConfig struct {
	Data *data.Store
}

// localActions are those that work on this side of the network.
func localActions(c ActionsConfig) []*actions.Action {
	return keeping.Actions(c.Local.Data)
}

// localOn is what these actions work on at a server.
func localOn(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (c LocalConfig, err error) {
	c.Data, err = data.Open(ctx, js, gate)
	return c, err
}

// Data opens what steps keep.
func (c *Client) Data(ctx context.Context) (*data.Store, error) {
	s, err := data.Open(ctx, c.JS, c.Gate)
	return s, notSetUp(err)
}

package desk

import (
	"context"

	"github.com/nats-io/nats.go"

	"zflow/internal/ask"
	"zflow/internal/connections"
	"zflow/internal/connections/forget"
	"zflow/internal/sealed"
)

// Client asks workers.
type Client struct{ nc *nats.Conn }

// NewClient returns a client; the connection stays the caller's.
func NewClient(nc *nats.Conn) *Client { return &Client{nc} }

// ErrNoWorker says that nobody is there to ask.
var ErrNoWorker = ask.ErrNoWorker

// call asks a worker.
func call[T any](ctx context.Context, c *Client, verb string, in any) (T, error) {
	return ask.Call[T](ctx, c.nc, subjects+verb, in)
}

// seal hides a secret from all but the workers.
func (c *Client) seal(ctx context.Context, secret string) (string, error) {
	if secret == "" {
		return "", nil
	}
	text, err := call[string](ctx, c, verbKey, struct{}{})
	if err != nil {
		return "", err
	}
	key, err := sealed.ParsePublicKey(text)
	if err != nil {
		return "", err
	}
	return key.Seal(secret), nil
}

// Connect tries and stores a connection that needs nobody's consent.
func (c *Client) Connect(ctx context.Context, w connections.Wanted) (connections.Record, error) {
	var err error
	if w.Secret, err = c.seal(ctx, w.Secret); err != nil {
		return connections.Record{}, err
	}
	return call[connections.Record](ctx, c, verbJoin, w)
}

// Begin begins an authorization that a person has to give.
func (c *Client) Begin(ctx context.Context, b Begin) (connections.Begun, error) {
	var err error
	if b.Secret, err = c.seal(ctx, b.Secret); err != nil {
		return connections.Begun{}, err
	}
	return call[connections.Begun](ctx, c, verbBegin, b)
}

// Finish hands over what came back from Zoom's consent page.
func (c *Client) Finish(ctx context.Context, a connections.Answer) (connections.Record, error) {
	var err error
	if a.Code, err = c.seal(ctx, a.Code); err != nil {
		return connections.Record{}, err
	}
	return call[connections.Record](ctx, c, verbEnd, a)
}

// Poll asks how an authorization on another machine stands.
func (c *Client) Poll(ctx context.Context, state string) (Polled, error) {
	return call[Polled](ctx, c, verbPoll, connections.Answer{State: state})
}

// List returns all connections, sorted by name.
func (c *Client) List(ctx context.Context) ([]connections.Record, error) {
	all := []connections.Record{}
	for after := ""; ; {
		p, err := call[page](ctx, c, verbList, listed{After: after})
		if err != nil {
			return nil, err
		}
		all = append(all, p.Connections...)
		if !p.More {
			return all, nil
		}
		after = all[len(all)-1].Name
	}
}

// Show returns a connection as all may see it.
func (c *Client) Show(ctx context.Context, connection string) (connections.Record, error) {
	return call[connections.Record](ctx, c, verbShow, name{connection})
}

// Test makes a call with a connection.
func (c *Client) Test(ctx context.Context, connection string) (connections.Tested, error) {
	return call[connections.Tested](ctx, c, verbTest, name{connection})
}

// Revoke ends a connection, here and at Zoom.
func (c *Client) Revoke(ctx context.Context, connection string) (Ended, error) {
	return call[Ended](ctx, c, verbDrop, name{connection})
}

// Delete removes a connection with its grant.
func (c *Client) Delete(ctx context.Context, connection string) (Ended, error) {
	return call[Ended](ctx, c, verbErase, name{connection})
}

// Forget deletes what is stored of an account. Where the order is not done, runs
// are still ending: ask again. What was deleted in all stands in the last answer.
func (c *Client) Forget(ctx context.Context, f Forget) (forget.Order, error) {
	return call[forget.Order](ctx, c, verbForget, f)
}

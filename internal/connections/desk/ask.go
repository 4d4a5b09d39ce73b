package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"zflow/internal/connections"
	"zflow/internal/connections/forget"
	"zflow/internal/sealed"
)

// Client asks workers.
type Client struct{ nc *nats.Conn }

// NewClient returns a client; the connection stays the caller's.
func NewClient(nc *nats.Conn) *Client { return &Client{nc} }

// ErrNoWorker says that nobody is there to ask.
var ErrNoWorker = errors.New("no worker answers: start one with `zflow dev`, or the worker process")

// ask sends a request and reads what came of it.
func ask[T any](ctx context.Context, c *Client, verb string, in any) (out T, err error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	m, err := c.nc.RequestWithContext(ctx, subjects+verb, raw)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return out, ErrNoWorker
	case err != nil:
		return out, fmt.Errorf("asking a worker: %w", err)
	}
	var r reply
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return out, fmt.Errorf("reading a worker's answer: %w", err)
	}
	if r.Error != "" {
		return out, errors.New(r.Error)
	}
	return out, json.Unmarshal(r.Result, &out)
}

// seal hides a secret from all but the workers.
func (c *Client) seal(ctx context.Context, secret string) (string, error) {
	if secret == "" {
		return "", nil
	}
	text, err := ask[string](ctx, c, verbKey, struct{}{})
	if err != nil {
		return "", err
	}
	key, err := sealed.ParsePublicKey(text)
	if err != nil {
		return "", err
	}
	return key.Seal(secret), nil
}

// Connect tries and stores a server-to-server connection.
func (c *Client) Connect(ctx context.Context, w connections.Wanted) (connections.Record, error) {
	var err error
	if w.Secret, err = c.seal(ctx, w.Secret); err != nil {
		return connections.Record{}, err
	}
	return ask[connections.Record](ctx, c, verbJoin, w)
}

// Begin begins an authorization that a person has to give.
func (c *Client) Begin(ctx context.Context, b Begin) (connections.Begun, error) {
	var err error
	if b.Secret, err = c.seal(ctx, b.Secret); err != nil {
		return connections.Begun{}, err
	}
	return ask[connections.Begun](ctx, c, verbBegin, b)
}

// Finish hands over what came back from Zoom's consent page.
func (c *Client) Finish(ctx context.Context, a connections.Answer) (connections.Record, error) {
	var err error
	if a.Code, err = c.seal(ctx, a.Code); err != nil {
		return connections.Record{}, err
	}
	return ask[connections.Record](ctx, c, verbEnd, a)
}

// Poll asks how an authorization on another machine stands.
func (c *Client) Poll(ctx context.Context, state string) (Polled, error) {
	return ask[Polled](ctx, c, verbPoll, connections.Answer{State: state})
}

// List returns all connections, sorted by name.
func (c *Client) List(ctx context.Context) ([]connections.Record, error) {
	all := []connections.Record{}
	for after := ""; ; {
		p, err := ask[page](ctx, c, verbList, listed{After: after})
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
	return ask[connections.Record](ctx, c, verbShow, name{connection})
}

// Test makes a call with a connection.
func (c *Client) Test(ctx context.Context, connection string) (connections.Tested, error) {
	return ask[connections.Tested](ctx, c, verbTest, name{connection})
}

// Revoke ends a connection, here and at Zoom.
func (c *Client) Revoke(ctx context.Context, connection string) (Ended, error) {
	return ask[Ended](ctx, c, verbDrop, name{connection})
}

// Delete removes a connection with its grant.
func (c *Client) Delete(ctx context.Context, connection string) (Ended, error) {
	return ask[Ended](ctx, c, verbErase, name{connection})
}

// Forget deletes what is stored of an account. Where the order is not done, runs
// are still ending: ask again. What was deleted in all stands in the last answer.
func (c *Client) Forget(ctx context.Context, f Forget) (forget.Order, error) {
	return ask[forget.Order](ctx, c, verbForget, f)
}

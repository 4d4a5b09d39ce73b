package http

import (
	"context"
	"errors"

	"zflow/actions"
)

// Try makes a GET that is signed with a credential, and says why the answer is none of
// success. An answer that says itself that it is none, as Slack's do, is none.
func (c *Client) Try(ctx context.Context, address string, with Credential) error {
	input := map[string]any{"url": address, "timeout": "10s", "headers": map[string]any{"accept": "application/json"}}
	r, err := c.newRequest(ctx, Ask{Input: input, Effect: actions.Read})
	if err != nil {
		return err
	}
	if err := r.present("that is tried", with); err != nil {
		return err
	}
	r.signed = "" // there is nothing to connect again yet
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	a, err := r.send(ctx)
	if err != nil {
		return err
	}
	if e := a.Refusal(); e != nil {
		return e
	}
	if said, _ := a.Output["json"].(map[string]any); said["ok"] == false {
		return errors.New(a.Error(said).Message)
	}
	return nil
}

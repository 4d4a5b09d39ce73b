package code

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zflow/actions"
)

// mostSent is how much the code of one call may send.
const mostSent = 100

// sends are the actions that code may have done.
var sends = []string{"email.send", "emit"}

// send has an action done by what the code says. Each has a key of its own, by the order
// in which the code sends: where a step is attempted again, an event that was published
// already is none twice.
func (s *asked) send(ctx context.Context, q question) error {
	if s.act == nil || !slices.Contains(sends, q.Action) {
		return fmt.Errorf("code cannot have %q done", q.Action)
	}
	if s.sent++; s.sent > mostSent {
		return fmt.Errorf("the code sends more than %d times: let it do less in one call", mostSent)
	}
	raw, err := s.keepable(q.Value)
	if err != nil {
		return err
	}
	v, err := actions.DecodeJSON(raw)
	if err != nil {
		return err
	}
	input, ok := v.(map[string]any)
	if !ok {
		return errors.New("what is to be sent is no object")
	}
	_, err = s.act(ctx, q.Action, actions.Call{
		Input: input, Key: s.call.Key + ".sends." + strconv.Itoa(s.sent), Workflow: s.call.Workflow, Account: s.call.Account, Event: s.call.Event,
		Started: s.call.Started, Log: s.log,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", strings.ReplaceAll(q.Action, "emit", "publishing an event"), err)
	}
	return nil
}

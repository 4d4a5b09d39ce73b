package code

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"zflow/actions"
)

// mostSent is how much the code of one call may send.
const mostSent = 100

// What a step says that its code may send: mails to these addresses, and events.
const (
	mailsTo = "$email"
	emits   = "$emit"
)

// send has an action done by what the code says. Each has a key of its own, by the order
// in which the code sends: where a step is attempted again, an event that was published
// already is none twice.
func (s *asked) send(ctx context.Context, q question) error {
	if s.act == nil {
		return errors.New("nothing can be sent from here")
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
	if err := s.granted(q.Action, input); err != nil {
		return err
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

// granted refuses what the step does not let its code send: the code itself, or a package
// that it imports, is not believed. It says to whom a mail goes, not the code.
func (s *asked) granted(action string, input map[string]any) error {
	switch action {
	case "email.send":
		to := s.call.Input[mailsTo]
		if to == nil || to == "" {
			return fmt.Errorf("mails of the code go to nobody: say to whom with: { %s: you@example.org }", mailsTo)
		}
		for name := range input {
			if name != "subject" && name != "text" && name != "html" {
				delete(input, name)
			}
		}
		input["to"] = to
		return nil
	case "emit":
		if s.call.Input[emits] != true {
			return fmt.Errorf("the step does not let its code publish events: write with: { %s: true }", emits)
		}
		return nil
	}
	return fmt.Errorf("code cannot have %q done", action)
}

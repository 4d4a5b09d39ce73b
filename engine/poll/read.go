package poll

import (
	"context"
	"maps"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

// Limits of one list.
const (
	mostPages = 1000
	mostTries = 4               // of one page
	firstWait = 2 * time.Second // before the second of them; each later one is twice as long
)

// read reads all of a poll's list.
func (p *Poller) read(ctx context.Context, t Tick) (*comparison, error) {
	begun := p.Now()
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	list, err := p.list(limited, t)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx) // the worker stops: nothing has failed
	case limited.Err() != nil:
		return nil, failed("reading the list took longer than %v", within)
	case err != nil:
		return nil, err
	}
	c := &comparison{poll: t.Trigger.Poll, workflow: t.Workflow.Name, at: begun}
	return c, c.take(list)
}

// list calls the action for page after page.
func (p *Poller) list(ctx context.Context, t Tick) (all []any, err error) {
	poll := t.Trigger.Poll
	input, err := p.input(t)
	if err != nil {
		return nil, err
	}
	last := ""
	for range mostPages {
		output, err := p.page(ctx, t, input)
		if err != nil {
			return nil, err
		}
		items, err := itemsIn(poll, output)
		if err != nil {
			return nil, err
		}
		if all = append(all, items...); len(all) > mostItems {
			return nil, failed("the list has more than %d items, which is as many as a poll keeps in mind: ask for fewer in with, or leave some out in items", mostItems)
		}
		next, more := rest(output)
		switch {
		case next == "" && more:
			return nil, failed("the list has more items than one call brings (%d): ask for fewer in with", len(all))
		case next == "":
			return all, nil
		case !poll.Pages:
			return nil, failed("the list goes on after a page that %s cannot ask for: it has no input next_page_token", poll.Uses.Action)
		case next == last:
			return nil, failed("reading the list goes round in a circle: two pages have the same next_page_token")
		}
		last, input["next_page_token"] = next, next
	}
	return nil, failed("the list has more than %d pages", mostPages)
}

// rest tells of an output whether the list goes on: by the token of the next page, or
// by saying so.
func rest(output any) (next string, more bool) {
	object, _ := output.(map[string]any)
	next, _ = object["next_page_token"].(string)
	more, _ = object["more"].(bool)
	return next, more
}

// input is what the action is called with.
func (p *Poller) input(t Tick) (map[string]any, error) {
	poll := t.Trigger.Poll
	v, err := poll.Uses.With.Eval(expr.Env{"vars": t.Workflow.Vars, "secrets": p.Secrets}, expr.Clock{Now: p.Now(), Seed: t.Workflow.Name})
	if err != nil {
		return nil, failed("the input of the poll: %v", err)
	}
	input, ok := v.(map[string]any)
	input = maps.Clone(input) // of the workflow, perhaps
	switch {
	case !ok:
		return nil, failed("the input of the poll is no object")
	case !poll.Uses.Reads(input):
		return nil, failed("%s would change something with this input, which a poll must not", poll.Uses.Action)
	}
	if _, set := input["limit"]; !set && poll.Most > 0 {
		input["limit"] = poll.Most
	}
	return input, nil
}

// page calls the action, again for a while where that may help.
func (p *Poller) page(ctx context.Context, t Tick, input map[string]any) (any, error) {
	raw, err := expr.EncodeJSON(input)
	if err != nil {
		return nil, failed("the input of the poll: %v", err)
	}
	uses := t.Trigger.Poll.Uses
	for try, wait := 1, firstWait; ; try, wait = try+1, 2*wait {
		out := p.Call(ctx, &engine.Attempt{Uses: uses, Input: &v1.Value{Json: raw}, Connection: uses.Connection, Begun: p.Now(), Reads: true})
		if out.Error == nil {
			return expr.DecodeJSON(out.Output.GetJson())
		}
		if out.Class != classRetryable || try == mostTries || !pause(ctx, p.until(out.RetryAt, wait)) {
			return nil, p.refused(uses, out.Error)
		}
	}
}

// classRetryable is the class of errors that may pass.
const classRetryable = "retryable"

// until is how long to wait before another try.
func (p *Poller) until(at time.Time, otherwise time.Duration) time.Duration {
	if at.IsZero() {
		return otherwise
	}
	return max(at.Sub(p.Now()), 0)
}

// pause waits, unless ctx would end before.
func pause(ctx context.Context, d time.Duration) bool {
	if end, limited := ctx.Deadline(); limited && time.Until(end) < d {
		return false
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *Poller) refused(u *engine.Uses, e *v1.Error) error {
	text := "reading the list with " + u.Action
	if u.Connection != "" {
		text += " and connection " + u.Connection
	}
	switch {
	case e.Status != 0 && e.Code != "":
		return failed("%s: %s (status %d, code %s)", text, e.Message, e.Status, e.Code)
	case e.Status != 0:
		return failed("%s: %s (status %d)", text, e.Message, e.Status)
	}
	return failed("%s: %s", text, e.Message)
}

// itemsIn finds the list in an output.
func itemsIn(poll *engine.Poll, output any) ([]any, error) {
	v, err := poll.Items.Eval(expr.Env{"output": output}, expr.Clock{})
	if err != nil {
		return nil, failed("finding the list in the output of %s: %v", poll.Uses.Action, err)
	}
	switch v := v.(type) {
	case []any:
		return v, nil
	case nil: // Zoom leaves an empty list out, at times
		return nil, nil
	}
	return nil, failed("items is %s, no list", expr.KindOf(v))
}

// masked is a value as JSON in which all credentials are the same.
func masked(v any) ([]byte, error) {
	raw, err := expr.EncodeJSON(v)
	if err != nil {
		return nil, err
	}
	return sealed.MaskBytes(raw), nil
}

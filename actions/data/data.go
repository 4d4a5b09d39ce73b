// Package data has the actions that keep values from run to run: data.get, set,
// increment, append, list and delete.
//
// Each workflow has a store of its own; one with a name is shared. A change is
// durable before it is answered, and a step makes it once, however often it is
// attempted (engine/data says how). Credentials stay sealed: what is kept of one is
// its marker.
package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"zflow/actions"
	"zflow/engine/data"
	"zflow/engine/expr/moment"
	"zflow/internal/sealed"
)

// Actions returns the actions on a store; nil: they refuse.
func Actions(s *data.Store) []*actions.Action {
	k := &keeper{s}
	return []*actions.Action{
		{Spec: getSpec(), Do: k.get},
		{Spec: setSpec(), Do: k.set},
		{Spec: incrementSpec(), Do: k.increment, Probe: k.probe},
		{Spec: appendSpec(), Do: k.append, Probe: k.probe},
		{Spec: deleteSpec(), Do: k.delete},
		{Spec: listSpec(), Do: k.list},
	}
}

type keeper struct{ store *data.Store }

// place reads whose store and which key a step means.
func (k *keeper) place(c actions.Call) (p data.Place, err error) {
	if k.store == nil {
		return p, actions.Final("there is no store here")
	}
	p.Workflow = c.Workflow
	if p.Shared, err = actions.TextIn(c.Input, "store"); err != nil {
		return p, err
	}
	p.Key, err = actions.TextIn(c.Input, "key")
	if sealed.Contains(p.Key) {
		return p, actions.Final("a key cannot be a credential: nobody could find it again")
	}
	return p, err
}

// whole reads a whole number, or returns what holds where there is none.
func whole(input map[string]any, name string, otherwise, least, most int64) (int64, error) {
	v, given := input[name]
	if !given || v == nil {
		return otherwise, nil
	}
	n, ok := v.(int64)
	if !ok || n < least || n > most {
		return 0, actions.Final("%s is a whole number from %d to %d", name, least, most)
	}
	return n, nil
}

// life reads ttl.
func life(input map[string]any) (time.Duration, error) {
	s, err := actions.TextIn(input, "ttl")
	if err != nil || s == "" {
		return 0, err
	}
	d, err := moment.Duration(s)
	if err != nil {
		return 0, actions.Final("ttl: %v", err)
	}
	const longest = 10 * 365 * 24 * time.Hour
	if d < time.Second || d > longest {
		return 0, actions.Final("ttl is from 1s to 10 years")
	}
	return d, nil
}

// failed explains an error of the store by its class; sent is that of a change that
// may have been made.
func failed(err error, sent actions.Class) error {
	var e *actions.Error
	switch {
	case err == nil || errors.As(err, &e):
		return err
	case errors.Is(err, data.ErrKey), errors.Is(err, data.ErrStore):
		return actions.Final("%v", err).With(0, "bad_key")
	case errors.Is(err, data.ErrLarge):
		return actions.Final("%v", data.ErrLarge).With(0, "too_large")
	case errors.Is(err, data.ErrKeys):
		return actions.Retryable("%v", data.ErrKeys).With(0, "full")
	case errors.Is(err, data.ErrFull):
		return actions.Retryable("%v", data.ErrFull).With(0, "full")
	case errors.Is(err, data.ErrLate):
		return actions.Retryable("%v", data.ErrLate)
	}
	return &actions.Error{Class: sent, Message: err.Error()}
}

func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, actions.Final("the value is no JSON: %v", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (k *keeper) get(ctx context.Context, c actions.Call) (actions.Result, error) {
	p, err := k.place(c)
	if err != nil {
		return actions.Result{}, err
	}
	e, err := k.store.Get(ctx, p)
	if err != nil {
		return actions.Result{}, failed(err, actions.ClassRetryable)
	}
	out := map[string]any{"found": e.Value != nil, "value": c.Input["default"], "revision": int64(e.Revision)}
	if e.Value != nil {
		out["value"], err = actions.DecodeJSON(e.Value)
	}
	if !e.Expires.IsZero() {
		out["expires_at"] = e.Expires.Format(time.RFC3339Nano)
	}
	return actions.Result{Output: out}, err
}

// change makes a change, and gives its answer with the revision as the output.
func (k *keeper) change(ctx context.Context, c actions.Call, sent actions.Class, decide func(data.Entry) (data.Next, error)) (actions.Result, error) {
	p, err := k.place(c)
	if err != nil {
		return actions.Result{}, err
	}
	a, err := k.store.Change(ctx, p, c.Key, decide)
	if err != nil {
		return actions.Result{}, failed(err, sent)
	}
	return output(a)
}

func output(a data.Answer) (actions.Result, error) {
	v, err := actions.DecodeJSON(a.JSON)
	out, ok := v.(map[string]any)
	if err != nil || !ok {
		return actions.Result{}, actions.Final("the store's answer cannot be read: %.100s", a.JSON)
	}
	out["revision"] = int64(a.Revision)
	return actions.Result{Output: out}, nil
}

// probe finds out whether a change has happened.
func (k *keeper) probe(ctx context.Context, c actions.Call) (bool, actions.Result, error) {
	p, err := k.place(c)
	if err != nil {
		return false, actions.Result{}, err
	}
	a, happened, sure, err := k.store.Happened(ctx, p, c.Key, c.Started)
	switch {
	case err != nil:
		return false, actions.Result{}, failed(err, actions.ClassRetryable)
	case !sure:
		return false, actions.Result{}, actions.Final("whether key %q was changed by this step is not known any more: the attempt began at %s, and others have changed it since",
			p.Key, c.Started.UTC().Format(time.RFC3339))
	case !happened:
		return false, actions.Result{}, nil
	}
	r, err := output(a)
	return true, r, err
}

func (k *keeper) list(ctx context.Context, c actions.Call) (actions.Result, error) {
	p, err := k.place(c)
	if err != nil {
		return actions.Result{}, err
	}
	q, err := query(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	page, more, err := k.store.List(ctx, p, q)
	if err != nil {
		return actions.Result{}, failed(err, actions.ClassRetryable)
	}
	items := make([]any, 0, len(page))
	after := ""
	for _, e := range page {
		v, err := actions.DecodeJSON(e.Value)
		if err != nil {
			return actions.Result{}, err
		}
		item := map[string]any{"key": e.Key, "value": v, "revision": int64(e.Revision)}
		if !e.Expires.IsZero() {
			item["expires_at"] = e.Expires.Format(time.RFC3339Nano)
		}
		items, after = append(items, item), e.Key
	}
	return actions.Result{Output: map[string]any{"items": items, "more": more, "last": after}}, nil
}

func query(input map[string]any) (q data.Query, err error) {
	if q.Prefix, err = actions.TextIn(input, "prefix"); err != nil {
		return q, err
	}
	if q.After, err = actions.TextIn(input, "after"); err != nil {
		return q, err
	}
	limit, err := whole(input, "limit", 100, 1, 1000)
	q.Limit = int(limit)
	return q, err
}

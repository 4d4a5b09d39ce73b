// Package flow has the actions behind a workflow's own words: emit publishes an
// event, respond answers whoever waits for the run.
//
// Neither calls anybody outside of zflow, and both may happen twice: an event's id
// is derived from its step, and a second answer is the same as the first. What is
// sealed in their input stays sealed, since both keep what they are given.
package flow

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"zflow/actions"
)

var headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`)

// Event is what emit publishes.
type Event struct {
	Type    string
	Key     string // of the step: the same over its attempts
	Account string // of the event that started the run
	Data    []byte // JSON
}

// Answer is what respond says.
type Answer struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
}

// Options are how the actions reach the world; nil: they refuse.
type Options struct {
	// Emit publishes an event and returns its id once it is durable.
	Emit func(context.Context, Event) (id string, err error)
	// Respond tells an answer to whoever waits for the run of an event.
	Respond func(ctx context.Context, event string, a Answer) error
}

// Actions returns emit and respond.
func Actions(o Options) []*actions.Action {
	return []*actions.Action{
		{Spec: emitSpec(), Do: o.emit},
		{Spec: respondSpec(), Do: o.respond},
	}
}

func emitSpec() actions.Spec {
	return actions.Spec{
		Name: "emit", Summary: "Publishes an event that starts workflows with an event trigger, and that anybody with a NATS client can see.",
		Effect: actions.Idempotent, Sealed: true,
		Input: actions.Schema{Type: "object", Required: []string{"type"}, Fields: map[string]actions.Schema{
			"type": {Type: "string", Doc: "The event's type, such as order.paid."},
			"data": {Doc: "The event's body; an empty object where there is none."},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"id"}, Fields: map[string]actions.Schema{
			"id": {Type: "string", Doc: "The event's id."},
		}},
		Examples: []actions.Example{{
			Title: "Tell others that a class was held",
			Input: map[string]any{"type": "class.held", "data": map[string]any{"minutes": int64(45)}}, Output: map[string]any{"id": "…"},
		}},
	}
}

func (o *Options) emit(ctx context.Context, c actions.Call) (actions.Result, error) {
	kind, _ := c.Input["type"].(string)
	data, given := c.Input["data"]
	if !given || data == nil {
		data = map[string]any{}
	}
	raw, err := json.Marshal(data)
	switch {
	case kind == "":
		return actions.Result{}, actions.Final("the event has no type")
	case err != nil:
		return actions.Result{}, actions.Final("the event's data is no JSON: %v", err)
	case o.Emit == nil:
		return actions.Result{}, actions.Final("events cannot be published from here")
	}
	id, err := o.Emit(ctx, Event{Type: kind, Key: c.Key, Account: c.Account, Data: raw})
	if err != nil {
		return actions.Result{}, actions.Retryable("publishing the event: %v", err)
	}
	return actions.Result{Output: map[string]any{"id": id}}, nil
}

func respondSpec() actions.Spec {
	return actions.Spec{
		Name: "respond", Summary: "Answers whoever waits for the run, such as the caller of an HTTP trigger.",
		Effect: actions.Idempotent, Sealed: true,
		Input: actions.Schema{Type: "object", Fields: map[string]actions.Schema{
			"status":  {Type: "integer", Doc: "The HTTP status.", Default: int64(200)},
			"headers": {Type: "object", Doc: "Headers of the answer, by name.", Open: true},
			"body":    {Doc: "The body: text as it is, other values as JSON."},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"status"}, Fields: map[string]actions.Schema{
			"status": {Type: "integer", Doc: "The status that was answered."},
		}},
		Examples: []actions.Example{{
			Title: "Say that it is done", Input: map[string]any{"status": int64(201), "body": map[string]any{"ok": true}},
			Output: map[string]any{"status": int64(201)},
		}},
	}
}

func (o *Options) respond(ctx context.Context, c actions.Call) (actions.Result, error) {
	a := Answer{Status: 200, Body: c.Input["body"]}
	if status, given := c.Input["status"]; given && status != nil {
		n, ok := status.(int64)
		if !ok || n < 100 || n > 599 {
			return actions.Result{}, actions.Final("the status is a number from 100 to 599, not %v", status)
		}
		a.Status = int(n)
	}
	headers, _ := c.Input["headers"].(map[string]any)
	for name, value := range headers {
		text, ok := value.(string)
		if !ok {
			return actions.Result{}, actions.Final("the header %s is no text", name)
		}
		if !headerName.MatchString(name) || strings.ContainsAny(text, "\r\n\x00") {
			return actions.Result{}, actions.Final("%q is no name of a header, or its value has a line break", name)
		}
		if a.Headers == nil {
			a.Headers = map[string]string{}
		}
		a.Headers[name] = text
	}
	if o.Respond == nil {
		return actions.Result{}, actions.Final("nobody can be answered from here")
	}
	if err := o.Respond(ctx, c.Event, a); err != nil {
		return actions.Result{}, actions.Retryable("answering: %v", err)
	}
	return actions.Result{Output: map[string]any{"status": int64(a.Status)}}, nil
}

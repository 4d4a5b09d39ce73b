package zoom

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"zflow/actions"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomcatalog"
)

// Actions returns all actions of this package; they call by this client.
func Actions(c *zoomapi.Client) []*actions.Action {
	var all []*actions.Action
	for _, op := range table() {
		all = append(all, op.action(c))
	}
	return all
}

// operation is what the actions differ in.
type operation struct {
	name     string   // in zoomcatalog; the action is zoom.<name>
	params   []string // inputs that fill the path, in its order
	query    []string // inputs that go to the query; of other methods than GET all others are the body
	input    map[string]actions.Schema
	required []string
	output   actions.Schema
	effect   actions.Effect
	secret   []string
	examples []actions.Example
	errors   []actions.Known
	known    []string // a success has one of these fields; none: its body is empty
	list     string   // the field that pages carry
	check    func(input map[string]any) error
	probe    func(context.Context, caller) (bool, actions.Result, error)
}

// caller is one call of an action.
type caller struct {
	client *zoomapi.Client
	call   actions.Call
}

func (op operation) action(c *zoomapi.Client) *actions.Action {
	a := &actions.Action{Spec: op.spec()}
	a.Do = func(ctx context.Context, call actions.Call) (actions.Result, error) {
		return op.do(ctx, caller{c, call})
	}
	if op.probe != nil {
		a.Probe = func(ctx context.Context, call actions.Call) (bool, actions.Result, error) {
			return op.probe(ctx, caller{c, call})
		}
	}
	return a
}

func (op operation) spec() actions.Spec {
	entry, _ := zoomcatalog.Operation(op.name)
	return actions.Spec{
		Name:      "zoom." + op.name,
		Summary:   entry.Summary + ".",
		Input:     actions.Schema{Type: "object", Fields: op.input, Required: op.required},
		Output:    op.output,
		Scopes:    entry.Scopes(),
		RateLabel: entry.Label,
		Effect:    op.effect,
		Secret:    op.secret,
		Connects:  "zoom",
		Errors:    op.errors,
		Examples:  op.examples,
	}
}

func (op operation) do(ctx context.Context, c caller) (actions.Result, error) {
	q, err := op.request(c)
	if err != nil {
		return actions.Result{}, err
	}
	if op.list != "" {
		return op.pages(ctx, c, q)
	}
	res, err := c.client.Do(ctx, q)
	if op.gone(err) && c.call.Unknown {
		return op.result(c, nil)
	}
	if err != nil {
		return actions.Result{}, toError(err)
	}
	object, err := op.read(res)
	if err != nil {
		return actions.Result{}, err
	}
	return op.result(c, object)
}

// gone tells that what was to be deleted is not there.
func (op operation) gone(err error) bool {
	var e *zoomapi.Error
	return op.name == "delete_meeting" && errors.As(err, &e) && e.Says(http.StatusNotFound, "3001")
}

// result is Zoom's answer, or, where that is empty, what was acted on.
func (op operation) result(c caller, object map[string]any) (actions.Result, error) {
	if len(op.known) > 0 {
		return actions.Result{Output: object}, nil
	}
	id, err := text(c.call.Input["meeting_id"])
	return actions.Result{Output: map[string]any{"meeting_id": id}}, err
}

// request builds the call from the step's input.
func (op operation) request(c caller) (zoomapi.Request, error) {
	entry, ok := zoomcatalog.Operation(op.name)
	if !ok {
		return zoomapi.Request{}, actions.Final("zoom.%s is not in the catalog", op.name)
	}
	q := zoomapi.Request{Connection: c.call.Connection, Account: c.call.Account, Self: c.call.Host, Method: entry.Method}
	if err := op.complete(c.call.Input); err != nil {
		return q, err
	}
	var values []string
	for _, name := range op.params {
		value, err := c.param(name)
		if err != nil {
			return q, err
		}
		values = append(values, value)
	}
	path, err := zoomapi.Path(entry.Path, values...)
	if err != nil {
		return q, toError(err)
	}
	q.Path = path
	if q.Query, err = op.queryOf(c.call.Input); err != nil {
		return q, err
	}
	q.Body = op.bodyOf(entry.Method, c.call.Input)
	return q, nil
}

// complete tells what the input lacks; an expression may have come to nothing.
func (op operation) complete(input map[string]any) error {
	for _, name := range op.required {
		if v := input[name]; v == nil || v == "" {
			return actions.Final("%s is missing", name)
		}
	}
	if op.check != nil {
		return op.check(input)
	}
	return nil
}

// param is an input that stands in the path.
func (c caller) param(name string) (string, error) {
	if name == "user_id" {
		return c.user()
	}
	value, err := text(c.call.Input[name])
	if name == "account_id" {
		value = cmp.Or(value, "me")
	}
	if err != nil {
		return "", actions.Final("%s is neither text nor a whole number", name)
	}
	return value, nil
}

// user is whom the call is about; me is who connected, and with a
// server-to-server app the event's host.
func (c caller) user() (string, error) {
	user, err := text(c.call.Input["user_id"])
	if err != nil {
		return "", actions.Final("user_id is not text")
	}
	if user == "" {
		return "me", nil
	}
	return user, nil
}

// text is an id as Zoom's paths and queries have it; nil is empty.
func text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", actions.Final("a value is neither text nor a whole number")
}

func (op operation) queryOf(input map[string]any) (url.Values, error) {
	out := url.Values{}
	for _, name := range op.query {
		values, isList := input[name].([]any)
		if !isList {
			values = []any{input[name]}
		}
		var parts []string
		for _, v := range values {
			part, err := text(v)
			if err != nil {
				return nil, actions.Final("%s is neither text nor a whole number", name)
			}
			parts = append(parts, part)
		}
		if joined := strings.Join(parts, ","); joined != "" {
			out.Set(name, joined)
		}
	}
	return out, nil
}

// bodyOf is every input that stands nowhere else and is not null.
func (op operation) bodyOf(method string, input map[string]any) any {
	if method == http.MethodGet || method == http.MethodDelete {
		return nil
	}
	body := make(map[string]any, len(input))
	for name, v := range input {
		if v != nil {
			body[name] = v
		}
	}
	for _, name := range append(op.params, op.query...) {
		delete(body, name)
	}
	return body
}

// toError says in the engine's words what a failed call means.
func toError(err error) *actions.Error {
	var known *actions.Error
	if errors.As(err, &known) {
		return known
	}
	var e *zoomapi.Error
	if !errors.As(err, &e) {
		return actions.Final("%s", err)
	}
	class := actions.ClassFinal
	switch e.Outcome {
	case zoomapi.Again:
		class = actions.ClassRetryable
	case zoomapi.Lost:
		class = actions.ClassUnknown
	}
	return &actions.Error{Class: class, Status: e.Status, Code: e.Code, Message: e.Message, RetryAt: e.RetryAt}
}

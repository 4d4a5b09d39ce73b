package described

import (
	"context"
	"errors"
	"net/url"
	"time"

	"zflow/actions"
	"zflow/actions/http"
	"zflow/engine/expr"
)

// attempt is one performance of an action.
type attempt struct {
	*description
	in      actions.Call
	env     expr.Env
	clock   expr.Clock
	calls   map[string]any
	secrets []string
	token   *http.Credential // nil: the step gave a token, or none is needed
	from    string           // whose it is
	changed bool             // an earlier call changed something
}

func (d *description) do(ctx context.Context, in actions.Call) (actions.Result, error) {
	a := &attempt{description: d, in: in, clock: expr.Clock{Now: time.Now(), Seed: in.Key}, calls: map[string]any{}}
	inputs := map[string]any{}
	for name, s := range d.spec.Input.Fields {
		if inputs[name] = in.Input[name]; inputs[name] == nil {
			inputs[name] = s.Default
		}
	}
	for _, name := range d.secrets {
		if s, _ := inputs[name].(string); s != "" {
			a.secrets = append(a.secrets, s)
		}
	}
	given, _ := inputs["token"].(string)
	delete(inputs, "token")
	a.env = expr.Env{"inputs": inputs, "step": map[string]any{"key": in.Key}, "calls": a.calls, "token": given}
	if err := a.sign(ctx, given); err != nil {
		return actions.Result{}, err
	}
	var last *http.Answer
	for _, c := range d.calls {
		var err error
		if last, err = a.call(ctx, c); err != nil {
			return actions.Result{}, a.after(err)
		}
		a.calls[c.id] = last.Output
		a.changed = a.changed || c.effect == actions.Write
	}
	return a.result(last)
}

// sign finds the token, where one is needed and the step gave none.
func (a *attempt) sign(ctx context.Context, given string) error {
	if a.connection == "" {
		return nil
	}
	if a.signedIf != nil {
		needed, err := a.signedIf.Bool(a.env, a.clock)
		if err != nil {
			return actions.Final("connection_if: %v", err)
		}
		if !needed {
			return nil
		}
	}
	if given != "" && a.in.Connection != "" {
		return actions.Final("token and a connection are given: choose one")
	}
	if given != "" {
		return nil
	}
	a.from = a.in.Connection
	if a.from == "" {
		a.from = a.connection
	}
	c, err := a.client.Credential(ctx, a.from)
	if err != nil {
		return err
	}
	a.use(c)
	return nil
}

func (a *attempt) use(c http.Credential) {
	a.token, a.env["token"] = &c, c.Token
	a.secrets = append(a.secrets, c.Token)
}

// call makes one request. A token that was refused is renewed once: nothing has
// happened then.
func (a *attempt) call(ctx context.Context, c *call) (*http.Answer, error) {
	answer, err := a.ask(ctx, c)
	if err == nil && answer.Status == 401 && c.signed && a.token != nil && a.token.Renew != nil {
		next, failed := a.token.Renew(ctx)
		if failed != nil {
			return nil, failed
		}
		a.use(next)
		answer, err = a.ask(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	if e := a.judge(c, answer); e != nil {
		return nil, e
	}
	return answer, nil
}

func (a *attempt) ask(ctx context.Context, c *call) (*http.Answer, error) {
	tree, err := c.request.Eval(a.env, a.clock)
	if err != nil {
		return nil, actions.Final("%s: making the request %s: %v", a.spec.Name, c.id, err)
	}
	request, _ := pruned(c.shape, tree).(map[string]any)
	signed := ""
	if c.signed && a.token != nil {
		address, _ := request["url"].(string)
		u, err := url.Parse(address)
		if err != nil {
			return nil, actions.Final("the address of the request %s cannot be read", c.id)
		}
		if err := a.client.Trusts(a.from, a.token.Hosts, u); err != nil {
			return nil, err
		}
		signed = a.from
	}
	return a.client.Ask(ctx, http.Ask{Input: request, Effect: c.effect, Secrets: a.secrets, Signed: signed})
}

// pruned leaves out the fields that the description writes and that are null: inputs
// which were not given. Values that came whole stay as they are.
func pruned(shape, tree any) any {
	switch shape := shape.(type) {
	case map[string]any:
		object, ok := tree.(map[string]any)
		if !ok {
			return tree
		}
		out := make(map[string]any, len(object))
		for name, v := range object {
			if v != nil || shape[name] == nil {
				out[name] = pruned(shape[name], v)
			}
		}
		return out
	case []any:
		list, ok := tree.([]any)
		if !ok || len(list) != len(shape) {
			return tree
		}
		var out []any
		for i, v := range list {
			if v != nil || shape[i] == nil {
				out = append(out, pruned(shape[i], v))
			}
		}
		return out
	}
	return tree
}

// after is an error as it looks once an earlier call changed something: trying again
// would change that again.
func (a *attempt) after(err error) error {
	var e *actions.Error
	if !a.changed || !errors.As(err, &e) || e.Class != actions.ClassRetryable {
		return err
	}
	e.Class = actions.ClassUnknown
	return e
}

// result makes the step's output.
func (a *attempt) result(last *http.Answer) (actions.Result, error) {
	v, err := a.output.Eval(a.env, a.clock)
	object, _ := v.(map[string]any)
	if err != nil {
		return actions.Result{}, a.strange(a.calls, last, err.Error())
	}
	for name, field := range object {
		if field == nil {
			delete(object, name)
		}
	}
	for _, name := range a.required {
		if object[name] == nil {
			return actions.Result{}, a.strange(a.calls, last, "it has no "+name)
		}
	}
	return actions.Result{Output: object}, nil
}

// Package code has the action code, which runs the JavaScript or TypeScript of a step.
//
// Obligations:
//
//  1. Credentials reach code only in `inputs` and `connection`, and none of these
//     comes back out: not in the result, a log line or an error.
//  2. No digit is lost: integers that a JavaScript number cannot hold go in as text,
//     and a BigInt comes out as an integer, or as text where it is none of 64 bits.
//  3. An error says what the code did, at the user's own file, line and column. What
//     the code did itself (threw, exited, took too much) is final, unless it says
//     `retryable`; what ended it from outside leaves the outcome unknown.
//  4. Of stores the code reaches those that its step's input names ($stores), and what its
//     own step keeps; readable credentials neither come in from there nor go out. It sends
//     mails and events only as that input allows ($email, $emit).
//  5. A worker that cannot run code says so in a retryable error: another may.
package code

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zflow/actions"
	"zflow/actions/code/bundle"
	"zflow/actions/code/node"
	"zflow/engine/data"
)

// Name is the action's.
const Name = "code"

// Options are what the action is made of.
type Options struct {
	Runtime *Runtime
	// Load returns a bundle by its name.
	Load func(ctx context.Context, name string) ([]byte, error)
	// Connection returns what the code of a step that names a connection gets.
	Connection func(ctx context.Context, name string) (Connection, error)
	// Data returns what the stores that a step names are kept in; nil: there is none.
	Data func(ctx context.Context) (*data.Store, error)
	// Act does an action for code that has something sent; nil: nothing is.
	Act func(ctx context.Context, action string, c actions.Call) (actions.Result, error)
}

// Connection is a connected account, as code gets it.
type Connection struct {
	Name        string            `json:"name"`
	Token       string            `json:"token"`
	AccessToken string            `json:"access_token"` // the same
	APIURL      string            `json:"api_url,omitempty"`
	Headers     map[string]string `json:"headers"` // to sign requests with
	Query       map[string]string `json:"query"`
	Hosts       []string          `json:"hosts,omitempty"` // that it is for
}

// secrets are what must not come out.
func (c *Connection) secrets() []string {
	all := []string{c.Token, c.AccessToken}
	for _, values := range []map[string]string{c.Headers, c.Query} {
		for _, v := range values {
			_, plain, _ := strings.Cut(v, " ")
			all = append(all, v, plain)
		}
	}
	return all
}

// Action returns the action code.
func Action(o Options) *actions.Action {
	r := &runner{o, cache{}}
	return &actions.Action{Do: r.do, Spec: actions.Spec{
		Name: Name, Summary: "Runs JavaScript or TypeScript. It has a step of its own: code.", Effect: actions.Write,
		Input:  actions.Schema{Type: "object", Open: true, Doc: "What the code gets as inputs."},
		Output: actions.Schema{Doc: "What the code returns."},
		Errors: []actions.Known{{If: "error.code == 'output'", Doc: "The code printed more than the worker allows."},
			{If: "error.code == 'result'", Doc: "What the code returned is no JSON, or too large."}},
	}}
}

type runner struct {
	Options
	bundles cache
}

func (r *runner) do(ctx context.Context, c actions.Call) (actions.Result, error) {
	if c.Code == nil || c.Code.Bundle == "" || r.Runtime == nil || r.Load == nil {
		return actions.Result{}, actions.Final("there is no code to run: write it as a step of its own, code")
	}
	pool, err := r.Runtime.Pool()
	if err != nil {
		return actions.Result{}, actions.Retryable("this worker cannot run code: %v", err)
	}
	b, err := r.bundles.get(c.Code.Bundle, func() ([]byte, error) { return r.Load(ctx, c.Code.Bundle) })
	if err != nil {
		return actions.Result{}, actions.Retryable("%v", err)
	}
	args, hide, err := r.arguments(ctx, c)
	if err != nil {
		return actions.Result{}, err
	}
	log := &journal{to: c.Log, hide: hide}
	defer log.close()
	asked, err := r.asked(c, hide, func(line string) { log.add("info", line) })
	if err != nil {
		return actions.Result{}, err
	}
	raw, err := pool.Do(ctx, node.Call{Group: c.Code.Workflow, Bundle: c.Code.Bundle, Args: args, Limit: c.Code.Limit, Log: log.add, Ask: asked.ask,
		Code: func() ([]byte, error) { return b.Code, nil }})
	if err != nil {
		return actions.Result{}, failure(b, c.Code.Limit, hide, err)
	}
	v, err := actions.DecodeJSON(raw)
	if err != nil {
		return actions.Result{}, actions.Final("reading the code's result: %v", err)
	}
	return actions.Result{Output: hide.value(v)}, nil
}

// arguments are what the code gets, and what of that is not to come out.
func (r *runner) arguments(ctx context.Context, c actions.Call) ([]node.Arg, hidden, error) {
	hide := newHidden(c.Code.Secrets)
	inputs, err := encode(c.Input)
	if err != nil {
		return nil, nil, actions.Final("the code's inputs are no JSON: %v", err)
	}
	args := []node.Arg{{Name: "inputs", JSON: exact(inputs)}}
	if c.Connection != "" {
		account, err := r.Connection(ctx, c.Connection)
		if err != nil {
			return nil, nil, err
		}
		raw, err := encode(account)
		if err != nil {
			return nil, nil, actions.Final("the connection is no JSON: %v", err)
		}
		args, hide = append(args, node.Arg{Name: "connection", JSON: raw}), append(hide, newHidden(account.secrets())...)
	}
	for name, raw := range c.Code.Scope {
		args = append(args, node.Arg{Name: name, JSON: exact(raw)})
	}
	return args, hide, nil
}

// failure makes of what ended a call what that means for the next attempt.
func failure(b *ready, limit time.Duration, hide hidden, err error) error {
	var thrown *node.Thrown
	var died *node.Died
	switch {
	case errors.As(err, &thrown):
		e := actions.Final("%s", hide.text(b.place(thrown))).With(thrown.Status, hide.text(thrown.Code))
		if thrown.Retryable {
			e.Class = actions.ClassRetryable
		}
		return e
	case errors.As(err, &died) && died.Own:
		return actions.Final("%s", hide.text(died.Message))
	case errors.As(err, &died) && died.Late:
		return actions.Unknown("the code did not end within %v, and was ended", limit.Round(100*time.Millisecond))
	case errors.As(err, &died):
		return actions.Unknown("%s: whether what it does has happened is unknown", died.Message)
	}
	return actions.Retryable("the code was not called: %v", err)
}

// place is what an error says, with where it comes from.
func (b *ready) place(t *node.Thrown) string {
	message := t.Message
	if t.Name != "" && t.Name != "Error" && !strings.HasPrefix(message, t.Name) {
		message = t.Name + ": " + message
	}
	if t.Stack == "" {
		return message
	}
	b.once.Do(func() { b.positions, b.bad = b.Positions() })
	if b.bad != nil {
		return message
	}
	if at := b.positions.Stack(t.Stack); len(at) > 0 {
		return fmt.Sprintf("%s (%s)", message, at[0])
	}
	return message
}

// Make bundles the code of a step.
func Make(s bundle.Source) (name string, data []byte, faults []bundle.Fault) {
	b, faults := bundle.Make(s)
	if b == nil {
		return "", nil, faults
	}
	name, data, err := b.Encode()
	if err != nil {
		return "", nil, append(faults, bundle.Fault{Message: "storing the code: " + err.Error()})
	}
	return name, data, faults
}

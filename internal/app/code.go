package app

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/actions/code"
	"zflow/actions/code/node"
	"zflow/engine/catalog"
	"zflow/engine/data"
	"zflow/internal/app/able"
	"zflow/internal/app/accounts"
	"zflow/internal/durable"
	"zflow/internal/operator/doctor"
	"zflow/internal/settings"
)

// runtimeOf is what runs the code of steps, by the configuration.
func runtimeOf(c settings.Code) *code.Runtime {
	return code.NewRuntime(node.Options{Path: c.Node, Processes: c.Processes, Keep: c.Keep, Memory: int64(c.Memory), Output: int64(c.Output),
		Result: int64(c.Result), Network: c.Network, Calls: c.Calls, Age: time.Duration(c.Age), Idle: time.Duration(c.Idle)})
}

// codeOn is how a worker runs code.
func codeOn(js jetstream.JetStream, r *code.Runtime, tokens *accounts.Accounts, kept *data.Store) code.Options {
	return code.Options{
		Runtime: r,
		Data:    func(context.Context) (*data.Store, error) { return kept, nil },
		Load:    func(ctx context.Context, name string) ([]byte, error) { return catalog.LoadCode(ctx, js, name) },
		Connection: func(ctx context.Context, name string) (code.Connection, error) {
			return connectionOf(ctx, tokens, name)
		},
	}
}

// askCode asks workers what they run code with.
func askCode(ctx context.Context, nc *nats.Conn) (c doctor.Code, err error) {
	all, silent, err := able.Ask(ctx, nc)
	for _, w := range all {
		c.Runners = append(c.Runners, doctor.Runner{Worker: w.ID, Version: w.Version, Confined: w.Confined, NoNetwork: w.NoNetwork, Problem: w.Problem})
	}
	c.Silent = silent
	return c, err
}

// NoCode says why none of the workers that run can run code; nil: one can, none runs,
// or they do not say.
func (o *Client) NoCode(ctx context.Context) error {
	all, _, err := able.Ask(ctx, o.NC)
	if why := able.Nobody(all); err == nil && why != "" {
		return errors.New(why)
	}
	return nil
}

// NoCodeHere says why this machine cannot run code, nil where it can.
func NoCodeHere() error {
	_, err := node.Find("")
	return err
}

// TestCode runs the code of steps for tests of workflows: on this machine, with the
// defaults of a worker, and without connections.
type TestCode struct{ runtime *code.Runtime }

// NewTestCode returns one; it starts nothing yet.
func NewTestCode() *TestCode { return &TestCode{runtimeOf(settings.Default().Worker.Code)} }

// Ready looks for Node.js, which is not to be done in a test's own time.
func (t *TestCode) Ready() error {
	_, err := t.runtime.Pool()
	return err
}

// Action is the action code, of workflows that are deployed there; stores are those of
// the test.
func (t *TestCode) Action(js jetstream.JetStream, gate *durable.Gate) *actions.Action {
	return code.Action(code.Options{Runtime: t.runtime,
		Data: func(ctx context.Context) (*data.Store, error) { return data.Open(ctx, js, gate) },
		Load: func(ctx context.Context, name string) ([]byte, error) { return catalog.LoadCode(ctx, js, name) },
		Connection: func(_ context.Context, name string) (code.Connection, error) {
			return code.Connection{}, actions.Final("a test has no connection %s: say what comes of the step", name)
		},
		Act: func(_ context.Context, action string, c actions.Call) (actions.Result, error) {
			c.Log("this is a test: " + action + " is not done")
			return actions.Result{}, nil
		}})
}

// Close ends what was started.
func (t *TestCode) Close() error { return t.runtime.Close() }

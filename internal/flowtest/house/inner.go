package house

import (
	"context"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/internal/app"
	"zflow/internal/durable"
)

// inner are actions that reach nothing outside of zflow: they are called as they are,
// unless the test says what they bring. What they keep is kept in the test's own store,
// which is empty when the test begins.
var inner = []string{
	"log", "data.get", "data.set", "data.increment", "data.append", "data.delete", "data.list",
	"csv.parse", "csv.format", "text.template", "crypto.hmac", "crypto.hash",
}

// Inner says whether an action reaches nothing outside.
func Inner(name string) bool { return slices.Contains(inner, name) }

// innerActions are those, on a server.
func innerActions(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (map[string]*actions.Action, error) {
	all, err := app.InnerActions(ctx, js, gate)
	by := make(map[string]*actions.Action, len(all))
	for _, a := range all {
		by[a.Spec.Name] = a
	}
	return by, err
}

// itself is the action as it is, at the worker that calls it; nil: what it brings is
// stated, or has to be.
func (w *world) itself(ctx context.Context, one *hand, step, name string) (*actions.Action, error) {
	if !Inner(name) || len(w.outcomes(step, name)) > 0 {
		return nil, nil
	}
	one.once.Lock()
	defer one.once.Unlock()
	if one.inner == nil {
		var err error
		if one.inner, err = innerActions(ctx, one.js, one.gate); err != nil {
			one.inner = nil
			return nil, actions.Retryable("the test's own store: %v", err)
		}
	}
	return one.inner[name], nil
}

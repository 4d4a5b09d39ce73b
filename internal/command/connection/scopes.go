package connection

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"zflow/actions"
	"zflow/engine/definition"
	"zflow/engine/workflow"
	"zflow/internal/app"
	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/scope"

	"github.com/nats-io/nats.go"
)

// Ungranted compares what workflows need of the connections that they name with
// the scopes that Zoom granted these, a line for each that is missing. Where no
// worker answers, or a connection is not there yet, nothing can be said. The
// workflows are given as their files, by path.
func Ungranted(ctx context.Context, nc *nats.Conn, files map[string][]byte) ([]string, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	granted, err := desk.NewClient(nc).List(ctx)
	if errors.Is(err, desk.ErrNoWorker) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	byName := make(map[string]connections.Record, len(granted))
	for _, r := range granted {
		byName[r.Name] = r
	}
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if w, _ := definition.Parse(path, files[path], app.Known(registry, nil)); w != nil {
			lines = append(lines, missing(w, byName, registry)...)
		}
	}
	return lines, nil
}

// missing returns what one workflow lacks, each once.
func missing(w *workflow.Workflow, byName map[string]connections.Record, registry *actions.Registry) []string {
	return scope.Lacking(w, func(name string) []string { return byName[name].Scopes }, func(name string) ([]string, bool) {
		a := registry.Get(name)
		if a == nil || !strings.HasPrefix(name, "zoom.") {
			return nil, false
		}
		return a.Spec.Scopes, true
	})
}

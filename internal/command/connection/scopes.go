package connection

import (
	"context"
	"errors"
	"fmt"
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
	"zflow/internal/zoomapi"
	"zflow/internal/zoomcatalog"

	"github.com/nats-io/nats.go"
)

// Lack is what workflows lack of scopes, a line each.
type Lack struct {
	Missing []string // calls of Zoom that cannot work
	Doubted []string // what may not work, or may not come
	Unfit   []string // steps whose connection is to something else than they call
}

// Ungranted compares what workflows need with the scopes that Zoom granted to
// connections. Where no worker answers, or a connection is not there yet, nothing
// can be said. The workflows are given as their files, by path.
func Ungranted(ctx context.Context, nc *nats.Conn, files map[string][]byte) (Lack, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return Lack{}, err
	}
	granted, err := desk.NewClient(nc).List(ctx)
	if errors.Is(err, desk.ErrNoWorker) {
		return Lack{}, nil
	}
	if err != nil {
		return Lack{}, err
	}
	var all Lack
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if w, _ := definition.Parse(path, files[path], app.Known(registry, nil)); w != nil {
			one := lackOf(w, granted, registry)
			all.Missing, all.Doubted = append(all.Missing, one.Missing...), append(all.Doubted, one.Doubted...)
			all.Unfit = append(all.Unfit, one.Unfit...)
		}
	}
	return all, nil
}

// search compares one workflow with connections whose scopes are known.
type search struct {
	workflow string
	granted  []connections.Record
	registry *actions.Registry
	said     map[string]bool
	kinds    map[string]string // of connections, by name
	lack     Lack
}

// lackOf returns what one workflow lacks, each once.
func lackOf(w *workflow.Workflow, granted []connections.Record, registry *actions.Registry) Lack {
	known := slices.DeleteFunc(slices.Clone(granted), func(r connections.Record) bool { return len(r.Scopes) == 0 || r.Kind == connections.KindHTTP })
	s := &search{workflow: w.Name, granted: known, registry: registry, said: map[string]bool{}, kinds: map[string]string{}}
	for _, r := range granted {
		s.kinds[r.Name] = r.Kind
	}
	for _, t := range w.Triggers {
		if t.Poll != nil {
			s.call(t.Poll.Uses)
		}
	}
	for step := range w.All() {
		s.step(step.Path, step.Undo)
		if do, uses := step.Do.(*workflow.Uses); uses {
			s.step(step.Path, do)
		}
	}
	s.events(scope.Of(w, func(string) ([]string, bool) { return nil, false }))
	return s.lack
}

func (s *search) step(path string, u *workflow.Uses) {
	s.fits(path, u)
	s.call(u)
}

// fits looks whether the connection that a step names is to what it calls.
func (s *search) fits(path string, u *workflow.Uses) {
	if u == nil || s.kinds[u.Connection] == "" {
		return
	}
	kind, a := s.kinds[u.Connection], s.registry.Get(u.Action)
	if a == nil || a.Spec.Connects == "" || (kind == connections.KindHTTP) == (a.Spec.Connects == connections.KindHTTP) {
		return
	}
	wants := "one to Zoom"
	if a.Spec.Connects == connections.KindHTTP {
		wants = "one of kind http"
	}
	s.lack.Unfit = append(s.lack.Unfit, fmt.Sprintf("%s: step %s: %s needs %s, and the connection %s is of kind %s", s.workflow, path, u.Action, wants, u.Connection, kind))
}

// call looks at a step that calls Zoom: with a connection by name, or with that of
// the event's account, which may be any that speaks for a whole account.
func (s *search) call(u *workflow.Uses) {
	if u == nil || !strings.HasPrefix(u.Action, "zoom.") || s.said[u.Connection+" "+u.Action] {
		return
	}
	s.said[u.Connection+" "+u.Action] = true
	a := s.registry.Get(u.Action)
	if a == nil {
		return
	}
	may, without := s.candidates(u.Connection), []string{}
	for _, r := range may {
		if need := (scope.Need{AnyOf: a.Spec.Scopes}); !need.Met(r.Scopes) {
			without = append(without, r.Name)
		}
	}
	if len(without) == 0 {
		return
	}
	line := fmt.Sprintf("%s: %s needs of connection %s one of: %s", s.workflow, u.Action, strings.Join(without, ", "), strings.Join(a.Spec.Scopes, ", "))
	if len(without) == len(may) {
		s.lack.Missing = append(s.lack.Missing, line)
		return
	}
	s.lack.Doubted = append(s.lack.Doubted, line+" (for events of its account)")
}

// candidates are the connections that a step may call with.
func (s *search) candidates(name string) []connections.Record {
	whole := func(r connections.Record) bool { return r.Kind != zoomapi.KindUser && r.State != connections.Revoked }
	fits := func(r connections.Record) bool { return r.Name == name }
	if name == "" && len(s.granted) > 1 && slices.ContainsFunc(s.granted, whole) {
		fits = whole
	} else if name == "" {
		fits = func(connections.Record) bool { return true }
	}
	return slices.DeleteFunc(slices.Clone(s.granted), func(r connections.Record) bool { return !fits(r) })
}

// events looks at the events that start a workflow or that it waits for. They come
// by an app that need not be that of a connection, so nothing is refused for them.
func (s *search) events(needs []scope.Need) {
	if len(s.granted) == 0 {
		return
	}
	for _, n := range needs {
		if n.Basis != zoomcatalog.Stated && n.Basis != zoomcatalog.Assumed {
			continue
		}
		if !slices.ContainsFunc(s.granted, func(r connections.Record) bool { return n.Met(r.Scopes) }) {
			s.lack.Doubted = append(s.lack.Doubted, fmt.Sprintf("%s: no connection has that scope; does the app have it that sends %s? %s", s.workflow, strings.Join(n.Of, ", "), n))
		}
	}
}

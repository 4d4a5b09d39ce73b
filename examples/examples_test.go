package examples

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/zoom"
	"zflow/engine"
	"zflow/engine/definition"
	"zflow/engine/expr"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim"
)

// story is what an example does after its event of zoomsim's Seed.
type story struct {
	name  string
	calls []string
	says  string // in chat
}

var stories = []story{
	{"welcome-registrant", []string{"send_chat_message"}, `Hello Tomas, you are registered for \"Open studio evening\" on `},
	{"follow-up-meeting", []string{"create_meeting"}, ""},
	{"participant-report", []string{"list_past_meeting_participants", "list_past_meeting_participants", "send_chat_message"}, // refused once
		`3 people were in \"Pottery class\": Noor Haddad (45 min), Tomas Brandt (41 min), Phone guest (12 min)`},
	{"cancel-empty-meeting", []string{"list_meetings", "get_meeting", "delete_meeting", "send_chat_message"},
		`\"Glaze consultation\" was canceled: Tomas Brandt waited`},
	{"recording-link", []string{"get_meeting_recordings", "send_chat_message"}, `is ready (60 minutes): https://`},
}

func TestEachExampleDoesItsWorkAgainstTheSimulator(t *testing.T) {
	sim := zoomsim.New(zoomsim.Options{})
	registry := newRegistry(t, sim)
	flows := parseAll(t, registry)
	events := sim.Seed()
	if len(events) != len(stories) || len(flows) != len(stories) {
		t.Fatalf("%d events, %d workflows", len(events), len(flows))
	}
	seen := 0
	for i, h := range events {
		started := startedBy(t, flows, h)
		if len(started) != 1 || started[0].Name != stories[i].name {
			t.Fatalf("%s does not start %s alone", h.Type, stories[i].name)
		}
		output, _ := run(t, registry, started[0], h).(map[string]any)
		for name, v := range output {
			if v == nil || v == "" {
				t.Errorf("%s: its output has no %s", stories[i].name, name)
			}
		}
		entries := sim.Ledger(zoomsim.Filter{Kind: zoomsim.KindCall, After: seen})
		stories[i].check(t, entries)
		seen = entries[len(entries)-1].Seq
	}
}

// check compares what was called and said with what was to be.
func (s story) check(t *testing.T, entries []zoomsim.Entry) {
	t.Helper()
	var called []string
	said := ""
	for _, e := range entries {
		called = append(called, e.Operation)
		if e.Operation == "send_chat_message" {
			said = e.Body
		}
	}
	if !slices.Equal(called, s.calls) || !strings.Contains(said, s.says) {
		t.Errorf("%s called %v and said %s", s.name, called, said)
	}
}

func newRegistry(t *testing.T, sim *zoomsim.Sim) *actions.Registry {
	t.Helper()
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		server.Close()
		if err := sim.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	token := sim.NewToken()
	client := zoomapi.New(zoomapi.Options{
		Base: server.URL + "/v2",
		Token: func(context.Context, string, string) (zoomapi.Token, error) {
			return zoomapi.Token{Access: token, Connection: "demo", Kind: zoomapi.KindServer}, nil
		},
	})
	t.Cleanup(client.Close)
	r, err := actions.NewRegistry(zoom.Actions(client)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func parseAll(t *testing.T, r *actions.Registry) []*engine.Workflow {
	t.Helper()
	files, err := fs.Glob(Workflows, "workflows/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known := definition.Known{Actions: r, EventType: func(name string) (bool, string) {
		return zoomcatalog.Known(name), zoomcatalog.Suggest(name)
	}}
	var flows []*engine.Workflow
	for _, file := range files {
		src, err := fs.ReadFile(Workflows, file)
		if err != nil {
			t.Fatal(err)
		}
		w, problems := definition.Parse(file, src, known)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if path.Base(file) != w.Name+".yaml" {
			t.Errorf("%s is called %s", file, w.Name)
		}
		flows = append(flows, w)
	}
	return flows
}

func startedBy(t *testing.T, flows []*engine.Workflow, h zoomsim.Happened) []*engine.Workflow {
	t.Helper()
	var started []*engine.Workflow
	for _, w := range flows {
		for _, trigger := range w.Triggers {
			takes := slices.ContainsFunc(trigger.Types, func(p string) bool { return zoomcatalog.Match(p, h.Type) })
			if takes && holds(t, trigger.If, env(t, w, h)) {
				started = append(started, w)
			}
		}
	}
	return started
}

func env(t *testing.T, w *engine.Workflow, h zoomsim.Happened) expr.Env {
	t.Helper()
	event, err := expr.DecodeJSON(h.Body)
	if err != nil {
		t.Fatal(err)
	}
	return expr.Env{"event": event, "trigger": map[string]any{}, "vars": w.Vars, "steps": map[string]any{}, "secrets": map[string]any{}, "run": map[string]any{}, "step": map[string]any{}}
}

func holds(t *testing.T, p *expr.Program, e expr.Env) bool {
	t.Helper()
	if p == nil {
		return true
	}
	yes, err := p.Bool(e, clock())
	if err != nil {
		t.Fatal(err)
	}
	return yes
}

func clock() expr.Clock { return expr.Clock{Now: time.Now()} }

// run does the steps of a workflow one after the other, without the waiting.
func run(t *testing.T, r *actions.Registry, w *engine.Workflow, h zoomsim.Happened) any {
	t.Helper()
	e := env(t, w, h)
	steps, _ := e["steps"].(map[string]any)
	for _, s := range w.Steps {
		status, output := "skipped", any(nil)
		if holds(t, s.If, e) {
			status, output = "completed", do(t, r, s, e, h.Account)
		}
		if s.ID != "" {
			steps[s.ID] = map[string]any{"status": status, "output": output}
		}
	}
	output, err := w.Output.Eval(e, clock())
	if err != nil {
		t.Fatalf("%s: %v", w.Name, err)
	}
	return output
}

func do(t *testing.T, r *actions.Registry, s *engine.Step, e expr.Env, account string) any {
	t.Helper()
	u, ok := s.Do.(*engine.Uses)
	if !ok {
		shortSleep(t, s, e)
		return nil
	}
	input, err := u.With.Eval(e, clock())
	if err != nil {
		t.Fatalf("%s: %v", s.Path, err)
	}
	in, _ := input.(map[string]any)
	for attempt := 1; ; attempt++ {
		result, err := r.Get(u.Action).Do(t.Context(), actions.Call{Input: in, Account: account, Started: time.Now()})
		if err == nil {
			return result.Output
		}
		var failed *actions.Error
		if !errors.As(err, &failed) || attempt == u.Retry.Attempts || u.Retry.If == nil || u.Retry.Delay > time.Second {
			t.Fatalf("%s: %v", s.Path, err)
		}
		e["error"] = map[string]any{"status": int64(failed.Status), "code": failed.Code, "message": failed.Message, "class": string(failed.Class)}
		if !holds(t, u.Retry.If, e) {
			t.Fatalf("%s: not retried: %v", s.Path, err)
		}
	}
}

// shortSleep fails where a sleep would hold up the demo.
func shortSleep(t *testing.T, s *engine.Step, e expr.Env) {
	t.Helper()
	v, err := s.Do.(*engine.Sleep).For.Eval(e, clock())
	if err != nil {
		t.Fatalf("%s: %v", s.Path, err)
	}
	if d, err := expr.ParseDuration(fmt.Sprint(v)); err != nil || d > time.Second {
		t.Errorf("%s sleeps for %v: %v", s.Path, v, err)
	}
}

package definition

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/expr"
)

var update = flag.Bool("update", false, "write the messages of testdata/bad anew")

func limit(f float64) *float64 { return &f }

// known is a small world: three actions, five event types, three of them with known fields, one connection.
func known(t testing.TB) Known {
	t.Helper()
	text := actions.Schema{Type: "string"}
	person := actions.Schema{Type: "object", Fields: map[string]actions.Schema{"name": text, "email": text}}
	meeting := &actions.Action{Spec: actions.Spec{
		Name: "zoom.create_meeting", Effect: actions.Write, Connects: "zoom",
		Input: actions.Schema{Type: "object", Required: []string{"topic"}, Fields: map[string]actions.Schema{
			"topic": {Type: "string", Min: limit(1), Max: limit(200)}, "agenda": text, "password": text,
			"type": {Type: "integer"}, "duration": {Type: "integer", Min: limit(1), Max: limit(1440)},
			"start_time": {Type: "string", Format: "date-time"},
			"invitees": {Type: "array", Items: &actions.Schema{
				Type: "object", Required: []string{"email"}, Fields: map[string]actions.Schema{"email": text},
			}},
			"settings": {Type: "object", Fields: map[string]actions.Schema{
				"waiting_room": {Type: "boolean"}, "audio": {Type: "string", Enum: []string{"both", "voip", "telephony"}},
			}},
		}},
		Output: actions.Schema{Type: "object", Fields: map[string]actions.Schema{
			"id": {Type: "integer"}, "join_url": text, "people": {Type: "array", Items: &person},
		}},
	}}
	meeting.Probe = func(context.Context, actions.Call) (bool, actions.Result, error) { return false, actions.Result{}, nil }
	request := &actions.Action{Spec: actions.Spec{
		Name: "http.request", Effect: actions.Write, Connects: "http",
		Input: actions.Schema{Type: "object", Required: []string{"url"}, Fields: map[string]actions.Schema{
			"url": {Type: "string", Format: "url"}, "method": {Type: "string", Enum: []string{"GET", "POST"}, Default: "GET"},
			"headers": {Type: "object", Open: true}, "json": {}, "timeout": {Type: "string", Format: "duration"},
		}},
		Output: actions.Schema{Type: "object", Open: true, Fields: map[string]actions.Schema{"status": {Type: "integer"}}},
	}}
	request.EffectOf = func(in map[string]any) actions.Effect {
		if in["method"] == "POST" {
			return actions.Write
		}
		return actions.Read
	}
	log := &actions.Action{Spec: actions.Spec{
		Name: "log", Effect: actions.Read,
		Input: actions.Schema{Type: "object", Required: []string{"message"}, Fields: map[string]actions.Schema{
			"message": {Doc: "What to write."}, "level": text, "fields": {Type: "object", Open: true},
		}},
		Output: actions.Schema{Type: "object", Fields: map[string]actions.Schema{"message": text}},
	}}
	users := &actions.Action{Spec: actions.Spec{
		Name: "zoom.list_users", Effect: actions.Read, Connects: "zoom",
		Input: actions.Schema{Type: "object", Fields: map[string]actions.Schema{"status": text, "limit": {Type: "integer"}}},
		Output: actions.Schema{Type: "object", Fields: map[string]actions.Schema{
			"users": {Type: "array", Items: &actions.Schema{Type: "object", Fields: map[string]actions.Schema{
				"id": text, "email": text, "name": text, "dept": {Type: "object", Fields: map[string]actions.Schema{"name": text}},
			}}}, "more": {Type: "boolean"}, "page": {Type: "object", Fields: map[string]actions.Schema{"size": {Type: "integer"}}},
		}},
	}}
	reg, err := actions.NewRegistry(meeting, request, log, users)
	if err != nil {
		t.Fatal(err)
	}
	return Known{
		Actions: reg,
		EventType: func(name string) (bool, string) {
			types := []string{"meeting.ended", "meeting.started", "webinar.ended", "webinar.started", "recording.completed"}
			for _, is := range types {
				if is == name {
					return true, ""
				}
			}
			return false, expr.Suggest(name, types)
		},
		Event: func(eventType string) (expr.Type, bool) {
			own, ok := map[string]string{"webinar.ended": "ended", "webinar.started": "started"}[eventType]
			meeting := expr.Object(map[string]expr.Type{"uuid": {}, "topic": {}, own: {}}, false)
			if eventType == "recording.completed" {
				meeting, ok = expr.Guided(map[string]expr.Type{"uuid": {}, "share_url": {}}), true
			}
			return expr.Object(map[string]expr.Type{"payload": expr.Object(map[string]expr.Type{"object": meeting}, false)}, false), ok
		},
		Connection: func(name string) (string, bool) {
			kind, known := map[string]string{"school": "zoom_s2s", "crm": "http"}[name]
			return kind, known
		},
	}
}

// Each file of testdata/bad is named by its fault; the messages lie beside it.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, problems := Parse(filepath.Base(file), src, known(t))
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if len(problems) == 0 {
				t.Error("there is nothing wrong with it")
			}
			var b strings.Builder
			for _, p := range problems {
				b.WriteString(p.String() + "\n")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", b.String())
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w, problems := Parse(file, src, known(t))
		if w == nil || len(problems) > 0 {
			t.Errorf("%s: %v", file, problems)
		}
	}
}

func good(t *testing.T, name string) *engine.Workflow {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", "good", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w, problems := Parse(name, src, known(t))
	if w == nil {
		t.Fatal(problems.Err())
	}
	return w
}

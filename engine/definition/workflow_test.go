package definition

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
)

func TestEverything(t *testing.T) {
	w := good(t, "everything")
	if w.Name != "attendance-report" || w.Timeout != 30*time.Hour || w.Description == "" {
		t.Errorf("%+v", w)
	}
	wantVars := map[string]any{
		"office": "office@example.org", "channel": "#classes", "day": "2026-03-02",
		"limits": map[string]any{"short": int64(5), "list": []any{"a", int64(1), 2.5, true, nil}},
	}
	if !reflect.DeepEqual(w.Vars, wantVars) {
		t.Errorf("vars are %#v", w.Vars)
	}
	if len(w.Triggers) != 2 || w.Triggers[0].If == nil || !reflect.DeepEqual(w.Triggers[1].Types, []string{"meeting.started", "recording.*"}) {
		t.Errorf("triggers are %+v", w.Triggers)
	}
	var paths []string
	for _, s := range w.Steps {
		paths = append(paths, s.Path)
	}
	if want := []string{"sleep#1", "sleep#2", "meeting", "log#4", "http.request#5"}; !reflect.DeepEqual(paths, want) {
		t.Errorf("paths are %v, want %v", paths, want)
	}
}

func TestStepOfAction(t *testing.T) {
	w := good(t, "everything")
	s := w.Steps[2]
	u := s.Do.(*engine.Uses)
	if s.ID != "meeting" || u.Action != "zoom.create_meeting" || u.Timeout != time.Minute || u.OnUnknown != engine.PolicyProbe || u.Connection != "school" {
		t.Errorf("%+v", s)
	}
	if r := u.Retry; r.Attempts != 10 || r.Delay != 2*time.Minute || r.Backoff != 2 || r.MaxDelay != 5*time.Minute || r.If == nil {
		t.Errorf("retry is %+v", r)
	}
	if r := w.Steps[3].Do.(*engine.Uses).Retry; r.Attempts != 5 || r.If == nil {
		t.Errorf("the default retry is %+v", r)
	}
	if u.Reads(nil) || u.Repeatable(nil) || !u.Probes {
		t.Error("a write is taken for something harmless")
	}
	request := w.Steps[4].Do.(*engine.Uses)
	if request.Reads(map[string]any{"method": "POST"}) || !request.Reads(map[string]any{"method": "GET"}) || request.Probes {
		t.Error("the effect is not by the input")
	}
}

func TestInputOfStep(t *testing.T) {
	w := good(t, "everything")
	event := map[string]any{"payload": map[string]any{"object": map[string]any{"topic": "Class", "host_email": "h@x.org", "duration": int64(9)}}}
	env := expr.Env{"event": event, "vars": w.Vars, "run": map[string]any{"id": "a/b"}, "secrets": map[string]any{"token": "T"}}
	clock := expr.Clock{Now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	got, err := w.Steps[2].Do.(*engine.Uses).With.Eval(env, clock)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"topic": "Follow-up: Class", "duration": int64(30), "password": "0123", "start_time": "2026-03-03T10:00:00Z",
		"settings": map[string]any{"waiting_room": true, "audio": "voip"},
		"invitees": []any{map[string]any{"email": "a@x.org"}, "h@x.org"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%#v", got)
	}
	request, err := w.Steps[4].Do.(*engine.Uses).With.Eval(env, clock)
	if err != nil || request.(map[string]any)["url"] != "https://example.org/a%2Fb" {
		t.Errorf("%v, %v", request, err)
	}
	if d, err := w.Steps[1].Do.(*engine.Sleep).For.Eval(env, clock); err != nil || d != "5m" {
		t.Errorf("sleep is %v, %v", d, err)
	}
	if ok, err := w.Steps[1].If.Bool(env, clock); err != nil || !ok {
		t.Errorf("if is %v, %v", ok, err)
	}
}

func TestAnchors(t *testing.T) {
	w := good(t, "anchors")
	if len(w.Steps) != 3 || w.Steps[1].ID != "second" || w.Steps[1].Do.(*engine.Uses).Action != "log" || w.Steps[2].Do.(*engine.Uses).Timeout != 5*time.Second {
		t.Errorf("%+v", w.Steps)
	}
}

func TestVersion(t *testing.T) {
	a, b := Version([]byte("a")), Version([]byte("b"))
	if a == b || len(a) != 24 || a != Version([]byte("a")) {
		t.Errorf("%s, %s", a, b)
	}
	if w := good(t, "smallest"); len(w.Version) != 24 {
		t.Errorf("the workflow's version is %q", w.Version)
	}
}

// A warning does not keep a workflow from running.
func TestWarning(t *testing.T) {
	w, problems := Parse("w.yaml", []byte("name: a\non: { zoom: meeting.ende }\nsteps: [{ sleep: 1s }]\n"), known(t))
	if w == nil || len(problems) != 1 || !problems[0].Warning || problems.Err() != nil {
		t.Errorf("%v, %v", w, problems)
	}
}

func TestNothingKnown(t *testing.T) {
	src := "name: a\non: { zoom: x.y }\nsteps: [{ id: a, uses: some.thing, with: { b: 1 } }, { uses: log, with: { m: '${{ steps.a.output.c }}' } }]\n"
	if w, problems := Parse("w.yaml", []byte(src), Known{}); w == nil || len(problems) > 0 {
		t.Errorf("%v", problems)
	}
}

func TestCutFile(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "good", "smallest.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{1, 5, 17, len(src) / 2} {
		if _, problems := Parse("w.yaml", src[:cut], known(t)); problems.Err() == nil {
			t.Errorf("the first %d bytes are a workflow", cut)
		}
	}
	bom := append([]byte("\xef\xbb\xbf"), src...)
	if w, problems := Parse("w.yaml", bom, known(t)); w == nil {
		t.Errorf("with a byte order mark: %v", problems)
	}
}

// The longest file that is allowed is read in reasonable time.
func TestLargeFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("name: a\non: { zoom: meeting.ended }\nsteps:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  - id: s%d\n    uses: log\n    with: { message: \"${{ steps.s%d?.status }} and ${{ event.b + 1 }}\" }\n", i, max(i-1, 0))
	}
	src := strings.Replace(b.String(), "steps.s0?.", "vars.", 1)
	src = strings.Replace(src, "on:", "vars: { status: 1 }\non:", 1) + "output: ${{ steps.s0.output.message + steps.s999.output.message }}\n"
	if w, problems := Parse("w.yaml", []byte(src), known(t)); w == nil || len(w.Steps) != 1000 {
		t.Error(problems)
	}
	if _, problems := Parse("w.yaml", make([]byte, 1<<20+1), known(t)); problems.Err() == nil {
		t.Error("a file over the limit is read")
	}
}

func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile("testdata/good/everything.yaml")
	if err != nil {
		b.Fatal(err)
	}
	k := known(b)
	b.ReportAllocs()
	for b.Loop() {
		if w, problems := Parse("w.yaml", src, k); w == nil {
			b.Fatal(problems)
		}
	}
}

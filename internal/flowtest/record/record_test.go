package record

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zflow/engine"
	"zflow/internal/operator/operatortest"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

const hello = `name: hello
on: { zoom: meeting.ended }
steps:
  - { id: a, uses: log, with: { message: a } }
`

func began(step string, n uint32, input string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: n, Uses: "log", Input: &v1.Value{Json: []byte(input)}}}}
}

func completed(step string, n uint32, output *v1.Value) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Attempt: n, Output: output}}}
}

func failed(step string, n uint32, next, message string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepFailed{StepFailed: &v1.StepFailed{Attempt: n, Class: "retryable", Next: next, Error: &v1.Error{Message: message}}}}
}

func ended(output string) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{Output: &v1.Value{Json: []byte(output)}}}}
}

// No file has a credential in it, wherever one stood in the history.
func TestNoCredentialIsReadable(t *testing.T) {
	h := operatortest.New(t)
	version := h.Deploy(hello)
	keys, err := sealed.GenerateKeys()
	h.Must(err)
	s := keys.Public().Seal("hunter2")
	id := h.Run("hello", version, "e", engine.Completed, began("a", 1, `{"message":"`+s+`","n":1}`), failed("a", 1, "retry", "not with "+s+" again"),
		began("a", 2, `{}`), completed("a", 2, &v1.Value{Json: []byte(`{"url":"https://x?k=` + s + `","list":["` + s + `"]}`)}), ended(`{"url":"x`+s+`","list":["`+s+`",1],"n":7}`))
	m, err := Run(t.Context(), h.Operator, RunOrder{Run: id[:8], To: t.TempDir()})
	h.Must(err)
	all := ""
	for _, f := range m.Files {
		all += content(t, f)
	}
	if sealed.Contains(all) || strings.Contains(all, "hunter2") {
		t.Errorf("a marker is in\n%s", all)
	}
	for _, part := range []string{`message: "not with •••• again"`, `url: "https://x?k=••••"`, "output: { \"n\": 7 }", "{ a: { \"n\": 1 } }", "a: { attempts: 2 }"} {
		if !strings.Contains(all, part) {
			t.Errorf("%s is not in\n%s", part, all)
		}
	}
}

// What cannot be recorded is one error, and no file.
func TestRunsThatCannotBeRecorded(t *testing.T) {
	h := operatortest.New(t)
	version := h.Deploy(hello)
	taken := t.TempDir()
	h.Must(os.WriteFile(filepath.Join(taken, "mine.yml"), []byte(strings.ReplaceAll(hello, "message: a", "message: b")), 0o600))
	for i, c := range []struct {
		want string
		id   string
		to   string
	}{
		{"there is none with this id", "nosuch", ""},
		{"it has not ended, it is waiting", h.Run("hello", version, "e1", engine.Waiting), ""},
		{"it has not ended, it is running", h.Run("hello", version, "e2", engine.Running, began("a", 1, "{}")), ""},
		{"version 0123456789abcdef", h.Run("hello", "0123456789abcdef", "e3", engine.Completed, ended("1")), ""},
		{"a value of 300000 bytes that it needs is not in BLOBS any more", h.Run("hello", version, "e4", engine.Completed, began("a", 1, "{}"), completed("a", 1, &v1.Value{Blob: strings.Repeat("0", 64), Size: 300000}), ended("1")), ""},
		{"mine.yml is another version of workflow hello than the run's", h.Run("hello", version, "e5", engine.Completed, ended("1")), taken},
	} {
		dir := c.to
		if dir == "" {
			dir = filepath.Join(t.TempDir(), fmt.Sprint("new", i))
		}
		_, err := Run(t.Context(), h.Operator, RunOrder{Run: c.id, To: dir})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %s", err, c.want)
		}
		files, _ := os.ReadDir(dir) // where it is not there, there are none
		if len(files) > 1 || len(files) == 1 && c.to == "" {
			t.Errorf("%s: files were written", c.want)
		}
	}
	id := h.Run("hello", version, "e6", engine.Completed, ended("1"))
	m, err := Run(t.Context(), h.Operator, RunOrder{Run: id, To: taken, Force: true})
	h.Must(err)
	if content(t, filepath.Join(taken, "mine.yml")) != hello || m.Test != filepath.Join(taken, "mine_test.yml") {
		t.Errorf("%+v", m)
	}
}

// A run that failed expects so; of what one took over from another no attempts are
// expected.
func TestRunsThatFailedOrTookOver(t *testing.T) {
	h := operatortest.New(t)
	version := h.Deploy(hello)
	id := h.Run("hello", version, "e", engine.Failed, began("a", 1, `{"message":"a"}`), failed("a", 1, "fail", "no luck"),
		&v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: "step", Step: "a", Error: &v1.Error{Message: "no luck"}}}})
	m, err := Run(t.Context(), h.Operator, RunOrder{Run: id, To: t.TempDir()})
	h.Must(err)
	if text := content(t, m.Test); !strings.Contains(text, `error: "no luck"`) || !strings.Contains(text, "status: failed") || len(m.Notes) > 0 {
		t.Error(text, m.Notes)
	}
	r := &run{Run: engine.NewRun("r"), flow: &engine.Workflow{}}
	r.Start = &v1.RunStarted{Replay: &v1.Replay{Run: "other", From: "b"}}
	r.Steps["a"] = &engine.StepState{Status: engine.StepCompleted}
	r.Steps["a"].Attempt = 3
	done := completed("a", 3, nil)
	h.Must(r.read([]*v1.Fact{done}))
	r.steps = append(r.steps, &step{path: "a", action: "log", tries: []*try{{number: 3}}})
	if len(r.stands(map[string]bool{})) != 0 || len(r.notes) != 1 {
		t.Error(r.stands(nil), r.notes)
	}
}

func TestWhatMayBeUnderWayAtOnce(t *testing.T) {
	s := suiteOf(t, "event: { type: order.placed }\ntests: [ { name: a, expect: {} } ]", everything, inner)
	s.Flow.Steps[3].Loop.AtOnce = 2
	for pair, want := range map[[2]string]bool{
		{"both.a.a", "both.b.b"}: true, {"both.a.a", "both.a.a"}: false, {"both.a.a", "many[0]"}: false, {"many[0]", "many[2]"}: true,
		{"many[1]", "many[1]"}: false, {"slow[0]", "slow[1]"}: false, {"told", "lost"}: false, {"finally.bye", "both.b.b"}: false, {"lost.undo", "both.a.a"}: false,
	} {
		if atOnce(s.Flow, pair[0], pair[1]) != want || atOnce(s.Flow, pair[1], pair[0]) != want {
			t.Errorf("%v: %v", pair, !want)
		}
	}
	if around("each[3].both[1].x", "each.both") != "each[3].both[1]" || around("a", "a") != "a" {
		t.Error(around("each[3].both[1].x", "each.both"))
	}
}

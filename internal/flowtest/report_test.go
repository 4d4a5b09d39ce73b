package flowtest

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"
)

const failing = `
event: { type: meeting.ended, set: { payload.object.duration: 45 } }
steps: { people: { output: { participants: [ { name: a } ] } } }
tests:
  - name: an outcome is missing
    expect: { status: failed }
  - name: nothing is as expected
    steps: { post: { output: {} } }
    expect:
      status: failed
      took: 1m
      steps: { people: { attempts: 2, output: { participants: [ { name: b } ] } }, post: { status: skipped } }
      calls: [ post, people ]
      check: [ output.people == 2, output.peple.x == 1 ]
      output: { people: 3 } # three
  - name: passes
    event: { set: { payload.object.duration: 4 } }
    expect: { status: not_started }
`

// reported runs the tests of a suite.
func reported(t testing.TB, s *Suite) *Report {
	t.Helper()
	r := &Runner{Known: known(t)}
	report, err := r.Test(t.Context(), []string{s.Path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestWhatIsNotAsExpectedIsSaid(t *testing.T) {
	s := suiteOf(t, linear, failing)
	report := reported(t, s)
	if report.Passed || report.Summary() != "1 passed, 2 failed" {
		t.Errorf("%s", report.Summary())
	}
	first, second := report.Tests[0].Text(), report.Tests[1].Text()
	for _, want := range []string{"step post calls zoom.send_chat_message, and the test does not say what comes of it: add it to steps, such as post: { output: {} }", "✗ linear: an outcome is missing"} {
		if !strings.Contains(first, want) {
			t.Errorf("%s\nlacks %s", first, want)
		}
	}
	for _, want := range []string{
		"x_test.yaml:11: status: expected failed, got completed", "took: expected 1m0s..2m0s, got 720h0m0s", "step people: attempts: expected 2, got 1",
		`step people: output.participants[0].name: expected "b", got "a"`, "step post: status: expected skipped, got completed", "calls[1]",
		"check output.people == 2", "output.people: expected 3, got 1", "step_completed people", "+720h0m0s",
	} {
		if !strings.Contains(second, want) {
			t.Errorf("%s\nlacks %s", second, want)
		}
	}
	if c := report.Coverage[0].Text(); c != "linear: 3 of 3 steps" {
		t.Error(c)
	}
}

func TestJUnit(t *testing.T) {
	out, err := reported(t, suiteOf(t, linear, failing)).JUnit()
	if err != nil {
		t.Fatal(err)
	}
	var all junitSuites
	if err := xml.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	if all.Tests != 3 || all.Failures != 2 || all.Errors != 0 || len(all.Suites) != 1 || all.Suites[0].Cases[2].Failure != nil {
		t.Errorf("%s", out)
	}
}

func TestUpdateWritesWhatWasSeen(t *testing.T) {
	s := suiteOf(t, linear, failing)
	changed, err := reported(t, s).Update()
	if err != nil || len(changed) != 1 {
		t.Fatal(changed, err)
	}
	src, err := os.ReadFile(s.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`output: {"people":1} # three`, `output: {"participants":[{"name":"a"}]} }, post:`} {
		if !strings.Contains(string(src), want) {
			t.Errorf("%s\nlacks %s", src, want)
		}
	}
	if again, err := reported(t, s).Update(); err != nil || len(again) > 0 {
		t.Errorf("a second update changes %v: %v", again, err)
	}
}

func TestLoadSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/x_test.yaml"
	if err := os.WriteFile(path, []byte("workflow: y.yaml\nevent: { type: a.b }\ntests: [ { name: a, expect: {} } ]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, problems, err := Load(path, known(t))
	if s != nil || err != nil || !strings.Contains(problems.Err().Error(), "x_test.yaml:1:11: there is no file "+dir+"/y.yaml") {
		t.Error(s, problems, err)
	}
	if _, err := Files(t.TempDir()); err == nil {
		t.Error("a folder without tests is no error")
	}
}

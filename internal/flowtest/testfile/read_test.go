package testfile

import (
	"strings"
	"testing"
	"time"
)

// whole is a file with one test; more is below the test's name.
func whole(more string) string {
	return "workflow: x.yaml\nevent: { type: meeting.ended }\ntests:\n  - name: one\n" + more
}

func TestEveryMistakeHasItsPlaceAndAHint(t *testing.T) {
	for src, want := range map[string]string{
		"workflow: x.yaml\ntest: []":  "x_test.yaml:2:1: a file of tests has no key test (did you mean tests?)",
		"tests: []":                   "x_test.yaml:1:1: workflow is missing",
		"workflow: x.yaml\ntests: []": "x_test.yaml:2:8: tests is a list of at least one test",
		"workflow: x.yaml\ntests: [ { name: a, expect: {} } ]":                                        "the test has no event",
		whole("    expect: { status: complete }"):                                                     "x_test.yaml:5:23: a run cannot be complete (did you mean completed?)",
		whole("    expect: { statuss: completed }"):                                                   "x_test.yaml:5:15: expect has no key statuss (did you mean status?)",
		whole("    secrets: { key: 7 }\n    expect: {}"):                                              "x_test.yaml:5:21: the secret key is text, this is a number",
		whole("    secrets: [ a ]\n    expect: {}"):                                                   "secrets is an object, this is a list (such as secrets: { name: text })",
		whole("    expect: { took: 3 }"):                                                              "took is a duration with a unit (such as 90s, 2h or 1d)",
		whole("    expect: { took: 4h..3h }"):                                                         "took ends before it begins",
		whole("    expect: { calls: [ { a: 1, b: 2 } ] }"):                                            "a call is an action or a step with a part of its input",
		whole("    expect: {}\n    start: monday"):                                                    "start is no time (such as \"2026-03-02T10:00:00Z\")",
		whole("    expect: {}\n    steps: { a: { outcome: arrived } }"):                               "outcome can only be unknown",
		whole("    expect: {}\n    steps: { a: { output: 1, error: {} } }"):                           "an outcome is one of output, error and outcome: unknown",
		whole("    expect: {}\n    steps: { a: { takes: 1s } }"):                                      "an outcome is one of output, error and outcome: unknown",
		whole("    expect: {}\n    steps: { a: [] }"):                                                 "a has no outcome",
		whole("    expect: {}\n    steps: { a: { output: 12e45 } }"):                                  "YAML takes 12e45 for a number and would change it",
		whole("    expect: {}\n    steps: { a: { error: { status: 42 } } }"):                          "status is an HTTP status from 100 to 599",
		whole("    expect: {}\n    then: [ { after: 2h } ]"):                                          "one thing happens at a time, here are 0",
		whole("    expect: {}\n    then: [ { crash: true } ]"):                                        "after is missing",
		whole("    expect: {}\n    then: [ { after: 2h, crash: true, cancel: true } ]"):               "one thing happens at a time, here are 2",
		whole("    expect: {}\n    then: [ { after: 2h, crash: true }, { after: 1h, crash: true } ]"): "this happens before what stands above it",
		whole("    expect: {}\n    then: [ { after: 2h, event: {} } ]"):                               "type is missing",
		whole("    expect: {}\n    event: { type: 'a b' }"):                                           `"a b" is no event type`,
		whole("    expect: {}\n    event: { file: a, body: {} }"):                                     "event has a file and a body",
		whole("    expect: {}\n    event: { set: { payload..x: 1 } }"):                                `"payload..x" is no path`,
		whole("    expect: {}\n  - name: one\n    expect: {}"):                                        `two tests are called "one"`,
	} {
		f, problems := Parse("x_test.yaml", []byte(src))
		err := problems.Err()
		if f != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v\nnot   %s", src, err, want)
		}
	}
}

func TestATestIsLaidOverItsFile(t *testing.T) {
	f, problems := Parse("x_test.yaml", []byte(`
workflow: x.yaml
start: "2026-05-01T00:00:00+02:00"
event: { type: meeting.ended, body: { a: 1 }, set: { a.b: 2 } }
steps: { one: { output: 1 }, two: { output: 2 } }
secrets: { a: file, b: file }
tests:
  - name: first
    secrets: { b: test, c: test }
    event: { set: { c: 3 } }
    steps: { two: [ { error: { status: 404, code: 3301 } }, { outcome: unknown } ] }
    then:
      - { after: 2h, crash: true }
      - { after: 1d, cancel: { now: true } }
      - { after: 1d, approve: { step: ask, choice: yes it is, fields: { n: 1 } } }
    expect: { status: failed, took: 1h.., steps: { two: { attempts: 2, output: { x: [ 1 ] } } }, calls: [ one, { two: { a: b } } ] }
  - name: second
    event: { type: order.paid, file: b.json }
    expect: { took: 5m, calls: [] }
`))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	one, two := f.Tests[0], f.Tests[1]
	if one.Start != time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC) || one.Event.Kind() != "zoom" || two.Event.Kind() != "app" {
		t.Errorf("%+v", one)
	}
	if len(one.Secrets) != 3 || one.Secrets["a"] != "file" || one.Secrets["b"] != "test" || two.Secrets["b"] != "file" || len(two.Secrets) != 2 {
		t.Errorf("%v %v", one.Secrets, two.Secrets)
	}
	if len(one.Event.Set) != 2 || len(two.Event.Set) != 1 || two.Event.File != "b.json" || two.Event.Body != nil {
		t.Errorf("%+v %+v", one.Event, two.Event)
	}
	if len(one.Steps["two"]) != 2 || len(two.Steps["two"]) != 1 || len(one.Steps["one"]) != 1 {
		t.Errorf("%+v %+v", one.Steps, two.Steps)
	}
	if e := one.Steps["two"][0].Error; e.Code != "3301" || e.Status != 404 || e.Retryable {
		t.Errorf("%+v", e)
	}
	if !one.Then[0].Crash || !one.Then[1].Cancel.Now || one.Then[2].Approve.Choice != "yes it is" || one.Then[1].After != 24*time.Hour {
		t.Errorf("%+v", one.Then)
	}
	if one.Expect.Took != (Span{time.Hour, 0}) || two.Expect.Took != (Span{5 * time.Minute, 6 * time.Minute}) {
		t.Errorf("%+v %+v", one.Expect.Took, two.Expect.Took)
	}
	if len(one.Expect.Calls) != 2 || two.Expect.Calls == nil || *one.Expect.Steps["two"].Attempts != 2 {
		t.Errorf("%+v", one.Expect)
	}
}

func TestWhetherAnErrorMayPass(t *testing.T) {
	for src, want := range map[string]bool{
		"{}": true, "{ status: 404 }": false, "{ status: 429 }": true, "{ status: 503 }": true, "{ final: true }": false,
		"{ status: 404, retryable: true }": true, "{ status: 503, final: true }": false, "{ status: 400, retry_after: 5s }": true,
	} {
		f, problems := Parse("x_test.yaml", []byte(whole("    expect: {}\n    steps: { a: { error: "+src+" } }")))
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		if got := f.Tests[0].Steps["a"][0].Error.Retryable; got != want {
			t.Errorf("%s: retryable = %v", src, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole("    expect: { took: 1h..2h }"))
	f.Add(whole("    then: [ { after: 1h, event: { type: a.b, set: { a.0: 1 } } } ]\n    expect: { check: true }"))
	f.Fuzz(func(t *testing.T, src string) {
		file, problems := Parse("x_test.yaml", []byte(src))
		if (file == nil) != (problems.Err() != nil) {
			t.Errorf("file %v with problems %v", file, problems)
		}
	})
}

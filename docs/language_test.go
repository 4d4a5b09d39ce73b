package docs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zflow/internal/flowtest"
)

// plays are how the examples of the language are played, by a text that stands in
// one: the test of it, where that is more than one event and an end.
var plays = map[string]string{
	"name: participant-report": `expect: { status: completed, took: 15m, output: { people: 1 } }`,
	"zoom: [meeting.started, meeting.ended]": `
    event: { set: { payload.object.topic: Class 4 } }
    expect: { status: completed }`,
	"zoom: user.presence_status_updated": `
    event: { type: order.paid, body: { n: 1 } }
    expect: { status: completed }`,
	"run: attendance-report": `
    event: { type: run, body: { workflow: export, status: failed } }
    expect: { status: completed }`,
	"uses: zoom.list_meetings": `
    event: { type: poll, body: { change: changed, key: 7, item: { id: 7, topic: Art }, before: { topic: Arts, start_time: null }, polled_at: "2026-03-02T10:00:00Z" } }
    expect: { status: completed }`,
	"sleep: 1d":           `expect: { status: completed, took: 25h }`,
	"sleep: { until: \"$": `expect: { status: completed, took: "7150h" }`,
	"attempts: 20": `
    steps: { zoom.get_meeting_recordings: [ { error: { status: 404, code: 3301, message: no recording } }, { output: { share_url: https://zoom.us/rec/1 } } ] }
    expect: { status: completed, took: 30s..2m }`,
	"id: prepare": `expect: { status: failed, took: 5s, steps: { both: { output: { left: { one: 1 }, right: { two: 2 } } } } }`,
	"id: notify": `
    steps: { "ready[0].check": { error: { final: true, message: not yet } } }
    expect: { status: completed, took: 1m, steps: { ready: { attempts: 0 } } }`,
	"id: recording": `
    then: [ { after: 1h, event: { type: recording.completed, set: { payload.object.uuid: u } } }, { after: 2h, signal: { name: drop } } ]
    expect: { status: canceled, took: 2h, steps: { recording: { outcome: arrived }, paid: { outcome: dropped } } }`,
	"id: reclaim": `
    then: [ { after: 13h, approve: { step: reclaim, choice: approved, fields: { days: 30 } } } ]
    expect: { status: completed, took: 13h, calls: [ { log: { message: no reason given } } ] }`,
	"call: license-check": `
    steps: { emit: { output: {} } }
    expect: { status: completed, calls: [ { emit: { type: license.checked, data: { email: a@x.org, result: { ok: true } } } } ] }`,
	"undo:": `
    steps: { http.request: { error: { final: true, message: full } } }
    expect: { status: failed, calls: [ zoom.create_meeting, http.request, zoom.delete_meeting, { log: { message: "http.request#2: full" } }, { log: { message: "done: completed" } } ] }`,
}

// ordinary is how the others are played.
const ordinary = `expect: { status: completed }`

// answers is what actions answer, and the event.
const answers = `
event: { type: meeting.ended, set: { payload.object.uuid: u, payload.object.duration: 60, payload.object.host_email: a@x.org, payload.object.start_time: "2026-12-24T17:15:00Z" } }
steps:
  log: { output: {} }
  http.request: { output: { status: 200 } }
  zoom.list_past_meeting_participants: { output: { participants: [ { name: Ada } ] } }
  zoom.send_chat_message: { output: { id: m } }
  zoom.create_meeting: { output: { id: 1 } }
  zoom.delete_meeting: { output: {} }
tests:
  - name: as the page says
    `

// called are the workflows that the examples call.
var called = map[string]string{
	"license-check.yaml": "name: license-check\non: { call: { inputs: { email: text, days: integer } } }\nsteps: [ { sleep: 1s } ]\noutput: { ok: true }\n",
	"clean-up.yaml":      "name: clean-up\non: { call: {} }\nsteps: [ { sleep: 1s } ]\n",
}

// Every example of the language is run on the real engine and comes to its end.
func TestTheLanguageRuns(t *testing.T) {
	runner := &flowtest.Runner{Known: known(t)}
	used := map[string]bool{}
	for _, b := range blocksOf(t, "language.md") {
		if b.kind != "yaml" {
			continue
		}
		flow, _ := complete(b.text)
		play := ordinary
		for text, own := range plays {
			if strings.Contains(b.text, text) {
				play, used[text] = own, true
			}
		}
		report, err := runner.Test(t.Context(), []string{written(t, flow, answers+strings.TrimSpace(play))}, flowtest.Options{})
		if err != nil {
			t.Fatalf("%s:%d: %v", b.page, b.line, err)
		}
		if !report.Passed {
			t.Errorf("%s:%d: %v%v", b.page, b.line, report.Problems, texts(report.Tests))
		}
	}
	for text := range plays {
		if !used[text] {
			t.Errorf("no example has %q", text)
		}
	}
}

// written writes a workflow with its tests and returns the file of these.
func written(t *testing.T, flow, tests string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"flow.yaml": flow, "flow_test.yaml": "workflow: flow.yaml" + tests}
	for name, text := range called {
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "flow_test.yaml")
}

func texts(results []flowtest.Result) string {
	var all []string
	for _, r := range results {
		all = append(all, r.Text())
	}
	return strings.Join(slices.Compact(all), "")
}

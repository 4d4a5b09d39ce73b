package flowtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/flowtest/testfile"
)

// known is what workflows may refer to in production.
func known(t testing.TB) definition.Known {
	t.Helper()
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return app.Known(registry, nil)
}

// suiteOf writes a workflow and its tests, and loads them.
func suiteOf(t testing.TB, flow, tests string) *Suite {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"x.yaml": flow, "x_test.yaml": "workflow: x.yaml\n" + tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, problems, err := Load(filepath.Join(dir, "x_test.yaml"), known(t))
	if err != nil || problems.Err() != nil {
		t.Fatal(err, problems)
	}
	return s
}

// played runs the only test of a suite.
func played(t testing.TB, s *Suite) *Seen {
	t.Helper()
	r := &Runner{Known: known(t)}
	seen, err := r.Play(t.Context(), s, s.Tests[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func wrongs(e *testfile.Expect, s *Seen) string {
	var lines []string
	for _, m := range Compare(e, s) {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

const linear = `
name: linear
on: [ { zoom: meeting.ended, if: event.payload.object.duration >= 5 } ]
steps:
  - id: people
    uses: zoom.list_past_meeting_participants
    with: { meeting_id: "${{ event.payload.object.uuid }}" }
    retry: { attempts: 10, delay: 2m, if: "error.code in [404, 3301]" }
  - sleep: 30d
  - id: post
    uses: zoom.send_chat_message
    with: { user_id: me, to_channel: c, message: "${{ len(steps.people.output.participants) }} people" }
output: { people: "${{ len(steps.people.output.participants) }}" }
`

func TestALinearWorkflow(t *testing.T) {
	s := suiteOf(t, linear, `
event: { type: meeting.ended }
tests:
  - name: two refusals and a month
    event: { set: { payload.object.duration: 45 } }
    steps:
      people: [ { error: { status: 404, code: 3301 } }, { outcome: unknown }, { output: { participants: [ { name: a }, { name: b } ] }, takes: 4s } ]
      zoom.send_chat_message: { output: { id: m1 } }
    expect:
      status: completed
      took: 720h2m..720h10m
      steps: { people: { attempts: 3, output: { participants: [ {}, { name: b } ] } } }
      calls: [ people, { post: { message: 2 people } } ]
      check: [ "calls[1].with.message contains '2 people'", "steps.people.attempts == 3", "output.people == 2" ]
      output: { people: 2 }
`)
	seen := played(t, s)
	if wrong := wrongs(&s.Tests[0].Expect, seen); wrong != "" {
		t.Error(wrong)
	}
}

package record

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/flowtest"
	v1 "zflow/proto/zflow/v1"
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

// played plays a test and returns its run as a server would have it.
func played(t testing.TB, s *flowtest.Suite, n int) *run {
	t.Helper()
	runner := &flowtest.Runner{Known: known(t)}
	seen, err := runner.Play(t.Context(), s, s.Tests[n], nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Problems) > 0 {
		t.Fatal(seen.Problems)
	}
	if seen.Run == nil {
		return nil
	}
	r := recordable(t, s, seen.Run, seen.Facts)
	for _, other := range seen.Others {
		if called := seen.FactsOf(other.ID()); slices.ContainsFunc(seen.Facts, func(f *v1.Fact) bool { return f.GetCallStarted().GetRun() == other.ID() }) {
			r.called = append(r.called, recordable(t, s, other, called))
		}
	}
	return r
}

func recordable(t testing.TB, s *flowtest.Suite, one *engine.Run, facts []*v1.Fact) *run {
	t.Helper()
	for _, w := range s.Workflows {
		def, _ := definition.Parse(w.Path, w.Text, known(t))
		if def == nil || def.Name != one.Start.Workflow {
			continue
		}
		r := &run{Run: one, flow: def, text: string(w.Text)}
		if err := r.read(facts); err != nil {
			t.Fatal(err)
		}
		return r
	}
	t.Fatalf("there is no workflow %s", one.Start.Workflow)
	return nil
}

// again records a run, plays the record, and returns the test and what differs.
func again(t testing.TB, r *run) (text string, wrong []string) {
	t.Helper()
	dir := t.TempDir()
	w := &writer{folder: folder{dir: dir}, known: known(t)}
	test, err := w.run(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.write(); err != nil {
		t.Fatal(err)
	}
	text = content(t, filepath.Join(dir, test))
	runner := &flowtest.Runner{Known: known(t)}
	report, err := runner.Test(t.Context(), []string{filepath.Join(dir, test)}, flowtest.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return text, differs(report)
}

var examples = flag.Bool("examples", false, "record what the tests of all examples do: a minute of CPU")

// What the tests of the example workflows do can be recorded, and goes again as it
// went: refusals, lost calls, crashes, waits, loops, parallel branches.
func TestARecordedRunGoesAsItWent(t *testing.T) {
	folder := "../../../examples/workflows/"
	if !*examples {
		folder += "escalation_test.yaml"
	}
	files, err := flowtest.Files(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		s, problems, err := flowtest.Load(file, known(t))
		if err != nil || problems.Err() != nil {
			t.Fatal(err, problems)
		}
		for i, test := range s.Tests {
			t.Run(s.Flow.Name+": "+test.Name, func(t *testing.T) {
				r := played(t, s, i)
				if r == nil || !r.State.Ended() {
					t.Skip("it started no run that ended")
				}
				if text, wrong := again(t, r); len(wrong) > 0 {
					t.Errorf("%s\nin\n%s", strings.Join(wrong, "\n"), text)
				}
			})
		}
	}
}

// suiteOf writes a workflow and its tests, and others that it calls.
func suiteOf(t testing.TB, tests string, flows ...string) *flowtest.Suite {
	t.Helper()
	dir := t.TempDir()
	for i, text := range append([]string{"workflow: f1.yaml\n" + tests}, flows...) {
		name := "f_test.yaml"
		if i > 0 {
			name = "f" + string(rune('0'+i)) + ".yaml"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, problems, err := flowtest.Load(filepath.Join(dir, "f_test.yaml"), known(t))
	if err != nil || problems.Err() != nil {
		t.Fatal(err, problems)
	}
	return s
}

const everything = `name: everything
on: { event: order.placed }
retry: { attempts: 3, delay: 10s }
steps:
  - { id: told, uses: http.request, with: { method: POST, url: "https://x.org/1" } }
  - { id: lost, uses: http.request, with: { method: POST, url: "https://x.org/2" }, on_unknown: retry, undo: { uses: http.request, with: { method: POST, url: "https://x.org/3" } } }
  - id: both
    parallel:
      a: [ { id: a, uses: http.request, with: { method: GET, url: "https://x.org/a" } } ]
      b: [ { id: b, uses: http.request, with: { method: GET, url: "https://x.org/b" } } ]
  - { id: many, for_each: "${{ [1, 2, 3] }}", at_once: 3, uses: http.request, with: { method: GET, url: "https://x.org/${{ item }}" }, continue_on_error: true }
  - { id: slow, for_each: "${{ [1, 2] }}", uses: http.request, with: { method: GET, url: "https://x.org/${{ item }}" } }
  - { id: tell, emit: order.seen, with: { n: 1 } }
  - { id: seen, wait_for: { event: order.seen, match: { n: 1 }, timeout: 1h } }
  - { id: inner, call: inner, with: { n: 3 } }
  - { id: ask, approval: { message: ok?, choices: [yes, no], fields: { amount: { type: number } }, timeout: 1h } }
  - { id: go, wait_for: { signal: go, timeout: 1h } }
  - { id: last, wait_for: { event: order.paid, match: { n: 7 }, timeout: 2d } }
  - { id: bad, uses: http.request, with: { method: POST, url: "https://x.org/4" } }
finally: [ { id: bye, uses: http.request, with: { method: POST, url: "https://x.org/5" } } ]
output: { n: "${{ steps.ask.output.amount }}", inner: "${{ steps.inner.output.n }}", id: "${{ run.id }}", at: "${{ run.started_at }}" }
`

const inner = `name: inner
on: { call: { inputs: { n: number } } }
steps:
  - { id: deep, uses: http.request, with: { method: POST, url: "https://x.org/${{ event.n }}" } }
output: { n: "${{ steps.deep.output.status }}" }
`

const everythingTests = `
event: { type: order.placed, body: { n: 7 } }
steps:
  http.request: { output: { status: 200, headers: {} }, takes: 2s }
  told: [ { error: { status: 429, retry_after: 5m } }, { error: { status: 404, retryable: true, message: "not\nyet: #1" } }, { output: { status: 200, headers: {}, text: "1e3" } } ]
  lost: [ { outcome: unknown, takes: 3s }, { output: { status: 201, headers: {} } } ]
  "many[1]": { error: { final: true, code: E7, message: no } }
  deep: { output: { status: 299, headers: {} } }
  bad: BAD
tests:
  - name: one
    then:
      - { after: 1h, approve: { step: ask, choice: "yes", comment: "so: be it", fields: { amount: 12.5 } } }
      - { after: 90m, signal: { name: go, data: { x: null } } }
      - LATER
    expect: { status: STATUS }
`

// A run with all that can be recorded, that completes, fails, is canceled, or is lost
// in the middle, goes again as it went.
func TestEverythingIsRecorded(t *testing.T) {
	ok, paid := "{ output: { status: 200, headers: {} } }", "{ after: 1d, event: { type: order.paid, body: { n: 7 } } }"
	for name, c := range map[string]struct {
		bad, later, status string
		has                []string
		long               bool
	}{
		"completed": {ok, paid, "completed", []string{
			"retry_after: 5m", `status: 404, retryable: true`, `message: "not\nyet: #1"`, "\"many[1]\": { error: { message: \"no\", code: E7, final: true } }\n", "outcome: unknown, takes: 3s",
			`- { after: 24h, event: { type: order.paid, file: fixtures/everything_order_paid.json } }`, "deep: { output: { headers: {}, status: 299 } }",
			`approve: { step: ask, choice: "yes", comment: "so: be it", fields: { amount: 12.5 } }`, "signal: { name: go, data: { x: null } }",
			"output: { at: \"2026-03-02T10:00:00Z\", inner: 299, \"n\": 12.5 }", "both.b.b: { status: completed, attempts: 1 }", `- { "slow[1]": `}, false},
		"failed":   {"{ error: { status: 400, message: no good } }", paid, "failed", []string{"error: \"no good\"", "lost.undo:", "status: failed", "finally.bye:"}, false},
		"canceled": {ok, "{ after: 2h, cancel: true }", "canceled", []string{"{ after: 2h, cancel: true }", "lost.undo:"}, true},
		"at once":  {ok, "{ after: 2h, cancel: { now: true } }", "canceled", []string{"cancel: { now: true }"}, false},
		"timeout":  {ok, "{ after: 3h, crash: true }", "failed", []string{"last: { outcome: timeout }"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.long && !*examples {
				t.Skip("with -examples only")
			}
			tests := strings.NewReplacer("BAD", c.bad, "LATER", c.later, "STATUS", c.status).Replace(everythingTests)
			r := played(t, suiteOf(t, tests, everything, inner), 0)
			if string(r.State) != c.status {
				t.Fatalf("the run is %s: %v", r.State, r.End)
			}
			text, wrong := again(t, r)
			if len(wrong) > 0 {
				t.Errorf("%s\nin\n%s", strings.Join(wrong, "\n"), text)
			}
			for _, part := range c.has {
				if !strings.Contains(text, part) {
					t.Errorf("%s is not in\n%s", part, text)
				}
			}
			if strings.Contains(text, "order_seen") {
				t.Errorf("an event that the run emitted itself would come twice:\n%s", text)
			}
		})
	}
}

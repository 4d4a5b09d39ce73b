package definition_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/definition"
	v1 "zflow/proto/zflow/v1"
)

// What a file may name, the core has a value for: each of these runs on the core
// itself, which needs no world for steps that call nothing.
var runs = map[string]struct{ steps, output, failed string }{
	"blocks": {
		steps: `
steps:
  - id: g
    steps: [ { id: a, set: 1 }, { id: in_g, steps: [ { id: deep, set: "${{ steps.a.output + 1 }}" } ] } ]
  - id: p
    parallel: { left: [ { id: l, set: "${{ steps.deep.output }}" } ], right: [ { id: r, set: x } ] }
  - id: s
    switch:
      - { if: steps.l.output == 3, steps: [ { id: same, set: first } ] }
      - else: [ { id: same, set: second }, { id: only, set: 9 } ]
output: ${{ [steps.g.output, steps.p.output, steps.s.output, steps.same.output, steps.same.status] }}`,
		output: `[{"a":1,"in_g":{"deep":2}},{"left":{"l":2},"right":{"r":"x"}},{"only":9,"same":"second"},"second","completed"]`,
	},
	"loops": {
		steps: `
steps:
  - id: each
    for_each: [1, 2, 3, 4]
    steps:
      - { id: twice, set: "${{ item * 2 }}" }
      - { id: inner, for_each: [a, b], as: name, set: "${{ name + string(item) + string(index) }}" }
      - { parallel: { one: [ { id: one, set: "${{ index }}" } ], two: [ { id: two, set: 5 } ] } }
    until: steps.twice.output == 4 and steps.each.output.twice == 4 and steps.one.output == 1 and steps.two.output == 5 and index == 1 and item == 2
  - { id: skipped, if: false, set: 1 }
output: ${{ [steps.each.output, steps.skipped.output, steps.skipped.status] }}`,
		output: `[[{"inner":["a10","b11"],"twice":2},{"inner":["a20","b21"],"twice":4}],null,"skipped"]`,
	},
	"a switch in a loop ends it": {
		steps: `
steps:
  - id: each
    for_each: [1, 2, 3]
    switch:
      - { if: item == 2, steps: [ { id: x, set: two } ] }
      - else: [ { id: x, set: other } ]
    until: steps.x.output == 'two' and steps.each.output.x == 'two'
output: ${{ steps.each.output }}`,
		output: `[{"x":"other"},{"x":"two"}]`,
	},
	"an end from within": {
		steps: `
steps:
  - { id: a, set: 1 }
  - for_each: [1, 2]
    parallel: { x: [ { if: item == 2, stop: { status: failed, message: "at ${{ item }}, a is ${{ steps.a.output }}" } } ] }
on_failure:
  - { id: seen, set: "${{ failure.error.message + ', ' + string(steps.a.output) }}" }
finally:
  - { if: "failure.error.message != 'at 2, a is 1'", set: "${{ event.nothing.there }}" }`,
		failed: "at 2, a is 1",
	},
	"finally where nothing failed": {
		steps: `
steps: [ { id: a, set: { x: 1 } } ]
finally: [ { set: "${{ failure == null ? steps.a.output.x : failure.step }}" } ]
output: ${{ steps.a.output.x }}`,
		output: `1`,
	},
}

func TestRuns(t *testing.T) {
	for name, c := range runs {
		t.Run(name, func(t *testing.T) {
			w, problems := definition.Parse("w.yaml", []byte("name: w\non: { zoom: meeting.ended }"+c.steps), definition.Known{})
			if w == nil || len(problems) > 0 {
				t.Fatal(problems)
			}
			r := play(t, w)
			if got := string(r.End.GetRunCompleted().GetOutput().GetJson()); got != c.output {
				t.Errorf("the output is\n%s, not\n%s", got, c.output)
			}
			if got := r.End.GetRunFailed().GetError().GetMessage(); !strings.Contains(got, c.failed) || (got == "") != (c.failed == "") {
				t.Errorf("it failed with %q, not with %q", got, c.failed)
			}
		})
	}
}

// play runs a workflow that calls nothing to its end.
func play(t *testing.T, w *engine.Workflow) *engine.Run {
	t.Helper()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	r := engine.NewRun("run")
	start := &v1.RunStarted{Event: &v1.Event{Id: "e", Type: "meeting.ended", Source: "zoom", Body: &v1.Value{Json: []byte(`{"n":1}`)}}}
	if _, err := r.Begin(now, start, nil, nil); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if r.State.Ended() {
			return r
		}
		if _, err := r.Decide(w, engine.Turn{Now: now}); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("it is %s", r.State)
	return nil
}

// A sleep until a schedule knows when that is due.
func TestSchedule(t *testing.T) {
	src := "name: w\non: { zoom: meeting.ended }\nsteps: [ { sleep: { until: { schedule: 0 9 * * mon-fri, timezone: Europe/Berlin } } } ]\n"
	w, problems := definition.Parse("w.yaml", []byte(src), definition.Known{})
	if w == nil {
		t.Fatal(problems)
	}
	friday := time.Date(2026, 3, 27, 9, 0, 0, 0, time.UTC)
	if got, want := w.Steps[0].Do.(*engine.Sleep).Next(friday), time.Date(2026, 3, 30, 7, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("it is due at %v, not at %v", got, want)
	}
}

// Each path of a compiled tree is its parent's, its branch and its token.
func TestPaths(t *testing.T) {
	w, problems := definition.Parse("w.yaml", []byte("name: w\non: { zoom: meeting.ended }"+runs["loops"].steps+"\non_failure: [ { steps: [ { sleep: 1s } ] } ]\nfinally: [ { switch: [ { else: [ { id: z, sleep: 1s } ] } ] } ]\n"), definition.Known{})
	if w == nil {
		t.Fatal(problems)
	}
	seen := map[string]bool{}
	var walk func(prefix string, steps []*engine.Step)
	walk = func(prefix string, steps []*engine.Step) {
		for _, s := range steps {
			if s.Path != prefix+s.Token || seen[s.Path] {
				t.Errorf("the step %s below %s has the path %s", s.Token, prefix, s.Path)
			}
			seen[s.Path] = true
			b, ok := s.Do.(*engine.Block)
			if !ok {
				continue
			}
			for _, branch := range b.Branches {
				walk(strings.Join(slices.DeleteFunc([]string{s.Path, branch.Name}, func(n string) bool { return n == "" }), ".")+".", branch.Steps)
			}
		}
	}
	walk("", w.Steps)
	walk("on_failure.", w.OnFailure)
	walk("finally.", w.Finally)
}

// TestTheAddressOfARun is that of its page.
func TestTheAddressOfARun(t *testing.T) {
	src := "name: w\non: { zoom: meeting.ended }\nsteps: [ { id: a, set: \"${{ run.url }}\" } ]\noutput: \"${{ steps.a.output }}\"\n"
	w, problems := definition.Parse("w.yaml", []byte(src), definition.Known{Runs: "https://z.example/runs/"})
	if w == nil || w.Runs != "https://z.example/runs/" {
		t.Fatal(w, problems)
	}
}

package engine_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

const machine = "../docs/state_machine.md"

// change is one arrow of docs/state_machine.md.
type change struct{ from, to, by string }

func (c change) String() string { return fmt.Sprintf("%s --> %s: %s", c.from, c.to, c.by) }

// arrow is a line of a diagram; its label may name several facts.
var arrow = regexp.MustCompile(`^\s*(\S+) --> (\S+): (.+)$`)

// documented reads the diagram below a heading.
func documented(t interface{ Fatal(...any) }, heading string) map[change]bool {
	text, err := os.ReadFile(machine)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	diagram, _, closed := strings.Cut(rest, "\n```\n")
	if !ok || !closed {
		t.Fatal(machine + " has no diagram below " + heading)
	}
	all := map[change]bool{}
	for _, line := range strings.Split(diagram, "\n") {
		m := arrow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, by := range strings.Split(m[3], ", ") {
			all[change{m[1], m[2], by}] = true
		}
	}
	return all
}

// observer folds histories, and notes what changes.
type observer struct{ runs, steps map[change]bool }

func newObserver() *observer { return &observer{map[change]bool{}, map[change]bool{}} }

func (o *observer) history(run *engine.Run, appends []*v1.Facts) error {
	for _, a := range appends {
		for _, f := range a.Facts {
			was, state := statuses(run), stateOf(run)
			if err := run.Apply(f); err != nil {
				return err
			}
			if !run.State.Ended() && (state == "waiting" || state == "[*]") && f.Claim == nil {
				run.State = engine.Waiting // a fact that claims nothing leaves it parked
			}
			o.runs[change{state, stateOf(run), engine.Kind(f)}] = f.Step == "" || state != stateOf(run)
			o.fact(run, f, was)
		}
		if state := stateOf(run); !run.State.Ended() {
			run.State = engine.State(a.State)
			if state != stateOf(run) {
				o.runs[change{state, stateOf(run), "parked"}] = true
			}
		}
	}
	return nil
}

// fact notes what a fact did to the steps: to its own, and to others.
func (o *observer) fact(run *engine.Run, f *v1.Fact, was map[string]string) {
	for path, now := range statuses(run) {
		before, by := was[path], engine.Kind(f)
		if before == "" {
			before = "[*]"
		}
		if now == "" {
			now = "[*]"
		}
		switch {
		case path != f.Step && before == now:
			continue
		case before == now && strings.HasPrefix(by, "timer_"):
			continue
		case now == "canceled":
			by = "dropped"
		}
		o.steps[change{before, now, by}] = true
	}
}

func statuses(run *engine.Run) map[string]string {
	all := map[string]string{}
	for path, s := range run.Steps {
		all[path] = string(s.Status)
	}
	return all
}

func stateOf(run *engine.Run) string {
	if run.Start == nil {
		return "[*]"
	}
	return string(run.State)
}

// TestStateMachine: what the stories show is what docs/state_machine.md does, no
// more and no less.
func TestStateMachine(t *testing.T) {
	seen := newObserver()
	for _, file := range storyFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := newStory(t)
		s.play(string(text))
		if err := seen.history(engine.NewRun("run"), s.appends); err != nil {
			t.Fatal(err)
		}
	}
	for heading, got := range map[string]map[change]bool{"A run": seen.runs, "A step": seen.steps} {
		want := documented(t, heading)
		for c, there := range got {
			if there && !want[c] {
				t.Errorf("%s: the diagram lacks %v", heading, c)
			}
		}
		for _, c := range slices.SortedFunc(maps.Keys(want), func(a, b change) int { return strings.Compare(a.String(), b.String()) }) {
			if !got[c] {
				t.Errorf("%s: no story shows %v", heading, c)
			}
		}
	}
}

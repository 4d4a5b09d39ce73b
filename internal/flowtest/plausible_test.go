package flowtest

import (
	"strings"
	"testing"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition"
	"zflow/engine/steppath"
	"zflow/internal/flowtest/house"
	"zflow/internal/flowtest/testfile"
)

// What the examples' tests let actions bring is what they can bring, as far as it is
// there: a test leaves out what its workflow does not read.
func TestExamplesLetActionsBringWhatTheyCan(t *testing.T) {
	files, err := Files("../../examples/workflows")
	if err != nil {
		t.Fatal(err)
	}
	known := known(t)
	for _, file := range files {
		s, problems, err := Load(file, known)
		if err != nil || s == nil {
			t.Fatal(err, problems)
		}
		of := actionsOf(s, known)
		for _, test := range s.Tests {
			for name, outcomes := range test.Steps {
				action := of[name]
				if action == nil {
					action = of[steppath.Static(name)]
				}
				bringsWhatItCan(t, file, action, outcomes)
			}
		}
	}
}

// actionsOf are those that a test can name, by path, id and name.
func actionsOf(s *Suite, known definition.Known) map[string]*actions.Action {
	of := map[string]*actions.Action{}
	for _, p := range parts(s.Flow) {
		if u, ok := p.step.Do.(*engine.Uses); ok {
			a := known.Actions.Get(u.Action)
			of[p.path], of[house.ID(p.path)], of[u.Action] = a, a, a
		}
	}
	return of
}

// bringsWhatItCan compares outcomes with an action's schema; nil: it is of the workflow's
// own, an undo, or of a called workflow.
func bringsWhatItCan(t *testing.T, file string, a *actions.Action, outcomes []testfile.Outcome) {
	t.Helper()
	for _, o := range outcomes {
		if a == nil || o.Output == nil {
			continue
		}
		for _, wrong := range a.Spec.Output.Check(o.Output) {
			if !strings.HasSuffix(wrong, " is missing") {
				t.Errorf("%s:%d: %s brings nothing of that kind: %s", file, o.Line, a.Spec.Name, wrong)
			}
		}
	}
}

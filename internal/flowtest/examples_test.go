package flowtest

import (
	"os"
	"slices"
	"strings"
	"testing"

	"zflow/internal/app"
)

// withCode is a runner that runs the code of steps too; runs is false where this machine
// has no Node.js for it.
func withCode(t *testing.T) (r *Runner, runs bool) {
	t.Helper()
	r = &Runner{Known: known(t), Code: app.NewTestCode()}
	t.Cleanup(func() {
		if err := r.Code.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, r.Code.Ready() == nil
}

// runsCode tells whether a file of tests needs Node.js.
func runsCode(file string) bool {
	text, err := os.ReadFile(file)
	return err == nil && strings.Contains(string(text), "\ncode: run")
}

// TestExamples runs the tests that stand beside the example workflows: all pass,
// and together they reach all there is.
func TestExamples(t *testing.T) {
	files, err := Files("../../examples/workflows")
	if err != nil {
		t.Fatal(err)
	}
	r, runs := withCode(t)
	if !runs {
		t.Log("there is no Node.js here: examples with code steps are not tested")
		files = slices.DeleteFunc(files, runsCode)
	}
	report, err := r.Test(t.Context(), files, Options{Each: func(r Result) {
		if !r.Passed {
			t.Error(r.Text())
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Problems {
		t.Error(p)
	}
	for _, c := range report.Coverage {
		if len(c.Never) > 0 {
			t.Error(c.Text())
		}
	}
}

package flowtest

import (
	"testing"
)

// TestExamples runs the tests that stand beside the example workflows: all pass,
// and together they reach all there is.
func TestExamples(t *testing.T) {
	files, err := Files("../../examples/workflows")
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Known: known(t)}
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

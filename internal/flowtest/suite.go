package flowtest

import (
	"context"
	"regexp"
	"time"

	"zflow/engine/definition/document"
	"zflow/internal/flowtest/testfile"
)

// Result is what came of one test.
type Result struct {
	File     string     `json:"file"`
	Workflow string     `json:"workflow"`
	Name     string     `json:"name"`
	Line     int        `json:"line"`
	Passed   bool       `json:"passed"`
	Status   string     `json:"status"`          // of the run
	Took     float64    `json:"took"`            // the run, in virtual seconds
	Elapsed  float64    `json:"elapsed"`         // the test, in real seconds
	Wrong    []Mismatch `json:"wrong"`           // what is not as expected
	Timeline []string   `json:"timeline"`        // of the run
	Failure  string     `json:"error,omitempty"` // why the test could not be run
	expect   *testfile.Expect
	seen     *Seen
}

// Report is what came of all tests.
type Report struct {
	Tests    []Result          `json:"tests"`
	Coverage []Coverage        `json:"coverage"`
	Problems document.Problems `json:"-"`
	Mistakes []Mistake         `json:"problems"`
	Passed   bool              `json:"passed"`
}

// Mistake is a problem with a file, for programs.
type Mistake struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	Warning bool   `json:"warning"`
}

// Options say which tests run, and who is told meanwhile.
type Options struct {
	Match *regexp.Regexp // nil: all
	Each  func(Result)   // after each test; may be nil
}

// Test runs the tests of files. Its error is only about what stands in the way of
// running any; a file that has mistakes is in the report.
func (r *Runner) Test(ctx context.Context, files []string, o Options) (*Report, error) {
	report := &Report{Tests: []Result{}, Coverage: []Coverage{}, Problems: document.Problems{}, Mistakes: []Mistake{}, Passed: true}
	cover := &covers{}
	for _, file := range files {
		s, problems, err := Load(file, r.Known)
		if err != nil {
			return nil, err
		}
		report.Problems = append(report.Problems, problems...)
		for _, p := range problems {
			report.Mistakes = append(report.Mistakes, Mistake(p))
		}
		if s == nil {
			report.Passed = false
			continue
		}
		for _, t := range s.Tests {
			if o.Match != nil && !o.Match.MatchString(t.Name) {
				continue
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			result := r.test(ctx, s, t)
			report.Passed = report.Passed && result.Passed
			cover.add(s, result.seen)
			report.Tests = append(report.Tests, result)
			if o.Each != nil {
				o.Each(result)
			}
		}
	}
	report.Coverage = append(report.Coverage, cover.all()...)
	if len(report.Tests) == 0 && report.Passed {
		return nil, ErrNone
	}
	return report, nil
}

func (r *Runner) test(ctx context.Context, s *Suite, t *testfile.Test) Result {
	begun := time.Now()
	seen, err := r.Play(ctx, s, t, nil)
	result := Result{File: s.Path, Workflow: s.Flow.Name, Name: t.Name, Line: t.Line, Wrong: []Mismatch{}, Timeline: []string{},
		Elapsed: time.Since(begun).Seconds(), expect: &t.Expect}
	if err != nil {
		result.Failure = err.Error()
		return result
	}
	result.seen, result.Status, result.Took, result.Timeline = seen, seen.Status(), seen.Took().Seconds(), seen.Timeline()
	result.Wrong = append(result.Wrong, Compare(&t.Expect, seen)...)
	result.Passed = len(result.Wrong) == 0
	return result
}

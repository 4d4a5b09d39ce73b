package flowtest

import (
	"context"
	"fmt"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/internal/flowtest/house"
)

// Order is a crash that is to be tried: one test of a file, at one point.
type Order struct {
	File  string `json:"file"`
	Test  int    `json:"test"` // its place in the file
	Tried Tried  `json:"crash"`
}

// Answer is what came of an order.
type Answer struct {
	Tried   Tried    `json:"crash"`
	Repeats []Repeat `json:"repeats"`
}

// Verifier crashes the tests of a file.
type Verifier struct {
	*Runner
	suite *Suite
	flows map[string]*engine.Workflow
	whole map[int]*whole // by the test's place
}

// whole is a test that was run without a crash.
type whole struct {
	seen    *Seen
	failure string
}

// Verifier returns one that crashes the tests of a suite.
func (r *Runner) Verifier(s *Suite) *Verifier {
	v := &Verifier{Runner: r, suite: s, flows: map[string]*engine.Workflow{}, whole: map[int]*whole{}}
	for _, w := range s.Workflows {
		if flow, _ := definition.Parse(w.Path, w.Text, r.Known); flow != nil {
			v.flows[flow.Name] = flow
		}
	}
	return v
}

// uncrashed runs a test without a crash, once.
func (v *Verifier) uncrashed(ctx context.Context, test int) (*whole, error) {
	if w := v.whole[test]; w != nil {
		return w, nil
	}
	seen, err := v.Play(ctx, v.suite, v.suite.Tests[test], &house.Crash{}) // at no point
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	w := &whole{seen: seen}
	if err != nil || len(seen.Problems) > 0 {
		w.failure = "without a crash: " + fmt.Sprint(err, seen.problems())
	}
	v.whole[test] = w
	return w, nil
}

// orders are all crashes of a test.
func (v *Verifier) orders(test int, w *whole) (all []Order) {
	if w.failure != "" {
		return nil
	}
	for i, p := range w.seen.Points {
		for _, mode := range modes {
			all = append(all, Order{File: v.suite.Path, Test: test, Tried: Tried{Point: i + 1, When: p.When, What: p.What, Of: p.Of, Mode: mode, Wrong: []string{}}})
		}
	}
	return all
}

// Try runs a test with one crash and compares it with the run without. Its error is
// of the context only.
func (v *Verifier) Try(ctx context.Context, o Order) (Answer, error) {
	a := Answer{Tried: o.Tried, Repeats: []Repeat{}}
	if o.Test < 0 || o.Test >= len(v.suite.Tests) {
		return a, fmt.Errorf("crashing test %d of %s: it has %d tests", o.Test, v.suite.Path, len(v.suite.Tests))
	}
	w, err := v.uncrashed(ctx, o.Test)
	if err != nil {
		return a, err
	}
	if w.failure != "" {
		a.Tried.Wrong = append(a.Tried.Wrong, w.failure)
		return a, nil
	}
	seen, err := v.play(ctx, v.suite, v.suite.Tests[o.Test], &house.Crash{Point: o.Tried.Point, Mode: o.Tried.Mode}, w.seen)
	if ctx.Err() != nil {
		return a, ctx.Err()
	}
	if err != nil {
		a.Tried.Wrong = append(a.Tried.Wrong, err.Error())
		return a, nil
	}
	v.judge(&a, seen, w.seen)
	return a, nil
}

// judge says what is wrong with a test that was crashed.
func (v *Verifier) judge(a *Answer, seen, whole *Seen) {
	l := &ledger{Verifier: v, seen: seen, whole: whole}
	l.check()
	if !l.lost {
		l.same()
	}
	a.Tried.Wrong = append(append(a.Tried.Wrong, seen.Problems...), l.wrong...)
	if a.Tried.Passed = len(a.Tried.Wrong) == 0; !a.Tried.Passed {
		a.Tried.Timeline = seen.Timeline()
		return
	}
	a.Repeats = append(a.Repeats, l.repeated...)
}

package flowtest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/internal/flowtest/house"
	"zflow/internal/flowtest/testfile"
)

// Verified is what came of crashing the tests of a workflow everywhere.
type Verified struct {
	Workflow string         `json:"workflow"`
	File     string         `json:"file"`
	Passed   bool           `json:"passed"`
	Tests    []VerifiedTest `json:"tests"`
	Repeats  []Repeat       `json:"repeats"`
}

// VerifiedTest is one test with its crashes.
type VerifiedTest struct {
	Name    string  `json:"name"`
	Passed  bool    `json:"passed"`
	Failure string  `json:"error,omitempty"` // it fails without any crash
	Points  []Tried `json:"points"`
}

// Tried is one crash.
type Tried struct {
	Point    int        `json:"point"`
	When     house.When `json:"when"`
	What     house.What `json:"what"`
	Of       string     `json:"of"` // the facts, or the step with its action
	Mode     house.Mode `json:"crash"`
	Passed   bool       `json:"passed"`
	Wrong    []string   `json:"wrong"`
	Timeline []string   `json:"timeline,omitempty"` // where something is wrong
}

// Repeat is a call that a crash can repeat, or lose, and by what right.
type Repeat struct {
	Workflow string `json:"workflow"`
	Step     string `json:"step"`
	Action   string `json:"action"`
	Policy   string `json:"policy"` // read, retry, probe, ask; fail: it is lost
	Crashes  int    `json:"crashes"`
}

// modes are what crashes at each point.
var modes = []house.Mode{house.Worker, house.Machine}

// Verify runs the tests of a file once for each point at which a process can die,
// and checks what was called against what the histories say. each is told of every
// test; it may be nil.
func (r *Runner) Verify(ctx context.Context, s *Suite, o Options, each func(VerifiedTest)) (*Verified, error) {
	v := &verifier{Runner: r, suite: s, repeats: map[Repeat]int{}, flows: map[string]*engine.Workflow{}}
	for _, w := range s.Workflows {
		if flow, _ := definition.Parse(w.Path, w.Text, r.Known); flow != nil {
			v.flows[flow.Name] = flow
		}
	}
	all := &Verified{Workflow: s.Flow.Name, File: s.Path, Passed: true, Tests: []VerifiedTest{}, Repeats: []Repeat{}}
	for _, t := range s.Tests {
		if o.Match != nil && !o.Match.MatchString(t.Name) {
			continue
		}
		one, err := v.test(ctx, t)
		if err != nil {
			return nil, err
		}
		all.Tests, all.Passed = append(all.Tests, one), all.Passed && one.Passed
		if each != nil {
			each(one)
		}
	}
	if len(all.Tests) == 0 {
		return nil, ErrNone
	}
	for repeat, n := range v.repeats {
		repeat.Crashes = n
		all.Repeats = append(all.Repeats, repeat)
	}
	slices.SortFunc(all.Repeats, func(a, b Repeat) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Policy, b.Policy))
	})
	return all, nil
}

type verifier struct {
	*Runner
	suite   *Suite
	flows   map[string]*engine.Workflow
	repeats map[Repeat]int
}

// test crashes one test at each of its points.
func (v *verifier) test(ctx context.Context, t *testfile.Test) (VerifiedTest, error) {
	one := VerifiedTest{Name: t.Name, Passed: true, Points: []Tried{}}
	whole, err := v.Play(ctx, v.suite, t, &house.Crash{}) // at no point
	if ctx.Err() != nil {
		return one, ctx.Err()
	}
	if err != nil || len(whole.Problems) > 0 {
		one.Passed, one.Failure = false, "without a crash: "+fmt.Sprint(err, whole.problems())
		return one, nil
	}
	for i, p := range whole.Points {
		for _, mode := range modes {
			tried := v.crash(ctx, t, whole, Tried{Point: i + 1, When: p.When, What: p.What, Of: p.Of, Mode: mode, Wrong: []string{}})
			if ctx.Err() != nil {
				return one, ctx.Err()
			}
			one.Points, one.Passed = append(one.Points, tried), one.Passed && tried.Passed
		}
	}
	return one, nil
}

func (s *Seen) problems() []string {
	if s == nil {
		return nil
	}
	return s.Problems
}

// crash runs a test with one crash and compares it with the run without.
func (v *verifier) crash(ctx context.Context, t *testfile.Test, whole *Seen, tried Tried) Tried {
	seen, err := v.Play(ctx, v.suite, t, &house.Crash{Point: tried.Point, Mode: tried.Mode})
	if err != nil {
		tried.Wrong = append(tried.Wrong, err.Error())
		return tried
	}
	tried.Wrong = append(tried.Wrong, seen.Problems...)
	l := &ledger{verifier: v, seen: seen, whole: whole}
	l.check()
	if !l.lost {
		l.same()
	}
	tried.Wrong = append(tried.Wrong, l.wrong...)
	if tried.Passed = len(tried.Wrong) == 0; !tried.Passed {
		tried.Timeline = seen.Timeline()
		return tried
	}
	for _, r := range l.repeated {
		v.repeats[r]++
	}
	return tried
}

// same checks that the run came to the same end as without a crash.
func (l *ledger) same() {
	if got, want := l.seen.Status(), l.whole.Status(); got != want {
		l.fault("the run is %s%s, and %s without the crash", got, l.seen.why(), want)
		return
	}
	if got, want := text(l.seen.Output()), text(l.whole.Output()); got != want {
		l.fault("the run's output is %s, and %s without the crash", got, want)
	}
	if got, want := l.seen.failure().GetMessage(), l.whole.failure().GetMessage(); got != want {
		l.fault("the run failed by %q, and by %q without the crash", got, want)
	}
	open := func(s *Seen) (n int) {
		for _, r := range s.Others {
			if !r.State.Ended() {
				n++
			}
		}
		return n
	}
	if got, want := open(l.seen), open(l.whole); got != want {
		l.fault("%d other runs have not ended, and %d without the crash", got, want)
	}
}

// byStep are the calls of each step of each run, without the probes.
func byStep(made []*house.Made) ([]string, map[string][]*house.Made) {
	all := map[string][]*house.Made{}
	for _, m := range made {
		if !m.Probe {
			all[m.Run+"."+m.Step] = append(all[m.Run+"."+m.Step], m)
		}
	}
	return slices.Sorted(maps.Keys(all)), all
}

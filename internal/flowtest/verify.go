package flowtest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"zflow/actions"
	"zflow/internal/flowtest/house"
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

// Verification says which tests are crashed, and who does it.
type Verification struct {
	Options
	// Hands try crashes at the same time, each one at a time; none: this process.
	Hands []func(context.Context, Order) (Answer, error)
	// Done is told how many crashes of all were tried; may be nil.
	Done func(n, all int)
	// Verified is told of each test, in their order; may be nil.
	Verified func(VerifiedTest)
}

// Verify runs the tests of a file once for each point at which a process can die,
// and checks what was called against what the histories say.
func (r *Runner) Verify(ctx context.Context, s *Suite, o Verification) (*Verified, error) {
	v := r.Verifier(s)
	if len(o.Hands) == 0 {
		o.Hands = append(o.Hands, v.Try)
	}
	tests, orders, err := v.plan(ctx, o)
	if err != nil {
		return nil, err
	}
	all := &Verified{Workflow: s.Flow.Name, File: s.Path, Passed: true, Tests: []VerifiedTest{}, Repeats: []Repeat{}}
	repeats := map[Repeat]int{}
	err = tryAll(ctx, o, orders, func(a []Answer) { // all that were tried so far, from the first on
		for len(tests) > len(all.Tests) {
			one := tests[len(all.Tests)]
			if len(a) < one.first+one.orders {
				return
			}
			all.add(one.verified(a[one.first:][:one.orders], repeats))
			if o.Verified != nil {
				o.Verified(all.Tests[len(all.Tests)-1])
			}
		}
	})
	if err != nil {
		return nil, err
	}
	all.sum(repeats)
	return all, nil
}

// planned is a test with the place of its orders among all.
type planned struct {
	VerifiedTest
	first, orders int
}

// plan runs each test without a crash, and so finds where there are any.
func (v *Verifier) plan(ctx context.Context, o Verification) (tests []planned, orders []Order, err error) {
	for i, t := range v.suite.Tests {
		if o.Match != nil && !o.Match.MatchString(t.Name) {
			continue
		}
		w, err := v.uncrashed(ctx, i)
		if err != nil {
			return nil, nil, err
		}
		of := v.orders(i, w)
		one := VerifiedTest{Name: t.Name, Passed: w.failure == "", Failure: w.failure, Points: []Tried{}}
		tests = append(tests, planned{one, len(orders), len(of)})
		orders = append(orders, of...)
	}
	if len(tests) == 0 {
		return nil, nil, ErrNone
	}
	return tests, orders, nil
}

// verified is a test of which all crashes were tried.
func (p planned) verified(answers []Answer, repeats map[Repeat]int) VerifiedTest {
	one := p.VerifiedTest
	for _, a := range answers {
		one.Points, one.Passed = append(one.Points, a.Tried), one.Passed && a.Tried.Passed
		for _, r := range a.Repeats {
			repeats[r]++
		}
	}
	return one
}

func (v *Verified) add(t VerifiedTest) {
	v.Tests, v.Passed = append(v.Tests, t), v.Passed && t.Passed
}

func (v *Verified) sum(repeats map[Repeat]int) {
	for repeat, n := range repeats {
		repeat.Crashes = n
		v.Repeats = append(v.Repeats, repeat)
	}
	slices.SortFunc(v.Repeats, func(a, b Repeat) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Policy, b.Policy))
	})
}

func (s *Seen) problems() []string {
	if s == nil {
		return nil
	}
	return s.Problems
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
	if got, want := l.seen.failure().GetMessage(), l.whole.failure().GetMessage(); got != want && !l.lastLost() {
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

// lastLost says whether the run failed at the same step as without the crash, by
// an attempt whose outcome the crash has hidden: its message is another then.
func (l *ledger) lastLost() bool {
	at := l.seen.Run.End.GetRunFailed().GetStep()
	if at == "" || at != l.whole.Run.End.GetRunFailed().GetStep() {
		return false
	}
	class := ""
	for _, f := range l.seen.Facts {
		if k := f.GetStepFailed(); k != nil && (f.Step == at || strings.HasPrefix(f.Step, at+".")) {
			class = k.Class
		}
	}
	return class == string(actions.ClassUnknown)
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

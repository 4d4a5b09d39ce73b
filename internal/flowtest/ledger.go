package flowtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/steppath"
	"zflow/internal/flowtest/house"
	v1 "zflow/proto/zflow/v1"
)

// ledger checks the calls of a crashed test against its histories.
type ledger struct {
	*Verifier
	seen, whole *Seen
	wrong       []string
	repeated    []Repeat
	lost        bool // a call whose step says on_unknown: fail: the run may end otherwise
}

func (l *ledger) fault(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

func (l *ledger) check() {
	_, before := byStep(l.whole.Calls)
	keys, made := byStep(l.seen.Calls)
	for _, key := range keys {
		calls := made[key]
		for i, m := range calls {
			l.recorded(m)
			if i > 0 {
				l.again(calls[i-1], m)
			}
		}
		if n := len(calls); n > len(before[key]) && n > 1 && calls[n-2].Effect == actions.Read {
			l.repeat(calls[n-2], string(actions.Read))
		}
	}
	for run, facts := range l.seen.facts {
		for _, f := range facts {
			if k := f.GetStepFailed(); k.GetClass() == string(actions.ClassUnknown) && !l.was(run, f) {
				l.unknown(run, f, engine.Policy(k.Next))
			}
		}
	}
}

// was says whether an attempt of the step was unknown without the crash too, for
// the same reason: one that a crash hides has a reason of its own.
func (l *ledger) was(run string, f *v1.Fact) bool {
	now := f.GetStepFailed()
	for _, g := range l.whole.facts[run] {
		k := g.GetStepFailed()
		if g.Step == f.Step && k.GetClass() == string(actions.ClassUnknown) && k.Next == now.Next && k.Error.GetMessage() == now.Error.GetMessage() {
			return true
		}
	}
	return false
}

// unknown notes a call that the crash has made one of unknown outcome.
func (l *ledger) unknown(run string, f *v1.Fact, next engine.Policy) {
	m := &house.Made{Run: run, Step: f.Step}
	for _, g := range l.seen.facts[run] {
		if s := g.GetStepStarted(); s != nil && g.Step == f.Step {
			m.Action = s.Uses
		}
	}
	for _, made := range l.seen.Calls {
		if made.Run == run && made.Step == f.Step {
			m.Effect = made.Effect
		}
	}
	switch {
	case m.Effect == actions.Read:
		l.repeat(m, string(actions.Read))
	case next == engine.PolicyFail && l.policy(m) != engine.PolicyFail:
		return // it had no attempt left
	default:
		l.lost = l.lost || next == engine.PolicyFail
		l.repeat(m, string(next))
	}
}

// repeat notes, once for a crash, what it can do to a step's call.
func (l *ledger) repeat(m *house.Made, policy string) {
	r := Repeat{Workflow: l.flow(m).Name, Step: steppath.Static(m.Step), Action: m.Action, Policy: policy}
	if !slices.Contains(l.repeated, r) {
		l.repeated = append(l.repeated, r)
	}
}

// recorded checks that an attempt is not called whose outcome is in the history.
func (l *ledger) recorded(m *house.Made) {
	for _, f := range l.seen.facts[m.Run] {
		k := f.GetStepCompleted()
		if k == nil || f.Step != m.Step || !time.Unix(0, f.At).Before(m.At) {
			continue
		}
		l.fault("step %s is called at %s though its outcome was recorded at %s", m.Step, stamp(m.At), stamp(time.Unix(0, f.At)))
	}
}

// again checks the right of a second call: a record of what came of the first, and
// a policy that allows it.
func (l *ledger) again(first, second *house.Made) {
	if first.Hash != second.Hash {
		l.fault("step %s is called again with another input: %s, first %s", second.Step, text(any(second.With)), text(any(first.With)))
	}
	if first.Effect == actions.Read { // its start need not be recorded
		return
	}
	if first.Attempt == second.Attempt {
		l.fault("attempt %d of step %s is called twice", first.Attempt, first.Step)
		return
	}
	failed := l.failures(first)
	if len(failed) == 0 {
		l.fault("step %s is called again, and nothing is recorded of its attempt %d", first.Step, first.Attempt)
		return
	}
	for _, k := range failed {
		if why := l.allows(first, k); why != "" {
			l.fault("step %s is called again after attempt %d: %s", first.Step, first.Attempt, why)
		}
	}
}

// failures are what is recorded of an attempt that did not succeed.
func (l *ledger) failures(m *house.Made) (all []*v1.StepFailed) {
	for _, f := range l.seen.facts[m.Run] {
		if k := f.GetStepFailed(); k != nil && f.Step == m.Step && k.Attempt == m.Attempt {
			all = append(all, k)
		}
	}
	return all
}

// allows says why a record does not allow another call; "" if it does.
func (l *ledger) allows(m *house.Made, k *v1.StepFailed) string {
	next, policy := engine.Policy(k.Next), l.policy(m)
	switch {
	case next == engine.PolicyFail:
		return "the step had failed"
	case k.Class != string(actions.ClassUnknown):
		return "" // it did not happen, or may happen again
	case next == engine.PolicyRetry && policy != engine.PolicyRetry:
		return "its outcome was unknown, and its on_unknown is " + string(policy)
	case next == engine.PolicyAsk && l.seen.asked[m.Run+"."+m.Step] != engine.ChoiceRetry && !l.approved(m):
		return "its outcome was unknown, and nobody has said that it is to be tried again"
	case next == engine.PolicyProbe && policy != engine.PolicyProbe:
		return "its outcome was unknown, and its on_unknown is " + string(policy)
	}
	return ""
}

// approved says whether the test itself lets somebody ask for another try.
func (l *ledger) approved(m *house.Made) bool {
	for _, f := range l.seen.facts[m.Run] {
		if k := f.GetApprovalGiven(); k != nil && f.Step == m.Step && k.Choice == engine.ChoiceRetry {
			return true
		}
	}
	return false
}

// policy is what a step's definition says of an unknown outcome, or its action.
func (l *ledger) policy(m *house.Made) engine.Policy {
	for _, p := range parts(l.flow(m)) {
		u, _ := p.step.Do.(*engine.Uses)
		if strings.HasSuffix(m.Step, steppath.Undo) {
			u = p.step.Undo
		}
		if p.path == steppath.Step(m.Step) && u != nil && u.OnUnknown != "" {
			return u.OnUnknown
		}
	}
	a := l.Known.Actions.Get(m.Action)
	switch {
	case m.Effect != actions.Write:
		return engine.PolicyRetry
	case a != nil && a.Probe != nil:
		return engine.PolicyProbe
	}
	return engine.PolicyAsk
}

// flow is the workflow of a call's run.
func (l *ledger) flow(m *house.Made) *engine.Workflow {
	for _, f := range l.seen.facts[m.Run] {
		if s := f.GetRunStarted(); s != nil && l.flows[s.Workflow] != nil {
			return l.flows[s.Workflow]
		}
	}
	return l.suite.Flow
}

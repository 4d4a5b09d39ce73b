package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// TestEnds: whatever happened to a run, once calls succeed, people answer and time
// goes by, it ends within a bounded number of turns: no wake-up is ever missing.
func TestEnds(t *testing.T) {
	often(t, func(t *rapid.T) {
		p := newPlay(t)
		p.begin()
		trouble := []func(){p.outcome, p.outcome, p.pass, p.wake, p.takeover, p.signal, p.arrive, p.hold, p.reload, p.renew}
		for range rapid.IntRange(0, 15).Draw(t, "trouble") {
			rapid.SampledFrom(trouble).Draw(t, "what")()
		}
		const turns = 1500
		p.light = true
		for range turns {
			if p.run.State.Ended() {
				p.check()
				return
			}
			p.forward()
		}
		p.Fatalf("it has not ended after %d turns\n%s", turns, p.facts())
	})
}

// forward does one thing that moves the run; there must be one.
func (p *play) forward() {
	switch {
	case len(p.open) > 0:
		p.succeed()
	case p.run.State == engine.Running:
		p.inMemory()
	case p.answer():
	default:
		p.sleep()
	}
}

// succeed ends a call well.
func (p *play) succeed() {
	call := p.open[len(p.open)-1]
	p.calls[call.AttemptID]++
	p.outcomes[call.AttemptID] = &engine.Outcome{Output: &v1.Value{Json: []byte(`{"n":2}`)}, Found: true, Took: time.Second}
	p.decide(false)
}

// inMemory lets a run go on that is not parked: at the time that it asks for.
func (p *play) inMemory() {
	d, err := p.run.Decide(p.flow, engine.Turn{Now: p.now, Outcomes: p.outcomes})
	p.must(err)
	p.keep(d.Facts)
	p.once(d)
	if p.open = d.Calls; len(p.open) > 0 || p.run.State != engine.Running {
		return
	}
	if d.Until.IsZero() {
		p.Fatalf("it is neither parked nor waits for anything\n%s", p.facts())
	}
	p.now = d.Until
	p.decide(false)
}

// answer lets come what the parked run waits for, if that is a person, a signal or
// a run that it called.
func (p *play) answer() bool {
	for path, s := range p.run.Steps {
		var f *v1.Fact
		switch {
		case s.Status == engine.StepAsking:
			f = &v1.Fact{Step: path, Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{Command: "a", Choice: engine.ChoiceDone}}}
		case s.Status == engine.StepWaiting && s.Call != nil:
			f = &v1.Fact{Step: path, Kind: &v1.Fact_CallEnded{CallEnded: &v1.CallEnded{State: string(engine.Completed)}}}
		case s.Status == engine.StepWaiting && s.Wait.Approval == nil:
			f = &v1.Fact{Kind: &v1.Fact_SignalReceived{SignalReceived: &v1.SignalReceived{Command: "s", Name: "go"}}}
		default:
			continue
		}
		p.outside(f)
		return true
	}
	return false
}

// sleep lets time go by until the first timer is due, and brings its wake.
func (p *play) sleep() {
	var first time.Time
	for _, t := range p.run.Timers {
		if first.IsZero() || t.Due.Before(first) {
			first = t.Due
		}
	}
	if end := p.run.Start.Deadline; end != 0 && p.run.Ending == nil && (first.IsZero() || end < first.UnixNano()) {
		first = time.Unix(0, end).UTC()
	}
	if first.IsZero() {
		p.Fatalf("it is parked, and nothing will wake it\n%s", p.facts())
	}
	if first.After(p.now) {
		p.now = first
	}
	f := p.run.Due(p.now)
	if f == nil {
		p.Fatalf("nothing is due at %v, when its first timer is\n%s", p.now, p.facts())
	}
	p.outside(f)
}

// TestAnyOrder: in whatever order the outcomes of calls in flight come, the run
// ends the same: the statuses and outputs of its steps, and its end.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := newPlay(t)
		first.flow = &engine.Workflow{Name: "flow", Steps: first.calling("", "s", 1), Output: first.template("${{ steps }}")}
		second := *first
		second.run, second.outcomes, second.calls, second.begun = engine.NewRun("run"), map[engine.AttemptID]*engine.Outcome{}, map[engine.AttemptID]int{}, map[engine.AttemptID]bool{}
		failing := rapid.IntRange(2, 5).Draw(t, "failing")
		a, b := first.playOut(failing), second.playOut(failing)
		if a != b {
			t.Fatalf("in one order it came to\n%s\nin the other to\n%s\n%s\n%s", a, b, first.facts(), second.facts())
		}
	})
}

// calling draws steps of which many call at the same time. One that fails lets the
// others go on: else what begins at all depends on the order.
func (p *play) calling(prefix, name string, deep int) []*engine.Step {
	var all []*engine.Step
	for i := range rapid.IntRange(1, 2).Draw(p.T, "steps") {
		id := fmt.Sprint(name, i)
		uses := &engine.Uses{Retry: engine.Retry{Attempts: 1}, With: p.template(map[string]any{"item": "${{ event.n }}"})}
		uses.Reads = func(map[string]any) bool { return false }
		uses.Repeatable = uses.Reads
		s := &engine.Step{ID: id, Token: id, Path: prefix + id, Do: uses, ContinueOnError: true}
		if deep > 0 {
			b := &engine.Block{Mode: engine.Parallel}
			for _, branch := range []string{"left", "right"} {
				b.Branches = append(b.Branches, &engine.Branch{Name: branch, Steps: p.calling(prefix+id+"."+branch+".", id+branch[:1], deep-1)})
			}
			s.Do = b
		}
		if rapid.IntRange(0, 2).Draw(p.T, "loop") == 0 {
			s.Loop = &engine.Loop{Over: p.template([]any{int64(1), int64(2), int64(3)}), As: "item", AtOnce: rapid.IntRange(1, 3).Draw(p.T, "at once")}
		}
		all = append(all, s)
	}
	return all
}

// playOut answers the calls in flight in any order, and returns what it came to.
func (p *play) playOut(failing int) string {
	p.begin()
	for !p.run.State.Ended() {
		call := rapid.SampledFrom(p.open).Draw(p.T, "which")
		o := &engine.Outcome{Output: &v1.Value{Json: fmt.Appendf(nil, "%q", call.Step)}}
		if len(call.Step)%failing == 0 {
			o = &engine.Outcome{Class: "final", Error: &v1.Error{Message: "no"}}
		}
		p.outcomes[call.AttemptID] = o
		p.decide(false)
	}
	p.check()
	var lines []string
	for path, s := range p.run.Steps {
		if s.Status != "" {
			lines = append(lines, fmt.Sprintln(path, s.Status, s.Attempt, string(s.Output.GetJson()), s.Error.GetMessage()))
		}
	}
	slices.Sort(lines)
	return fmt.Sprint(p.run.State, string(p.run.End.GetRunCompleted().GetOutput().GetJson()), lines)
}

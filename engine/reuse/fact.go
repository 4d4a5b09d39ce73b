package reuse

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/steppath"
	v1 "zflow/proto/zflow/v1"
)

// Begin starts a run that goes on from the cut: it applies run_started and the facts
// of what is reused, and returns them to be appended.
func (c *Cut) Begin(id string, now time.Time, start *v1.RunStarted) (*engine.Run, []*v1.Fact, error) {
	kept := c.facts()
	start.Replay.From, start.Replay.Facts = c.From, uint64(len(kept))
	run := engine.NewRun(id)
	facts, err := run.Begin(now, start, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	timers := map[uint64]uint64{}
	for _, old := range kept {
		f, err := run.Add(now, c.copied(old, timers))
		if err != nil {
			return nil, nil, fmt.Errorf("reusing fact %d of run %s: %w", old.Number, c.run.ID(), err)
		}
		facts = append(facts, f)
		timers[old.Number] = f.Number
	}
	return run, facts, c.same(run)
}

// copied is a fact for another run.
func (c *Cut) copied(old *v1.Fact, timers map[uint64]uint64) *v1.Fact {
	f := proto.CloneOf(old)
	f.Claim = nil
	attempt := c.run.Steps[f.Step].Attempt
	switch k := f.Kind.(type) {
	case *v1.Fact_TimerFired:
		k.TimerFired.Timer = timers[k.TimerFired.Timer]
	case *v1.Fact_StepCompleted: // of a retried run there are attempts of which nothing is kept
		k.StepCompleted.Attempt = attempt
	case *v1.Fact_StepFailed:
		k.StepFailed.Attempt = attempt
	case *v1.Fact_BranchChosen:
		k.BranchChosen.Deadline = 0 // of a block that goes on: it begins anew
	}
	return f
}

// facts are those that say where what is reused stands.
func (c *Cut) facts() []*v1.Fact {
	last := c.lasts()
	return slices.DeleteFunc(c.run.Kept(), func(f *v1.Fact) bool {
		switch {
		case f.Step == "" || steppath.CleansUp(f.Step) || status(c.run, f.Step) == "":
			return true
		case slices.Contains(c.around, f.Step):
			return f.GetBranchChosen() == nil
		}
		return !c.Reuses(f.Step) || !last[f.Step].says(c.run.Steps[f.Step], f)
	})
}

// last are the numbers of the facts that ended a step, of which a run that was
// retried may have several.
type last struct {
	end, failed uint64
	answered    bool // the end is what a person said
}

func (c *Cut) lasts() map[string]last {
	all := map[string]last{}
	for _, f := range c.run.Kept() {
		l := all[f.Step]
		switch f.Kind.(type) {
		case *v1.Fact_StepFailed:
			l.failed, l.end, l.answered = f.Number, f.Number, false
		case *v1.Fact_StepCompleted, *v1.Fact_StepSkipped, *v1.Fact_ValueSet, *v1.Fact_WaitEnded, *v1.Fact_CallEnded, *v1.Fact_ApprovalGiven:
			l.end, l.answered = f.Number, f.GetApprovalGiven() != nil
		}
		all[f.Step] = l
	}
	return all
}

// says tells whether a fact of a step says where it stands.
func (l last) says(s *engine.StepState, f *v1.Fact) bool {
	switch k := f.Kind.(type) {
	case *v1.Fact_BranchChosen:
		return s.Block
	case *v1.Fact_LoopStarted:
		return s.Loop != nil
	case *v1.Fact_WaitStarted:
		return s.Wait != nil && s.Wait.Fact == f.Number
	case *v1.Fact_CallStarted:
		return s.Call == k.CallStarted
	case *v1.Fact_TimerSet:
		return s.Timer == f.Number
	case *v1.Fact_TimerFired:
		return s.Timer == k.TimerFired.Timer && s.Status == engine.StepCompleted
	case *v1.Fact_StepFailed:
		return f.Number == l.failed && (l.failed == l.end && s.Status != engine.StepCompleted || l.answered && engine.Policy(k.StepFailed.Next) == engine.PolicyAsk)
	case *v1.Fact_StepStarted:
		return false
	}
	return f.Number == l.end && s.Timer == 0
}

// same checks that what is reused stands in a run as it does in the other.
func (c *Cut) same(run *engine.Run) error {
	for path, want := range c.run.Steps {
		if want.Status == "" || steppath.CleansUp(path) || !c.Reuses(path) {
			continue
		}
		got := run.Step(path)
		if got.Status != want.Status || got.Outcome != want.Outcome || got.Attempt != want.Attempt || !equal(got.Output, want.Output) {
			return fmt.Errorf("what step %s did cannot be taken over as it was: name that one, or one before it", path)
		}
	}
	return nil
}

func equal(a, b *v1.Value) bool {
	return bytes.Equal(a.GetJson(), b.GetJson()) && a.GetBlob() == b.GetBlob()
}

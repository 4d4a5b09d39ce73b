package engine

import (
	"errors"
	"fmt"
	"time"

	"zflow/engine/expr"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// begin begins what a step does.
func (d *decider) begin(f *frame, def *Step, path string) error {
	switch do := def.Do.(type) {
	case *Uses:
		return d.use(f, do, path)
	case *Set:
		v, err := d.evaluate(do.Value, f, path)
		if err != nil {
			return d.failedBefore(path, "evaluating set", err)
		}
		return d.add(path, &v1.Fact{Kind: &v1.Fact_ValueSet{ValueSet: &v1.ValueSet{Value: v}}})
	case *Sleep:
		return d.sleep(f, do, path)
	case *Wait:
		return d.wait(f, def, do, path)
	case *Ask:
		return d.ask(f, def, do, path)
	case *Call:
		return d.startCall(f, def, do, path)
	case *Stop:
		return d.stop(f, do, path)
	case *Block:
		return d.choose(f, def, do, path)
	}
	return fmt.Errorf("deciding run %s: step %s does nothing that is known", d.run.id, path)
}

// goOn moves a step that has begun and not ended.
func (d *decider) goOn(f *frame, def *Step, path string, s *StepState) error {
	if d.quiet > 0 {
		return nil
	}
	switch do := def.Do.(type) {
	case *Uses:
		return d.attempts(f, do, path, s)
	case *Sleep:
		if d.due(s.NextAt) {
			return d.add(path, timerFired(s.Timer))
		}
		d.waitUntil(s.NextAt)
	case *Wait, *Ask:
		return d.waits(def, path, s)
	case *Call:
		d.waiting = true
		_, _, err := d.overtime(f, def, path, s)
		return err
	}
	return nil
}

func (d *decider) sleep(f *frame, s *Sleep, path string) error {
	until, err := d.wakeTime(f, s, path)
	if err != nil {
		return d.failedBefore(path, "evaluating sleep", err)
	}
	return d.add(path, timerSet(until, reasonSleep))
}

func (d *decider) wakeTime(f *frame, s *Sleep, path string) (time.Time, error) {
	if s.Next != nil {
		return s.Next(d.turn.Now), nil
	}
	if s.Until != nil {
		v, err := d.eval(s.Until, f, path, nil)
		if err != nil {
			return time.Time{}, err
		}
		return expr.TimeOf(v)
	}
	v, err := d.eval(s.For, f, path, nil)
	if err != nil {
		return time.Time{}, err
	}
	long, err := expr.DurationOf(v)
	return d.turn.Now.Add(long), err
}

// stop ends the run, whatever stands around it.
func (d *decider) stop(f *frame, s *Stop, path string) error {
	if d.run.Ending != nil {
		return d.failedBefore(path, "stopping", errors.New("the run is ending already"))
	}
	message := ""
	if s.Message != nil {
		v, err := d.eval(s.Message, f, path, nil)
		if err != nil {
			return d.failedBefore(path, "evaluating message", err)
		}
		message = fmt.Sprint(v)
	}
	if err := d.add(path, &v1.Fact{Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{}}}); err != nil {
		return err
	}
	if s.Status == Completed {
		return d.complete()
	}
	e := &v1.RunEnding{State: string(s.Status), Reason: reasonStop, Step: path, Error: &v1.Error{Message: message}}
	if s.Status == Canceled {
		e = &v1.RunEnding{State: string(Canceled), Reason: message}
	}
	return d.end(e)
}

// choose begins a block; of a switch where nothing holds, nothing is done.
func (d *decider) choose(f *frame, def *Step, b *Block, path string) error {
	chosen := &v1.BranchChosen{Deadline: d.limitOf(f, def)}
	if b.Mode == Switch {
		branch, err := d.holds(f, b, path)
		if err != nil {
			return d.failedBefore(path, "evaluating if of "+branch.Name, err)
		}
		if branch == nil {
			return d.add(path, &v1.Fact{Kind: &v1.Fact_StepSkipped{StepSkipped: &v1.StepSkipped{Why: "no case holds"}}})
		}
		chosen.Branch = branch.Name
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_BranchChosen{BranchChosen: chosen}})
}

// holds returns the first branch whose `if` holds, or the one whose `if` fails.
func (d *decider) holds(f *frame, b *Block, path string) (*Branch, error) {
	for _, branch := range b.Branches {
		if branch.If == nil {
			return branch, nil
		}
		if yes, err := d.test(branch.If, f, path, nil); yes || err != nil {
			return branch, err
		}
	}
	return nil, nil
}

// block moves the branches that were chosen.
func (d *decider) block(f *frame, def *Step, path string, s *StepState) (result, error) {
	b, ok := def.Do.(*Block)
	if !ok {
		return result{}, fmt.Errorf("deciding run %s: step %s has nothing in it", d.run.id, path)
	}
	if late, went, err := d.overtime(f, def, path, s); late || err != nil {
		return went, err
	}
	if b.Mode == Parallel {
		if broken := d.glance(path, func() (result, error) { return d.branches(f, b, path, s) }); broken.standing == broke {
			return d.breaks(path, broken)
		}
	}
	went, err := d.branches(f, b, path, s)
	switch {
	case err != nil || d.quiet > 0 || d.stopped():
		return went, err
	case went.standing == broke:
		return d.breaks(path, went)
	case went.standing == over:
		return result{}, d.add(path, &v1.Fact{Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{}}})
	}
	return result{}, nil
}

// branches visits the branches of a block that are taken.
func (d *decider) branches(f *frame, b *Block, path string, s *StepState) (result, error) {
	all := result{standing: over}
	for _, branch := range b.Branches {
		if b.Mode == Switch && branch.Name != s.Branch {
			continue
		}
		went, err := d.list(f.branch(path, branch, s.Limit))
		if err != nil || went.standing == broke || d.stopped() {
			return went, err
		}
		if went.standing == pending {
			all.standing = pending
		}
	}
	return all, nil
}

// depth is how deep calls may go.
const depth = 20

// startCall begins another workflow's run.
func (d *decider) startCall(f *frame, def *Step, c *Call, path string) error {
	if d.run.Start.Parent.GetDepth() >= depth {
		return d.failedBefore(path, "calling "+c.Workflow, fmt.Errorf("the run was called %d levels deep already", depth))
	}
	inputs := &v1.Value{Json: []byte("{}")}
	if c.With != nil {
		var err error
		if inputs, err = d.evaluate(c.With, f, path); err != nil {
			return d.failedBefore(path, "evaluating with", err)
		}
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_CallStarted{CallStarted: &v1.CallStarted{
		Workflow: c.Workflow, Run: proto.RunID(c.Workflow, proto.CallID(d.run.id, d.run.Facts+1)),
		Inputs: inputs, Wait: c.Wait, Deadline: d.limitOf(f, def)}}})
}

package engine

import (
	"fmt"
	"strconv"
	"time"

	"zflow/engine/expr"
	"zflow/engine/steppath"
	v1 "zflow/proto/zflow/v1"
)

// standing is how far a part of the tree is.
type standing int

const (
	pending standing = iota
	over
	broke
)

// result is how far a part is, and why it is broken.
type result struct {
	standing
	step string
	why  *v1.Error
}

// list moves steps that go one after another.
func (d *decider) list(f *frame) (result, error) {
	for f.at = 0; f.at < len(f.list); f.at++ {
		def := f.list[f.at]
		went, err := d.visit(f, def, f.path(def))
		if err != nil || d.stopped() || went.standing == pending {
			return result{}, err
		}
		if went.standing == broke && !def.ContinueOnError {
			return went, nil
		}
	}
	return result{standing: over}, nil
}

// stopped says that the steps go no further, since the run ends; those of its
// cleanup do until it has.
func (d *decider) stopped() bool {
	return d.run.State.Ended() || d.run.Ending != nil && !d.cleaning
}

// visit moves one step, which may be a loop.
func (d *decider) visit(f *frame, def *Step, path string) (result, error) {
	if def.Loop == nil {
		return d.one(f, def, path)
	}
	s := d.run.Step(path)
	if s.Status == "" {
		if d.quiet > 0 {
			return result{}, nil
		}
		if err := d.reach(f, def, path); err != nil {
			return result{}, err
		}
	}
	if s = d.run.Step(path); s.Status != StepInside {
		return d.stands(path, s), nil
	}
	return d.loop(f, def, path, s)
}

// stands is the result of a step that has ended, or not.
func (d *decider) stands(path string, s *StepState) result {
	switch s.Status {
	case StepCompleted, StepSkipped:
		return result{standing: over}
	case StepFailed, StepCanceled:
		return result{broke, path, s.Error}
	}
	return result{}
}

// one moves a step, or one iteration of it, as far as it goes now.
func (d *decider) one(f *frame, def *Step, path string) (result, error) {
	for {
		s := d.run.Step(path)
		before := len(d.out.Facts)
		switch {
		case s.Status.Ended():
			return d.stands(path, s), nil
		case s.Status == "" && d.quiet > 0:
			return result{}, nil
		case s.Status == "":
			if err := d.reach(f, def, path); err != nil {
				return result{}, err
			}
		case s.Status == StepInside:
			went, err := d.block(f, def, path, s)
			if err != nil || went.standing == broke || !s.Status.Ended() {
				return went, err
			}
		default:
			if err := d.goOn(f, def, path, s); err != nil {
				return result{}, err
			}
		}
		if len(d.out.Facts) == before || d.stopped() {
			return result{}, nil // nothing more to do now
		}
	}
}

// reach comes to a step: its `if`, then its beginning. An iteration has no `if`.
func (d *decider) reach(f *frame, def *Step, path string) error {
	iteration := f.as != "" && len(f.list) == 0
	if def.If != nil && !iteration {
		yes, err := d.test(def.If, f, path, expr.Env{"secrets": d.turn.Secrets})
		if err != nil {
			return d.failedBefore(path, "evaluating if", err)
		}
		if !yes {
			return d.add(path, &v1.Fact{Kind: &v1.Fact_StepSkipped{StepSkipped: &v1.StepSkipped{Why: "if is false"}}})
		}
	}
	if def.Loop != nil && !iteration {
		return d.startLoop(f, def, path)
	}
	return d.begin(f, def, path)
}

// limitOf is when a step that begins now must be over; 0: never.
func (d *decider) limitOf(f *frame, def *Step) int64 {
	var own time.Time
	if def.Timeout > 0 {
		own = d.turn.Now.Add(def.Timeout)
	}
	if own = sooner(own, f.limit); own.IsZero() {
		return 0
	}
	return own.UnixNano()
}

// defaultFanOut is how many items a loop may have where the workflow says nothing.
const defaultFanOut = 10_000

// startLoop computes the list once, and records it.
func (d *decider) startLoop(f *frame, def *Step, path string) error {
	v, err := d.eval(def.Loop.Over, f, path, nil)
	if err != nil {
		return d.failedBefore(path, "evaluating for_each", err)
	}
	items, ok := v.([]any)
	if !ok {
		return d.failedBefore(path, "evaluating for_each", fmt.Errorf("it is %s, where a list is needed", expr.KindOf(v)))
	}
	most := d.flow.Limits.FanOut
	if most == 0 {
		most = defaultFanOut
	}
	if len(items) > most {
		return d.failedBefore(path, "evaluating for_each", fmt.Errorf("the list has %d items, more than the %d that limits.fan_out allows", len(items), most))
	}
	raw, err := expr.EncodeJSON(items)
	if err != nil {
		return err
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_LoopStarted{LoopStarted: &v1.LoopStarted{
		Items: &v1.Value{Json: raw}, Count: uint32(len(items)), Deadline: d.limitOf(f, def)}}})
}

// loop moves the iterations that are under way, and begins as many as may be.
func (d *decider) loop(f *frame, def *Step, path string, s *StepState) (result, error) {
	if late, went, err := d.overtime(f, def, path, s); late || err != nil {
		return went, err
	}
	if def.Loop.AtOnce > 1 {
		if broken := d.glance(path, func() (result, error) { return d.iterations(f, def, path, s) }); broken.standing == broke {
			return d.breaks(path, broken)
		}
	}
	went, err := d.iterations(f, def, path, s)
	switch {
	case err != nil || d.quiet > 0 || d.stopped():
		return went, err
	case went.standing == broke:
		return d.breaks(path, went)
	case went.standing == over:
		return went, d.add(path, &v1.Fact{Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{}}})
	}
	return went, nil
}

// iterations visits those that have begun and not ended, and begins others.
func (d *decider) iterations(f *frame, def *Step, path string, s *StepState) (result, error) {
	active := 0
	for i := s.Loop.floor; i < s.Loop.Count; i++ {
		item, err := d.run.item(s, i)
		if err != nil {
			return result{}, err
		}
		in, own := f.iteration(def, i, item, s.Limit), s.Loop.path(path, i)
		went, err := d.one(in, def, own)
		if err != nil || d.stopped() {
			return result{}, err
		}
		switch {
		case went.standing == pending:
			if active++; active >= def.Loop.AtOnce {
				return result{}, nil
			}
			continue
		case went.standing == broke && !def.ContinueOnError:
			return went, nil
		}
		if i == s.Loop.floor && d.quiet == 0 {
			s.Loop.floor++
		}
		stop, err := d.until(in, def, own, i == s.Loop.Count-1 || d.quiet > 0)
		if err != nil {
			return result{broke, path, &v1.Error{Message: "evaluating until: " + err.Error()}}, nil
		}
		if stop {
			return result{standing: over}, nil
		}
	}
	if active > 0 {
		return result{}, nil
	}
	return result{standing: over}, nil
}

// until says whether the loop is over after an iteration.
func (d *decider) until(in *frame, def *Step, own string, last bool) (bool, error) {
	if def.Loop.Until == nil || last {
		return false, nil
	}
	next, i := own[:len(own)-len("["+strconv.Itoa(in.index)+"]")], in.index+1
	if d.run.reached(next + "[" + strconv.Itoa(i) + "]") {
		return false, nil // it went on before
	}
	// steps.<id> of the loop is the iteration that has just ended
	within := &frame{up: in, at: 1, list: []*Step{{ID: def.ID, Token: own, Do: def.Do}}}
	return d.test(def.Loop.Until, within, own, nil)
}

// glance looks whether something below a path is broken, without beginning anything.
func (d *decider) glance(path string, look func() (result, error)) result {
	if !d.run.brokenBelow(path) {
		return result{}
	}
	d.quiet++
	defer func() { d.quiet-- }()
	went, err := look()
	if err != nil {
		return result{}
	}
	return went
}

// breaks fails a step by what is broken in it, once no attempt below it is open.
func (d *decider) breaks(path string, why result) (result, error) {
	if d.quiet > 0 {
		return why, nil
	}
	if d.drains(path) {
		return result{}, nil
	}
	d.dropped = true
	return why, d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: &v1.StepFailed{
		Class: classFinal, Next: string(PolicyFail), Error: why.why}}})
}

// drains keeps the attempts that are open below a path; false: there are none.
func (d *decider) drains(path string) bool {
	open := false
	for _, p := range d.run.open {
		if steppath.Within(p, path) {
			open = true
			d.callOpen(p)
		}
	}
	return open
}

// overtime fails a step whose time is up. Where that around it is up as soon, it
// is that which fails.
func (d *decider) overtime(f *frame, def *Step, path string, s *StepState) (late bool, went result, err error) {
	if d.quiet > 0 {
		return false, result{}, nil
	}
	if s.Limit.IsZero() && def.Timeout > 0 {
		if err := d.limitAgain(f, def, path, s); err != nil {
			return false, result{}, err
		}
	}
	switch {
	case s.Limit.IsZero() || !f.limit.IsZero() && !s.Limit.Before(f.limit):
		return false, result{}, nil
	case !d.due(s.Limit):
		return false, result{}, d.timer(path, s.Limit, reasonLimit)
	}
	why := &v1.Error{Message: "it took longer than its timeout"}
	if def.Timeout > 0 {
		why.Message += " of " + def.Timeout.String()
	}
	went, err = d.breaks(path, result{broke, path, why})
	return true, went, err
}

// limitAgain gives a block or a loop its time anew when the run was retried.
func (d *decider) limitAgain(f *frame, def *Step, path string, s *StepState) error {
	if s.Loop != nil {
		return d.add(path, &v1.Fact{Kind: &v1.Fact_LoopStarted{LoopStarted: &v1.LoopStarted{
			Count: uint32(s.Loop.Count), Deadline: d.limitOf(f, def)}}})
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_BranchChosen{BranchChosen: &v1.BranchChosen{Branch: s.Branch, Deadline: d.limitOf(f, def)}}})
}

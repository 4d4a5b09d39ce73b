package engine

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"time"

	"zflow/engine/expr"
	"zflow/engine/steppath"
	"zflow/engine/value"
	v1 "zflow/proto/zflow/v1"
)

// Classes of a failed attempt, as step_failed has them.
const (
	classFinal     = "final"
	classRetryable = "retryable"
	classUnknown   = "unknown"
	classAbsent    = "absent"
)

// Outcome is what a call brought.
type Outcome struct {
	Output  *v1.Value // where Error is nil
	Error   *v1.Error
	Class   string    // of the error: final, retryable, unknown
	RetryAt time.Time // of the error: not before; zero: the policy decides
	Found   bool      // of a probe without error: the unknown attempt had happened
	Took    time.Duration
	Log     []string
}

// ended records what the open attempt's call brought.
func (d *decider) ended(path string, s *StepState, o *Outcome) error {
	if o.Error == nil {
		return d.add(path, &v1.Fact{Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{
			Attempt: s.Attempt, Output: o.Output, Took: int64(o.Took), Log: o.Log}}})
	}
	f := &v1.StepFailed{Attempt: s.Attempt, Class: o.Class, Error: o.Error, Took: int64(o.Took), Log: o.Log, Next: string(PolicyFail)}
	in, def, err := d.uses(path)
	if err != nil {
		return err
	}
	if o.Class == classUnknown {
		d.unknownNext(def, path, s, f)
		return d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: f}})
	}
	retry, err := d.mayRetry(in, def, path, s, o)
	if err != nil {
		f.Error = &v1.Error{Message: "evaluating retry.if: " + err.Error(), Code: o.Error.Code, Status: o.Error.Status}
	} else if retry {
		f.Next, f.NextAt = string(PolicyRetry), d.retryAt(def, path, s, o.RetryAt)
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: f}})
}

// uses returns the frame and the action of a step that has attempts.
func (d *decider) uses(path string) (*frame, *Uses, error) {
	f, def := d.find(strings.TrimSuffix(path, steppath.Undo))
	if def != nil {
		uses, _ := def.Do.(*Uses)
		if strings.HasSuffix(path, steppath.Undo) {
			uses = def.Undo
		}
		if uses != nil {
			return f, uses, nil
		}
	}
	return nil, nil, fmt.Errorf("deciding run %s: its workflow has no step %s", d.run.id, path)
}

// find returns a step of the workflow, or of what follows its steps.
func (d *decider) find(path string) (*frame, *Step) {
	switch {
	case strings.HasPrefix(path, steppath.OnFailure):
		return d.run.place(&frame{up: d.root(), prefix: steppath.OnFailure, list: d.flow.OnFailure}, path)
	case strings.HasPrefix(path, steppath.Finally):
		return d.run.place(&frame{up: d.root(), prefix: steppath.Finally, list: d.flow.Finally}, path)
	}
	return d.run.place(&frame{list: d.flow.Steps}, path)
}

// left is how many attempts a step has still.
func left(u *Uses, s *StepState) int { return u.Retry.Attempts - int(s.Attempt-s.before) }

// mayRetry says whether the policy gives a failed attempt another one. With an
// `if`, that alone decides which errors are retried.
func (d *decider) mayRetry(f *frame, def *Uses, path string, s *StepState, o *Outcome) (bool, error) {
	if left(def, s) <= 0 {
		return false, nil
	}
	if def.Retry.If == nil {
		return o.Class == classRetryable, nil
	}
	return d.test(def.Retry.If, f, path, expr.Env{"error": value.Error(o.Error, o.Class)})
}

// retryAt returns when the next attempt is due: the policy's delay with a jitter
// of a tenth that is the run's own, and never before the server allows it.
func (d *decider) retryAt(def *Uses, path string, s *StepState, notBefore time.Time) int64 {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%s/%d", d.run.id, path, s.Attempt)
	at := d.turn.Now.Add(def.Retry.After(int(s.Attempt-s.before), float64(h.Sum32())/math.MaxUint32))
	if notBefore.After(at) {
		at = notBefore
	}
	return at.UnixNano()
}

// unknown records that the owner of an open attempt was lost.
func (d *decider) unknown(path string, s *StepState) error {
	_, def, err := d.uses(path)
	if err != nil {
		return err
	}
	f := &v1.StepFailed{Attempt: s.Attempt, Class: classUnknown,
		Error: &v1.Error{Message: "the worker was lost during the attempt: whether it happened is unknown", Class: classUnknown}}
	d.unknownNext(def, path, s, f)
	return d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: f}})
}

// unknownNext decides by policy what follows an attempt of unknown outcome.
func (d *decider) unknownNext(def *Uses, path string, s *StepState, f *v1.StepFailed) {
	policy := def.AfterUnknown(s.InputObject())
	if policy == PolicyRetry && left(def, s) <= 0 {
		policy = PolicyFail
	}
	f.Next = string(policy)
	if policy == PolicyRetry || policy == PolicyProbe {
		f.NextAt = d.turn.Now.UnixNano()
		if policy == PolicyRetry && f.Took != 0 { // it had its time: the API is slow
			f.NextAt = d.retryAt(def, path, s, time.Time{})
		}
	}
}

// probed records what the probe of an unknown attempt found.
func (d *decider) probed(def *Uses, path string, s *StepState, o *Outcome) error {
	if o.Error == nil && o.Found {
		return d.add(path, &v1.Fact{Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{
			Attempt: s.Attempt, Output: o.Output, Took: int64(o.Took), Log: o.Log, Probed: true}}})
	}
	f := &v1.StepFailed{Attempt: s.Attempt, Took: int64(o.Took), Log: o.Log, Error: o.Error}
	switch {
	case o.Error == nil && left(def, s) > 0:
		f.Class, f.Next, f.NextAt = classAbsent, string(PolicyRetry), d.turn.Now.UnixNano()
		f.Error = &v1.Error{Message: "the attempt of unknown outcome had not happened"}
	case o.Error == nil:
		f.Class, f.Next = classAbsent, string(PolicyFail)
		f.Error = &v1.Error{Message: "the attempt had not happened, and no attempt is left"}
	case o.Class == classFinal:
		f.Class, f.Next = classUnknown, string(PolicyAsk)
	default:
		f.Class, f.Next, f.NextAt = classUnknown, string(PolicyProbe), d.retryAt(def, path, s, o.RetryAt)
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: f}})
}

// InputObject returns the input of the step's attempts.
func (s *StepState) InputObject() map[string]any {
	v, err := expr.DecodeJSON(s.Input.GetJson())
	if err != nil {
		return nil
	}
	object, _ := v.(map[string]any)
	return object
}

package engine

import (
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"zflow/engine/expr"
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
	def := d.flow.step(path)
	f := &v1.StepFailed{Attempt: s.Attempt, Class: o.Class, Error: o.Error, Took: int64(o.Took), Log: o.Log, Next: string(PolicyFail)}
	if def == nil {
		return fmt.Errorf("deciding run %s: its workflow has no step %s", d.run.id, path)
	}
	if o.Class == classUnknown {
		d.unknownNext(def, s, f)
		return d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: f}})
	}
	retry, err := d.mayRetry(def, s, o)
	if err != nil {
		f.Error = &v1.Error{Message: "evaluating retry.if: " + err.Error(), Code: o.Error.Code, Status: o.Error.Status}
	} else if retry {
		f.Next, f.NextAt = string(PolicyRetry), d.retryAt(def, s, o.RetryAt)
	}
	return d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: f}})
}

// mayRetry says whether the policy gives a failed attempt another one. With an
// `if`, that alone decides which errors are retried.
func (d *decider) mayRetry(def *Step, s *StepState, o *Outcome) (bool, error) {
	if int(s.Attempt) >= def.uses().Retry.Attempts {
		return false, nil
	}
	if def.uses().Retry.If == nil {
		return o.Class == classRetryable, nil
	}
	env, err := d.run.env(d.flow, nil, def.Path)
	if err != nil {
		return false, err
	}
	env["error"] = errorValue(o.Error, o.Class)
	return def.uses().Retry.If.Bool(env, d.clock(def.Path))
}

// retryAt returns when the next attempt is due: the policy's delay with a jitter
// of a tenth that is the run's own, and never before the server allows it.
func (d *decider) retryAt(def *Step, s *StepState, notBefore time.Time) int64 {
	delay := float64(def.uses().Retry.Delay) * math.Pow(max(def.uses().Retry.Backoff, 1), float64(s.Attempt-1))
	if limit := float64(def.uses().Retry.MaxDelay); limit > 0 && delay > limit {
		delay = limit
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%s/%d", d.run.id, def.Path, s.Attempt)
	delay *= 0.9 + 0.2*float64(h.Sum32())/math.MaxUint32
	at := d.turn.Now.Add(time.Duration(delay))
	if notBefore.After(at) {
		at = notBefore
	}
	return at.UnixNano()
}

// unknown records that the owner of an open attempt was lost.
func (d *decider) unknown(path string, s *StepState) error {
	def := d.flow.step(path)
	if def == nil {
		return fmt.Errorf("deciding run %s: its workflow has no step %s", d.run.id, path)
	}
	f := &v1.StepFailed{Attempt: s.Attempt, Class: classUnknown,
		Error: &v1.Error{Message: "the worker was lost during the attempt: whether it happened is unknown"}}
	d.unknownNext(def, s, f)
	return d.add(path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: f}})
}

// unknownNext decides by policy what follows an attempt of unknown outcome.
func (d *decider) unknownNext(def *Step, s *StepState, f *v1.StepFailed) {
	policy := def.uses().OnUnknown
	if policy == "" {
		policy = def.uses().unknownPolicy(s.InputObject())
	}
	if policy == PolicyRetry && int(s.Attempt) >= def.uses().Retry.Attempts {
		policy = PolicyFail
	}
	f.Next = string(policy)
	if policy == PolicyRetry || policy == PolicyProbe {
		f.NextAt = d.turn.Now.UnixNano()
		if policy == PolicyRetry && f.Took != 0 { // it had its time: the API is slow
			f.NextAt = d.retryAt(def, s, time.Time{})
		}
	}
}

// unknownPolicy is the default: what may happen twice is retried, what can be
// found out is probed, the rest a person decides.
func (s *Uses) unknownPolicy(input map[string]any) Policy {
	switch {
	case s.Repeatable(input):
		return PolicyRetry
	case s.Probes:
		return PolicyProbe
	}
	return PolicyAsk
}

// probed records what the probe of an unknown attempt found.
func (d *decider) probed(def *Step, s *StepState, o *Outcome) error {
	if o.Error == nil && o.Found {
		return d.add(def.Path, &v1.Fact{Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{
			Attempt: s.Attempt, Output: o.Output, Took: int64(o.Took), Log: o.Log, Probed: true}}})
	}
	f := &v1.StepFailed{Attempt: s.Attempt, Took: int64(o.Took), Log: o.Log, Error: o.Error}
	switch {
	case o.Error == nil && int(s.Attempt) < def.uses().Retry.Attempts:
		f.Class, f.Next, f.NextAt = classAbsent, string(PolicyRetry), d.turn.Now.UnixNano()
		f.Error = &v1.Error{Message: "the attempt of unknown outcome had not happened"}
	case o.Error == nil:
		f.Class, f.Next = classAbsent, string(PolicyFail)
		f.Error = &v1.Error{Message: "the attempt had not happened, and no attempt is left"}
	case o.Class == classFinal:
		f.Class, f.Next = classUnknown, string(PolicyAsk)
	default:
		f.Class, f.Next, f.NextAt = classUnknown, string(PolicyProbe), d.retryAt(def, s, o.RetryAt)
	}
	return d.add(def.Path, &v1.Fact{Kind: &v1.Fact_StepFailed{StepFailed: f}})
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

func (w *Workflow) step(path string) *Step {
	for _, s := range w.Steps {
		if s.Path == path {
			return s
		}
	}
	return nil
}

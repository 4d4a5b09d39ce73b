package record

import (
	"time"

	"zflow/engine"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

// step is one that had attempts.
type step struct {
	path, action string
	uses         *engine.Uses // nil: the workflow has no such step
	tries        []*try
}

// try is an attempt, and the first that is known of it.
type try struct {
	number       uint32
	begun, ended time.Time // zero: the run took it over from another; it never ended
	input        *v1.Value
	done         *v1.StepCompleted
	failed       *v1.StepFailed
}

func instant(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }

// try returns an attempt of the step.
func (s *step) try(number uint32) *try {
	for _, t := range s.tries {
		if t.number == number {
			return t
		}
	}
	t := &try{number: number}
	s.tries = append(s.tries, t)
	return t
}

// fold takes a fact in that is about an attempt.
func (s *step) fold(f *v1.Fact) {
	switch k := f.Kind.(type) {
	case *v1.Fact_StepStarted:
		if t := s.try(k.StepStarted.Attempt); t.begun.IsZero() {
			t.begun, t.input = instant(f.At), k.StepStarted.Input
			s.action = k.StepStarted.Uses
		}
	case *v1.Fact_StepCompleted:
		if k.StepCompleted.Attempt == 0 {
			return // it is made of others
		}
		t := s.try(k.StepCompleted.Attempt)
		t.done = k.StepCompleted
		t.end(f)
	case *v1.Fact_StepFailed:
		if k.StepFailed.Attempt == 0 {
			return // it failed before it began an attempt
		}
		if t := s.try(k.StepFailed.Attempt); t.failed == nil {
			t.failed = k.StepFailed
			t.end(f)
		}
	}
}

func (t *try) end(f *v1.Fact) {
	if t.ended.IsZero() {
		t.ended = instant(f.At)
	}
}

func (s *step) last() *try { return s.tries[len(s.tries)-1] }

// itself says that the step does in a test what it did, without being told to.
func (s *step) itself() bool {
	if s.last().done == nil {
		return false
	}
	if s.action == "emit" || s.action == "respond" {
		return true
	}
	// Others that a test calls as they are depend on what is not of the run: values that
	// were kept before, secrets, files.
	return s.action == "log" && len(s.tries) == 1 && s.tries[0].failed == nil
}

// counts says that the step's calls are among those of a test.
func (s *step) counts() bool { return !s.itself() || s.action == "respond" }

// took is how long an attempt took; one that never ended lasts longer than its run.
func (t *try) took(end time.Time) time.Duration {
	switch {
	case t.failed != nil && t.failed.Took > 0:
		return time.Duration(t.failed.Took)
	case t.failed != nil && !t.begun.IsZero():
		return t.ended.Sub(t.begun) // its worker was lost
	case t.failed != nil:
		return 0
	case t.done != nil:
		return time.Duration(t.done.Took)
	}
	return end.Sub(t.begun) + time.Minute
}

// outcomes are what a test says of a step: one answer, or a list of them.
func (s *step) outcomes(end time.Time) (any, error) {
	var all []any
	for _, t := range s.tries {
		o, err := s.outcome(t, end)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

func (s *step) outcome(t *try, end time.Time) (object, error) {
	o := object{}
	switch {
	case t.failed != nil && t.failed.Class != "unknown":
		o.add("error", s.failure(t))
	case t.done == nil:
		o.add("outcome", "unknown")
	default:
		v, err := masked(t.done.Output)
		if err != nil {
			return nil, err
		}
		if t.done.Probed {
			o = object{{"outcome", "unknown"}, {"happened", true}}
		}
		o.add("output", v)
	}
	if took := t.took(end).Truncate(time.Millisecond); took > 0 {
		o.add("takes", span(took))
	}
	return o, nil
}

// failure is an error as a test states it: what its status says of it is left out.
func (s *step) failure(t *try) object {
	e, o := t.failed.Error, object{}
	if m := sealed.Mask(e.GetMessage()); m != "" {
		o.add("message", m)
	}
	if e.GetCode() != "" {
		o.add("code", e.Code)
	}
	status := e.GetStatus()
	if status >= 100 && status <= 599 {
		o.add("status", int64(status))
	} else {
		status = 0
	}
	passes := status == 0 || status == 408 || status == 429 || status >= 500
	switch again := t.failed.Class == "retryable"; {
	case again && s.told(t) > 0:
		o.add("retry_after", span(s.told(t)))
	case again && !passes:
		o.add("retryable", true)
	case !again && passes:
		o.add("final", true)
	}
	return o
}

// told is how long the called one told to wait, where that is longer than the step's
// policy would have it.
func (s *step) told(t *try) time.Duration {
	if s.uses == nil || t.failed.Next != string(engine.PolicyRetry) || t.failed.NextAt == 0 {
		return 0
	}
	wait := instant(t.failed.NextAt).Sub(t.ended)
	if wait <= s.uses.Retry.After(int(t.number), 1)+time.Second {
		return 0
	}
	return wait.Round(time.Millisecond)
}

// masked is a value as it may be written.
func masked(v *v1.Value) (any, error) { return decode(sealed.MaskBytes(v.GetJson())) }

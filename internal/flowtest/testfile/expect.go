package testfile

import (
	"slices"
	"strings"

	"zflow/engine/definition/document"
)

// outcomes reads what steps and actions answer over what is there.
func (r *reader) outcomes(n *node, all map[string][]Outcome) {
	if n == nil {
		return
	}
	if n.Kind != document.Object {
		r.Fail(n, "such as email.send: { output: {} }", "steps is an object, this is %s", n.What())
		return
	}
	for _, f := range n.Fields {
		list := []*node{f.Value}
		if f.Value.Kind == document.List {
			if list = f.Value.Items; len(list) == 0 {
				r.Fail(f.Value, "", "%s has no outcome", f.Key.Value)
			}
		}
		var outcomes []Outcome
		for _, item := range list {
			outcomes = append(outcomes, r.outcome(item))
		}
		all[f.Key.Value] = outcomes
	}
}

func (r *reader) outcome(n *node) Outcome {
	o := Outcome{Line: n.Line}
	if !r.keys(n, "an outcome", "output", "error", "outcome", "happened", "takes") {
		return o
	}
	o.Takes = r.duration(n.Get("takes"), "takes")
	if at := n.Get("output"); at != nil {
		o.Output, o.Place = r.value(at), at
	}
	if at := n.Get("error"); at != nil {
		o.Error = r.failure(at)
	}
	if at := n.Get("outcome"); at != nil {
		if o.Unknown = r.text(at, "outcome") == "unknown"; !o.Unknown {
			r.Fail(at, "for the others write output: or error:", "outcome can only be unknown")
		}
	}
	if at := n.Get("happened"); at != nil {
		o.Happened = r.flag(at, "happened")
		if !o.Unknown {
			r.Fail(at, "", "happened says what a probe finds after outcome: unknown")
		}
	}
	if o.Error != nil && (o.Place != nil || o.Unknown) || o.Unknown && o.Place != nil && !o.Happened || o.Error == nil && o.Place == nil && !o.Unknown {
		r.Fail(n, "", "an outcome is one of output, error and outcome: unknown")
	}
	return o
}

// failure reads an error. Whether another attempt may follow is, where the file
// does not say it, as the status has it; without an answer it may.
func (r *reader) failure(n *node) *Error {
	e := &Error{Message: "refused by the test"}
	if !r.keys(n, "error", "message", "code", "status", "final", "retryable", "retry_after") {
		return e
	}
	if at := n.Get("message"); at != nil {
		e.Message = r.text(at, "message")
	}
	if at := n.Get("code"); at != nil {
		e.Code = r.word(at, "code")
	}
	if at := n.Get("status"); at != nil {
		if e.Status = r.whole(at, "status"); e.Status < 100 || e.Status > 599 {
			r.Fail(at, "", "status is an HTTP status from 100 to 599")
		}
	}
	e.Retryable = e.Status == 0 || e.Status == 408 || e.Status == 429 || e.Status >= 500
	if at := n.Get("retry_after"); at != nil {
		e.RetryAfter, e.Retryable = r.duration(at, "retry_after"), true
	}
	final, again := n.Get("final"), n.Get("retryable")
	switch {
	case final != nil && again != nil:
		r.Fail(again, "leave one of them out", "an error is final or retryable")
	case final != nil:
		e.Retryable = !r.flag(final, "final")
	case again != nil:
		e.Retryable = r.flag(again, "retryable")
	}
	return e
}

func (r *reader) expect(n *node, e *Expect) {
	if n == nil || !r.keys(n, "expect", "status", "error", "took", "steps", "calls", "check", "output") {
		return
	}
	e.Line = n.Line
	if at := n.Get("status"); at != nil {
		if e.Status = r.text(at, "status"); e.Status != "" && !slices.Contains(Statuses, e.Status) {
			r.Fail(at, meantOf(e.Status, Statuses), "a run cannot be %s", e.Status)
		}
	}
	e.Error, e.Took = r.text(n.Get("error"), "error"), r.span(n.Get("took"))
	e.Steps, e.Calls, e.Output = r.steps(n.Get("steps")), r.calls(n.Get("calls")), r.expected(n.Get("output"))
	e.Check = r.checks(n.Get("check"))
}

func meantOf(word string, known []string) string {
	return strings.Replace(meant(word, known), "its keys are", "it is one of", 1)
}

func (r *reader) expected(n *node) *Value {
	if n == nil {
		return nil
	}
	return &Value{r.value(n), n}
}

func (r *reader) steps(n *node) map[string]Step {
	if n == nil {
		return nil
	}
	if n.Kind != document.Object {
		r.Fail(n, "such as steps: { people: { attempts: 3 } }", "steps is an object, this is %s", n.What())
		return nil
	}
	all := map[string]Step{}
	for _, f := range n.Fields {
		s := Step{Line: f.Key.Line}
		if r.keys(f.Value, "what is expected of a step", "status", "outcome", "attempts", "output") {
			s.Status, s.Outcome = r.text(f.Value.Get("status"), "status"), r.text(f.Value.Get("outcome"), "outcome")
			s.Output = r.expected(f.Value.Get("output"))
			if at := f.Value.Get("attempts"); at != nil {
				attempts := r.whole(at, "attempts")
				s.Attempts = &attempts
			}
		}
		all[f.Key.Value] = s
	}
	return all
}

func (r *reader) calls(n *node) []Call {
	if n == nil {
		return nil
	}
	if n.Kind != document.List {
		r.Fail(n, "such as - email.send: { to: a@x.org }", "calls is a list, this is %s", n.What())
		return nil
	}
	all := []Call{}
	for _, item := range n.Items {
		switch {
		case item.IsText():
			all = append(all, Call{Of: item.Value, Line: item.Line})
		case item.Kind == document.Object && len(item.Fields) == 1:
			f := item.Fields[0]
			all = append(all, Call{Of: f.Key.Value, With: r.value(f.Value), Line: item.Line})
		default:
			r.Fail(item, "such as email.send: { to: a@x.org }", "a call is an action or a step with a part of its input")
		}
	}
	return all
}

func (r *reader) checks(n *node) []Check {
	if n == nil {
		return nil
	}
	list := []*node{n}
	if n.Kind == document.List {
		list = n.Items
	}
	var all []Check
	for _, item := range list {
		if text := r.text(item, "a check"); text != "" {
			all = append(all, Check{text, item.Line})
		}
	}
	return all
}

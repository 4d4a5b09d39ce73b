// Package command reads what commands from outside bring to runs. It is pure.
package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// ErrUnknown says that a command is for a newer version of zflow.
var ErrUnknown = errors.New("this version of zflow does not know the command")

// Fact returns what a command brings to a run that has not ended: nil and false where it
// is no news, nil and true where it came too late.
func Fact(r *engine.Run, c *v1.Command) (f *v1.Fact, late bool, err error) {
	if r.Knows(c.Id) {
		return nil, false, nil
	}
	switch c.Kind {
	case "cancel":
		return &v1.Fact{Kind: &v1.Fact_CancelRequested{CancelRequested: &v1.CancelRequested{Command: c.Id, By: c.By, Reason: c.Reason, Now: c.Now}}}, false, nil
	case "approve":
		f = approval(r, c)
		return f, f == nil, nil
	case "signal":
		return &v1.Fact{Kind: &v1.Fact_SignalReceived{SignalReceived: &v1.SignalReceived{Command: c.Id, By: c.By, Name: c.Name, Data: jsonOf(c.Data)}}}, false, nil
	case "retry":
		return nil, true, nil // it goes on already
	}
	return nil, false, fmt.Errorf("command %q: %w", c.Kind, ErrUnknown)
}

func jsonOf(data []byte) *v1.Value {
	if len(data) == 0 {
		return nil
	}
	return &v1.Value{Json: data}
}

// approval is nil where the step asks for nothing, or for something else.
func approval(r *engine.Run, c *v1.Command) *v1.Fact {
	s := r.Step(c.Step)
	asked := s.Status == engine.StepAsking
	if s.Status == engine.StepWaiting && s.Wait != nil {
		asked = slices.Contains(s.Wait.Approval.GetChoices(), c.Choice)
	}
	if !asked {
		return nil
	}
	return &v1.Fact{Step: c.Step, Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{
		Command: c.Id, By: c.By, Choice: c.Choice, Comment: c.Reason, Output: jsonOf(c.Data)}}}
}

// Retry reads a retry of a run that ended; nil where the command is none, is known
// already, or the run completed. Its data is an object of inputs by step.
func Retry(r *engine.Run, c *v1.Command) (*v1.RunRetried, error) {
	if c == nil || c.Kind != "retry" || r.State == engine.Completed || r.Knows(c.Id) {
		return nil, nil
	}
	again := &v1.RunRetried{Command: c.Id, By: c.By, Version: c.Version, With: map[string]*v1.Value{}}
	if len(c.Data) == 0 {
		return again, nil
	}
	var with map[string]json.RawMessage
	if err := json.Unmarshal(c.Data, &with); err != nil {
		return nil, fmt.Errorf("reading the inputs of a retry: %w", err)
	}
	for path, input := range with {
		again.With[path] = &v1.Value{Json: input}
	}
	return again, nil
}

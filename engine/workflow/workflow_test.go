package workflow_test

import (
	"testing"

	"zflow/engine/workflow"
)

// A trigger takes the events of its source whose type fits a pattern; that of a call
// takes calls, whatever they are.
func TestTakes(t *testing.T) {
	zoom := &workflow.Trigger{Source: "zoom", Types: []string{"meeting.ended", "recording.*"}}
	call := &workflow.Trigger{Source: workflow.SourceCall}
	for _, c := range []struct {
		trigger           *workflow.Trigger
		source, eventType string
		want              bool
	}{
		{zoom, "zoom", "meeting.ended", true},
		{zoom, "zoom", "meeting.started", false},
		{zoom, "zoom", "recording.completed", true},
		{zoom, "app", "meeting.ended", false},
		{call, "call", "call", true},
		{call, "zoom", "call", false},
	} {
		if got := c.trigger.Takes(c.source, c.eventType); got != c.want {
			t.Errorf("%v takes %s of %s: %v", c.trigger.Types, c.eventType, c.source, got)
		}
	}
}

func TestEnded(t *testing.T) {
	for state, want := range map[workflow.State]bool{
		workflow.Running: false, workflow.Waiting: false, workflow.Completed: true, workflow.Failed: true, workflow.Canceled: true,
	} {
		if state.Ended() != want {
			t.Errorf("%s has ended: %v", state, !want)
		}
	}
}

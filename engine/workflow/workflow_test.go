package workflow_test

import (
	"fmt"
	"testing"
	"time"

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

// Delays grow up to their limit, and vary by a tenth.
func TestAfter(t *testing.T) {
	r := workflow.Retry{Delay: 10 * time.Second, Backoff: 2, MaxDelay: time.Minute}
	for _, c := range []struct {
		attempts int
		chance   float64
		want     time.Duration
	}{{1, 0.5, 10 * time.Second}, {2, 0.5, 20 * time.Second}, {4, 0.5, time.Minute}, {1, 0, 9 * time.Second}, {1, 1, 11 * time.Second}, {9000, 1, 66 * time.Second}} {
		if got := r.After(c.attempts, c.chance); got != c.want {
			t.Errorf("after %d attempts, by %v: %v, not %v", c.attempts, c.chance, got, c.want)
		}
	}
	if got := (workflow.Retry{Delay: time.Second}).After(3, 0.5); got != time.Second {
		t.Errorf("without a backoff it is %v", got)
	}
}

func TestAfterUnknown(t *testing.T) {
	yes := func(map[string]any) bool { return true }
	no := func(map[string]any) bool { return false }
	for want, u := range map[workflow.Policy]*workflow.Uses{
		workflow.PolicyFail: {OnUnknown: workflow.PolicyFail, Repeatable: yes}, workflow.PolicyRetry: {Repeatable: yes, Probes: true},
		workflow.PolicyProbe: {Repeatable: no, Probes: true}, workflow.PolicyAsk: {Repeatable: no},
	} {
		if got := u.AfterUnknown(nil); got != want {
			t.Errorf("%s follows, not %s", got, want)
		}
	}
}

// A wait whose own time is up goes on where it says so; the step's own timeout fails it.
func TestFailsLate(t *testing.T) {
	goesOn := &workflow.Wait{Timeout: time.Hour, OnTimeout: workflow.TimeoutContinue}
	for _, c := range []struct {
		step workflow.Step
		want bool
	}{
		{workflow.Step{Do: goesOn}, false},
		{workflow.Step{Do: goesOn, Timeout: 2 * time.Hour}, false},
		{workflow.Step{Do: goesOn, Timeout: time.Minute}, true},
		{workflow.Step{Do: &workflow.Wait{Timeout: time.Hour, OnTimeout: workflow.TimeoutFail}}, true},
		{workflow.Step{Do: &workflow.Ask{OnTimeout: workflow.TimeoutContinue}, Timeout: time.Hour}, true},
	} {
		if got := c.step.FailsLate(); got != c.want {
			t.Errorf("%+v fails: %v", c.step, got)
		}
	}
}

func TestPrefix(t *testing.T) {
	if got := (&workflow.Branch{}).Prefix("g"); got != "g." {
		t.Errorf("in a group: %s", got)
	}
	if got := (&workflow.Branch{Name: "left"}).Prefix("p[2]"); got != "p[2].left." {
		t.Errorf("in a branch: %s", got)
	}
}

// A correction replaces whole fields, adds others, and leaves the input as it was.
func TestCorrect(t *testing.T) {
	input := map[string]any{"to": "nobody", "text": "hello"}
	got, err := workflow.Correct(input, []byte(`{"to":"ada","cc":1}`))
	if err != nil || fmt.Sprint(got) != "map[cc:1 text:hello to:ada]" || input["to"] != "nobody" {
		t.Errorf("%v of %v, %v", got, input, err)
	}
	for _, with := range []string{"7", "{", "null"} {
		if _, err := workflow.Correct(input, []byte(with)); err == nil {
			t.Errorf("%s corrects it", with)
		}
	}
}

func TestAllFields(t *testing.T) {
	a := &workflow.Ask{Fields: map[string]workflow.Field{"days": {Type: "number", Required: true, Label: "How long"}}}
	if got := fmt.Sprint(a.AllFields()); got != "map[days:map[label:How long required:true type:number]]" {
		t.Error(got)
	}
}

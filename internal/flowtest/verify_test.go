package flowtest

import (
	"slices"
	"strings"
	"testing"

	"zflow/internal/flowtest/testfile"
)

const everyPolicy = `
name: every-policy
timeout: 2h
on: [ { zoom: meeting.ended } ]
steps:
  - id: read
    uses: zoom.list_past_meeting_participants
    with: { meeting_id: "1" }
  - id: probed
    uses: zoom.create_meeting
    with: { user_id: me, topic: x }
  - id: asked
    uses: zoom.send_chat_message
    with: { user_id: me, to_channel: c, message: a }
  - sleep: 1h
  - id: retried
    uses: zoom.send_chat_message
    with: { user_id: me, to_channel: c, message: b }
    on_unknown: retry
output: [ "${{ steps.probed.output.id }}", "${{ steps.asked.output.id }}", "${{ steps.retried.output.id }}" ]
`

const everyTest = `
event: { type: meeting.ended }
steps:
  read: { output: { participants: [] } }
  probed: { output: { id: 1 } }
  asked: { output: { id: a } }
  retried: { output: { id: b } }
tests: [ { name: all, expect: { status: completed } } ]
`

func verified(t *testing.T, flow, tests string) *Verified {
	t.Helper()
	r := &Runner{Known: known(t)}
	v, err := r.Verify(t.Context(), suiteOf(t, flow, tests), Verification{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerifyCrashesAtEveryAppendAndCall(t *testing.T) {
	v := verified(t, everyPolicy, everyTest)
	if !v.Passed {
		t.Error(v.Tests[0].Text())
	}
	points := map[string]bool{}
	for _, p := range v.Tests[0].Points {
		points[string(p.Mode)+" "+string(p.When)+" "+string(p.What)+" "+p.Of] = true
	}
	for _, want := range []string{
		"worker before call probed (zoom.create_meeting)", "machine after call asked (zoom.send_chat_message)", "machine before call read (zoom.list_past_meeting_participants)",
	} {
		if !points[want] {
			t.Errorf("no crash of the %s", want)
		}
	}
	if len(points) < 30 {
		t.Errorf("%d points", len(points))
	}
	var rights []string
	for _, r := range v.Repeats {
		rights = append(rights, r.Step+" "+r.Policy)
	}
	slices.Sort(rights)
	if got := strings.Join(rights, ", "); got != "asked ask, probed probe, read read, retried retry" {
		t.Errorf("what crashes repeat: %s\n%s", got, v.Summary())
	}
}

func TestVerifyFindsWhatDependsOnTheMoment(t *testing.T) {
	v := verified(t, `
name: clock
on: [ { zoom: meeting.ended } ]
steps: [ { sleep: 1h } ]
output: ${{ now() }}
`, `
event: { type: meeting.ended }
tests: [ { name: all, expect: { status: completed } } ]
`)
	if v.Passed || !strings.Contains(v.Tests[0].Text(), "without the crash") {
		t.Errorf("an output with the time of day is found to be the same: %s", v.Tests[0].Text())
	}
}

func TestVerifyNeedsTestsThatRun(t *testing.T) {
	v := verified(t, linear, `
event: { type: meeting.ended, set: { payload.object.duration: 45 } }
tests: [ { name: no outcomes, expect: { status: failed } } ]
`)
	if v.Passed || !strings.Contains(v.Tests[0].Failure, "the test does not say what comes of it") {
		t.Errorf("%+v", v.Tests[0])
	}
}

func TestACrashAndAQuickEventThatComesAgain(t *testing.T) {
	s := suiteOf(t, everyPolicy, everyTest)
	s.Tests[0].Then = []testfile.Action{{After: 10 * 60e9, Crash: true}, {After: 20 * 60e9, Redeliver: true}, {After: 30 * 60e9, Crash: true}, {After: 120 * 60e9, Redeliver: true}}
	s.Tests[0].Expect.Check = []testfile.Check{{Source: "len(calls) == 4"}}
	if wrong := wrongs(&s.Tests[0].Expect, played(t, s)); wrong != "" {
		t.Error(wrong)
	}
}

// A crash hides what the last attempt brought: the run fails at the same step, with
// another message. And a test that acts while a call goes on finds it going on.
func TestVerifyTellsHarmFromWhatACrashHides(t *testing.T) {
	v := verified(t, `
name: short
on: [ { zoom: meeting.ended } ]
steps:
  - id: sent
    uses: zoom.send_chat_message
    with: { user_id: me, to_channel: c, message: a }
    on_unknown: fail
`, `
event: { type: meeting.ended }
tests:
  - name: its answer is lost
    steps: { sent: { outcome: unknown } }
    expect: { status: failed }
  - name: canceled in the call
    steps: { sent: { output: { id: m1 }, takes: 1m } }
    then: [ { after: 30s, cancel: true } ]
    expect: { status: canceled }
`)
	for _, one := range v.Tests {
		if !one.Passed || len(one.Points) == 0 {
			t.Error(one.Text())
		}
	}
}

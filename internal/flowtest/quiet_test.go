package flowtest

import (
	"testing"
	"time"

	"zflow/internal/flowtest/house"
)

// A look back leaves a consumer behind, of which nobody reads. What comes is ahead
// of it; that is no reason to hold up what the test does next.
func TestWhatALookBackLeavesIsNotWaitedFor(t *testing.T) {
	s := suiteOf(t, `
name: look
on: [ { zoom: meeting.ended } ]
steps:
  - id: answer
    wait_for:
      first_of:
        yes: { signal: yes }
        other: { event: a.b, match: { n: "1" } }
`, `
event: { type: meeting.ended }
tests:
  - name: an event of another
    then: [ { after: 10s, event: { type: a.b, body: { n: 2 } } }, { after: 20s, signal: { name: yes } } ]
    expect: { status: completed }
`)
	never := &Seen{stages: []string{"never", "never"}} // so that only rest lets the test go on
	seen, err := (&Runner{Known: known(t)}).play(t.Context(), s, s.Tests[0], &house.Crash{}, never)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := wrongs(&s.Tests[0].Expect, seen); wrong != "" {
		t.Error(wrong)
	}
	if took := seen.Took(); took < 20*time.Second || took > 30*time.Second {
		t.Errorf("the signal of 20 s came after %v", took)
	}
}

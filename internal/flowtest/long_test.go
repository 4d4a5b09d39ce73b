package flowtest

import "testing"

// What takes weeks, and what happens on the days that are no 24 hours long, on the
// real server and worker.
func TestWeeks(t *testing.T) {
	passes(t, `
name: month
on: [ { zoom: meeting.ended } ]
steps:
  - id: recording
    wait_for:
      zoom: recording.completed
      match: { payload.object.uuid: "${{ event.payload.object.uuid }}" }
      timeout: 30d
      on_timeout: continue
output: "${{ steps.recording.outcome }}"
`, `
event: { type: meeting.ended, set: { payload.object.uuid: u } }
tests:
  - name: the event comes in the last hour of thirty days, after two crashes
    then:
      - { after: 10d, crash: true }
      - { after: 20d, crash: true }
      - { after: 719h, event: { type: recording.completed, set: { payload.object.uuid: u } } }
    expect: { status: completed, took: 719h, output: arrived }
  - name: it does not come
    expect: { status: completed, took: 30d, output: timeout }
`)
}

// In Berlin the clock goes from 2:00 to 3:00 on 2026-03-29 and from 3:00 to 2:00 on
// 2026-10-25.
func TestDaysOfOtherLength(t *testing.T) {
	passes(t, `
name: nights
on: [ { zoom: meeting.ended } ]
steps:
  - { id: a, sleep: { until: { schedule: '30 2 * * *', timezone: Europe/Berlin } } }
  - { id: b, sleep: { until: { schedule: '30 2 * * *', timezone: Europe/Berlin } } }
  - { id: first, set: "${{ format(now(), '%d %H:%M', 'Europe/Berlin') }}" }
  - { id: c, sleep: { until: { schedule: '0 9 * * *', timezone: Europe/Berlin } } }
  - { id: second, set: "${{ format(now(), '%d %H:%M', 'Europe/Berlin') }}" }
output: "${{ steps.first.output }}, ${{ steps.second.output }}"
`, `
event: { type: meeting.ended }
tests:
  - name: half past two is not there on the night of spring, so that it is three
    start: "2026-03-28T00:00:00Z"
    expect: { status: completed, took: 31h, output: "29 03:00, 29 09:00" }
  - name: half past two is there twice in autumn, and counts once
    start: "2026-10-24T00:00:00Z"
    expect: { status: completed, took: 32h, output: "25 02:30, 25 09:00" }
`)
}

// passes runs all tests of a suite.
func passes(t *testing.T, flow, tests string) {
	t.Helper()
	s := suiteOf(t, flow, tests)
	report, err := (&Runner{Known: known(t)}).Test(t.Context(), []string{s.Path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Tests {
		if !r.Passed {
			t.Error(r.Text())
		}
	}
}

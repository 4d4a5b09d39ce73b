package run

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"zflow/internal/operator"
	"zflow/internal/terminal"
)

func plainShell() (*shell, *bytes.Buffer) {
	var out bytes.Buffer
	return &shell{&terminal.Shell{Out: &out, Err: &out, Env: func(string) string { return "" }}}, &out
}

func TestWhatARunWaitsForIsSaid(t *testing.T) {
	later := time.Now().Add(time.Hour)
	for kind, want := range map[string]string{
		"sleep": "step x sleeps until ", "retry": "step x for its next attempt at ", "probe": "step x for a probe at ",
		"attempt": "step x for the attempt under way, until ", "deadline": "when the whole run times out",
	} {
		if got := waitText("r1", operator.Wait{Step: "x", For: kind, Until: &later}); !strings.Contains(got, want) || !strings.Contains(got, "from now)") {
			t.Errorf("%s: %q", kind, got)
		}
	}
	if got := waitText("r1", operator.Wait{Step: "x", For: "person"}); !strings.Contains(got, "zflow runs approve r1 x --choice retry|done|fail") {
		t.Errorf("person: %q", got)
	}
	for kind, want := range map[string]string{
		"approval": "step x for a person: zflow runs approve r1 x --choice yes|no", "event": "step x for yes|no", "run": "step x for run yes|no",
	} {
		w := operator.Wait{Step: "x", For: kind, What: "yes|no"}
		if got := waitText("r1", w); got != want {
			t.Errorf("%s: %q", kind, got)
		}
		w.Until = &later
		if got := waitText("r1", w); !strings.HasPrefix(got, want+", until 2") {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

func TestATimeline(t *testing.T) {
	sh, _ := plainShell()
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.Local)
	end, failure := start.Add(1500*time.Millisecond), "no luck"
	got := sh.timeline(&operator.Detail{
		Run:   operator.Run{ID: "r1", Workflow: "hello", Version: "0123456789abcdef", Status: "failed", EventID: "e1", StartedAt: start, EndedAt: &end, Error: &failure},
		Event: operator.Trigger{ID: "e1", Type: "meeting.ended", Origin: "webhook"}, Output: []byte("null"),
		Facts: []operator.Fact{{Kind: "run_started", At: start, Text: "run started"}, {Kind: "run_claimed", At: start.Add(time.Second), Text: "worker lost: the run is taken over"}},
		Steps: []operator.Step{
			{ID: "call", Uses: "http.request", Status: "failed", Attempts: 1, Input: []byte(`{"url":"http://x"}`), Output: []byte("null"),
				Tries: []operator.Try{{At: start, Text: "attempt 1 started: http.request"}, {At: start.Add(time.Second), Text: "attempt 1 failed: no luck", Log: []string{"a line"}}}},
			{ID: "later", Uses: "log", Status: "not_reached", Input: []byte("null"), Output: []byte("null")},
		},
	})
	want := `run       r1
workflow  hello (version 0123456789ab)
event     meeting.ended e1, webhook
status    failed
started   2026-03-02 10:00:00
ended     2026-03-02 10:00:01, after 1.5 s
error     no luck
+1.0 s    worker lost: the run is taken over

call  failed  http.request
  input   {"url":"http://x"}
     +0 µs  attempt 1 started: http.request
    +1.0 s  attempt 1 failed: no luck
            | a line

later  not_reached  log
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

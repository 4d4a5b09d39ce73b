package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/proto"
)

// little has enough of everything for a scenario to go its whole way.
var little = Sizes{Parked: 60, Timers: 120, TimersPer: 400, Iterations: 120, Latency: time.Millisecond, Finished: 300, Rounds: 2, Streams: 20}

// TestScenarios measures a little of each, all in processes of their own.
func TestScenarios(t *testing.T) {
	figures := map[string][]string{
		"ingest":   {"webhooks accepted", "publishes without a flush", "answer at 500/s, p99"},
		"parked":   {"worker, idle", "worker, parked", "calls at a time beside them"},
		"timers":   {"server, all pending", "timer_fired after it was due, p99", "CPU of worker and server per timer"},
		"loop":     {"from the event to the end, p50 of 3", "the calls alone"},
		"core":     {"facts in the history", "loaded and folded, p50", "a decision, 100 steps, p50 of runs"},
		"finished": {"CPU of worker and server per run, 1000 finished", "CPU of worker and server per run, 300 finished"},
		"answer":   {"request to its answer, p50", "the run, from its start to its end, p50"},
		"mail":     {"mails taken, durable", "mails whose runs are through", "answer to a mail, p99", "ingest's CPU per mail"},
		"code":     {"first call, slowest of 5 pools", "one call after another, p50", "calls by two at a time", "memory of a process"},
		"request":  {"http.request, p50", "by hand, p50"},
		"streams":  {"console, idle", "console, the most", "messages delivered", "from the publish to the client, p99"},
	}
	if names := Scenarios(); len(names) != len(figures)+1 || names[0] != Speed {
		t.Errorf("scenarios: %v", names)
	}
	for name, wanted := range figures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("node"); err != nil && name == "code" {
				t.Skip("there is no Node.js here: code steps are not measured")
			}
			c := config(t)
			c.Only, c.Sizes = []string{name}, little
			r, err := Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Scenarios) != 1 || r.Scenarios[0].Name != name || len(r.Aims) == 0 || len(r.Runs) > 0 {
				t.Fatalf("%+v", r)
			}
			for _, what := range wanted {
				has(t, &r.Scenarios[0], what)
			}
			exact(t, r)
			empty(t, c.Data)
			tells(t, r)
		})
	}
}

func has(t *testing.T, s *Scenario, what string) {
	t.Helper()
	i := slices.IndexFunc(s.Figures, func(f Figure) bool { return f.What == what })
	if i < 0 || s.Figures[i].Value <= 0 {
		t.Errorf("%s: no figure %q: %+v", s.Name, what, s.Figures)
	}
}

// exact checks the aims that no slow machine may miss.
func exact(t *testing.T, r *Report) {
	t.Helper()
	for _, a := range r.Aims {
		if !a.Met && (strings.Contains(a.What, "slots") || strings.Contains(a.What, "early")) {
			t.Errorf("%+v", a)
		}
	}
}

// tells checks that people and programs get a scenario and its aims.
func tells(t *testing.T, r *Report) {
	t.Helper()
	var text bytes.Buffer
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Scenarios[0]
	for _, want := range []string{s.Name + ": ", s.Figures[0].What, r.Aims[0].What, r.Aims[0].Got} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &text)
		}
	}
	if strings.Contains(text.String(), "÷ null") {
		t.Error("the report has tables of what was not measured")
	}
	var back Report
	if err := json.Unmarshal(raw, &back); err != nil || !slices.Equal(back.Scenarios[0].Figures, s.Figures) {
		t.Errorf("read back from JSON: %v, %s", err, raw)
	}
}

// TestScenarioThatIsNone: a wrong name is told before anything is begun.
func TestScenarioThatIsNone(t *testing.T) {
	c := config(t)
	c.Only = []string{"loop", "loops"}
	_, err := Run(t.Context(), c)
	if err == nil || err.Error() != `there is no scenario "loops": they are speed, ingest, parked, timers, loop, core, finished, answer, mail, code, request, streams` {
		t.Errorf("Run = %v", err)
	}
}

// TestScenarioInterrupted: it leaves no folder and no process behind.
func TestScenarioInterrupted(t *testing.T) {
	c := config(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Only, c.Sizes = []string{"loop"}, little
	c.Sizes.Latency = time.Hour
	c.Progress = writer(func(p []byte) {
		if bytes.HasPrefix(p, []byte("loop: run 1")) {
			cancel()
		}
	})
	if _, err := Run(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want canceled", err)
	}
	empty(t, c.Data)
}

// TestFollow: what does not come in time is told with how far it got.
func TestFollow(t *testing.T) {
	b := &bench{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := b.follow(ctx, "runs that wait", 7, func(context.Context) (int, error) { return 3, nil })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "runs that wait: 3 of 7: ") {
		t.Errorf("follow = %v", err)
	}
	broken := errors.New("broken")
	if err := b.follow(t.Context(), "", 7, func(context.Context) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("follow = %v", err)
	}
}

// TestEach: all is done once, many at a time, and the first error ends it.
func TestEach(t *testing.T) {
	b := &bench{}
	done := make([]int, 100)
	if err := b.each(t.Context(), "", len(done), 8, func(_ context.Context, i int) error { done[i]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if slices.Min(done) != 1 || slices.Max(done) != 1 {
		t.Errorf("done: %v", done)
	}
	broken := errors.New("broken")
	err := b.each(t.Context(), "", 1<<40, 8, func(_ context.Context, i int) error {
		if i == 20 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("each = %v", err)
	}
}

// TestSizes: nothing can be measured with none of it.
func TestSizes(t *testing.T) {
	if !little.Valid() {
		t.Error("the sizes of the tests are not valid")
	}
	for name, change := range map[string]func(*Sizes){
		"parked": func(s *Sizes) { s.Parked = 0 }, "timers": func(s *Sizes) { s.Timers = -1 }, "per": func(s *Sizes) { s.TimersPer = 0 },
		"iterations": func(s *Sizes) { s.Iterations = 0 }, "latency": func(s *Sizes) { s.Latency = -1 },
		"finished": func(s *Sizes) { s.Finished = 0 }, "rounds": func(s *Sizes) { s.Rounds = 0 }, "streams": func(s *Sizes) { s.Streams = 0 },
	} {
		s := little
		if change(&s); s.Valid() {
			t.Errorf("%s: %+v is valid", name, s)
		}
	}
}

// TestAppEvent: two of one key are one event.
func TestAppEvent(t *testing.T) {
	a, b, other := appEvent("bench.x", "k", nil), appEvent("bench.x", "k", nil), appEvent("bench.x", "l", nil)
	if a.ID != b.ID || a.ID == other.ID || a.Kind() != proto.SourceApp {
		t.Errorf("%+v, %+v, %+v", a, b, other)
	}
}

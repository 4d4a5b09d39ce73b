package engine_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	v1 "zflow/proto/zflow/v1"
)

var rewrite = flag.Bool("rewrite", false, "write the stories as they come out")

// TestStories plays each testdata/*.story: lines that begin with "> " are what
// happens, the others what the engine makes of it.
func TestStories(t *testing.T) {
	for _, file := range storyFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".story"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := newStory(t).play(string(want))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("the story went otherwise:\n%s", got)
			}
		})
	}
}

func storyFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.story")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding stories: %d, %v", len(files), err)
	}
	return files
}

// story is a run that a text moves.
type story struct {
	t        *testing.T
	flow     *engine.Workflow
	run      *engine.Run
	now      time.Time
	outcomes map[engine.AttemptID]*engine.Outcome
	calls    []*engine.Attempt
	appends  []*v1.Facts
	parent   *v1.Parent
	dropped  map[string]bool // called runs
	out      strings.Builder
}

func newStory(t *testing.T) *story {
	return &story{
		t: t, run: engine.NewRun("run"), now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		flow:     &engine.Workflow{Name: "flow", Vars: map[string]any{}},
		outcomes: map[engine.AttemptID]*engine.Outcome{}, dropped: map[string]bool{},
	}
}

func (s *story) play(text string) string {
	for lines := strings.Split(text, "\n"); len(lines) > 0; {
		line := lines[0]
		lines = lines[1:]
		switch {
		case strings.HasPrefix(line, "#"), line == "":
			fmt.Fprintln(&s.out, line)
		case line == "> yaml":
			fmt.Fprintln(&s.out, line)
			lines = s.yaml(lines)
		case strings.HasPrefix(line, "> "):
			fmt.Fprintln(&s.out, line)
			s.do(strings.Fields(line[2:]))
		}
	}
	s.replays()
	return strings.TrimRight(s.out.String(), "\n") + "\n"
}

func (s *story) do(words []string) {
	args := words[1:]
	switch words[0] {
	case "workflow":
		s.flow.Timeout, _ = time.ParseDuration(args[0])
	case "step":
		s.flow.Steps = append(s.flow.Steps, s.step(args))
	case "called":
		depth, _ := strconv.Atoi(args[0])
		s.parent = &v1.Parent{Workflow: "above", Run: "above", Step: "call", Depth: uint32(depth)}
	case "start":
		s.start(strings.Join(args, " "))
	case "queue":
		s.queue(strings.Join(args, " "))
	case "pass":
		d, err := time.ParseDuration(args[0])
		s.must(err)
		s.now = s.now.Add(d)
	case "after":
		d, err := time.ParseDuration(args[0])
		s.must(err)
		s.now = s.now.Add(d)
		s.decide()
	case "ok", "found":
		s.outcomes[s.called(&args).AttemptID] = &engine.Outcome{Found: words[0] == "found", Output: &v1.Value{Json: []byte(strings.Join(args, " "))}, Took: time.Second}
		s.decide()
	case "nothing":
		s.outcomes[s.called(&args).AttemptID] = &engine.Outcome{}
		s.decide()
	case "error":
		status, _ := strconv.Atoi(args[1])
		s.outcomes[s.called(&args).AttemptID] = &engine.Outcome{Class: args[0], Took: time.Second, Error: &v1.Error{Status: int32(status), Message: strings.Join(args[2:], " ")}}
		s.decide()
	default:
		s.outside(words[0], args)
	}
}

// ends says which called runs an ended step no longer waits for.
func (s *story) ends() {
	for _, c := range s.run.Calls() {
		if c.Dropped && !s.dropped[c.Run] {
			s.dropped[c.Run] = true
			s.say("→ cancel the run that " + c.Step + " called")
		}
	}
}

// called is the open call that a line is about: by its step, where it names one.
func (s *story) called(args *[]string) *engine.Attempt {
	if len(*args) > 0 && strings.HasPrefix((*args)[0], "@") {
		path := (*args)[0][1:]
		*args = (*args)[1:]
		for _, c := range s.calls {
			if c.Step == path {
				return c
			}
		}
		s.t.Fatalf("story: %s is not called", path)
	}
	if len(s.calls) != 1 {
		s.t.Fatalf("story: %d calls are open, say which by @step", len(s.calls))
	}
	return s.calls[0]
}

// start begins the run by an event with this body.
func (s *story) start(body string) {
	facts, err := s.run.Begin(s.now, s.started(body), claim(1), nil)
	s.must(err)
	s.decide(facts...)
}

// queue begins it as one that waits at its gate, with nobody who owns it.
func (s *story) queue(body string) {
	facts, err := s.run.Begin(s.now, s.started(body), nil, nil)
	s.must(err)
	queued, err := s.run.Add(s.now, &v1.Fact{Kind: &v1.Fact_GateQueued{GateQueued: &v1.GateQueued{Gate: "flow.x", Limit: 1}}})
	s.must(err)
	s.run.State, s.run.Parked = engine.Waiting, true
	s.keep(append(facts, queued))
	s.run.QueuedAt(17)
}

func (s *story) started(body string) *v1.RunStarted {
	start := &v1.RunStarted{Workflow: s.flow.Name, Version: "v1", Parent: s.parent, Event: &v1.Event{Id: "e1", Type: "meeting.ended",
		Source: "zoom", Body: &v1.Value{Json: []byte(body)}}}
	if s.flow.Timeout > 0 {
		start.Deadline = s.now.Add(s.flow.Timeout).UnixNano()
	}
	return start
}

// outside is what messages bring.
func (s *story) outside(what string, args []string) {
	f := s.fact(what, args)
	if f == nil {
		return
	}
	if what == "continue" {
		s.must(s.run.Apply(f))
		s.keep([]*v1.Fact{f})
		return
	}
	if what == "takeover" || s.run.State != engine.Running {
		f.Claim = claim(s.run.Epoch() + 1)
		s.outcomes, s.calls = map[engine.AttemptID]*engine.Outcome{}, nil
	}
	f, err := s.run.Add(s.now, f)
	if err != nil {
		s.say("refused: " + err.Error())
		return
	}
	s.decide(f)
}

// fact is what a message adds; nil: nothing.
func (s *story) fact(what string, args []string) *v1.Fact {
	rest := func(from int) *v1.Value { return value(strings.Join(args[min(from, len(args)):], " ")) }
	switch what {
	case "wake":
		f := s.run.Due(s.now)
		if f == nil {
			s.say("nothing is due")
		}
		return f
	case "takeover":
		return &v1.Fact{Kind: &v1.Fact_RunClaimed{RunClaimed: &v1.RunClaimed{From: s.run.Claim.Worker}}}
	case "cancel":
		c := &v1.CancelRequested{Command: "c1", By: "me", Now: len(args) > 0 && args[0] == "now"}
		return &v1.Fact{Kind: &v1.Fact_CancelRequested{CancelRequested: c}}
	case "approve":
		return &v1.Fact{Step: args[0], Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{Command: "a1", By: "me", Choice: args[1], Output: rest(2)}}}
	case "enter":
		return &v1.Fact{Kind: &v1.Fact_GateEntered{GateEntered: &v1.GateEntered{Gate: "flow.x", Place: 17}}}
	case "signal":
		return &v1.Fact{Kind: &v1.Fact_SignalReceived{SignalReceived: &v1.SignalReceived{Command: "s1", By: "me", Name: args[0], Data: rest(1)}}}
	case "arrive":
		return s.arrive(args[0], rest(1).GetJson())
	case "ended":
		return &v1.Fact{Step: args[0], Kind: &v1.Fact_CallEnded{CallEnded: &v1.CallEnded{State: args[1], Output: rest(2), Error: failure(args)}}}
	case "retry":
		return &v1.Fact{Kind: &v1.Fact_RunRetried{RunRetried: &v1.RunRetried{Command: "r1", By: "me", With: fixes(args)}}}
	case "again":
		k := &v1.StepStarted{Attempt: s.run.Step(args[0]).Attempt, Again: true, Deadline: s.now.Add(time.Minute).UnixNano()}
		return &v1.Fact{Step: args[0], Kind: &v1.Fact_StepStarted{StepStarted: k}}
	case "continue":
		return s.run.Continue(s.now)
	}
	s.t.Fatalf("story: what is %q?", what)
	return nil
}

func value(json string) *v1.Value {
	if json == "" {
		return nil
	}
	return &v1.Value{Json: []byte(json)}
}

// failure is why a called run did not complete.
func failure(args []string) *v1.Error {
	if args[1] == string(engine.Completed) {
		return nil
	}
	return &v1.Error{Message: "the called run is " + args[1]}
}

// fixes reads PATH=JSON.
func fixes(args []string) map[string]*v1.Value {
	path, with, ok := strings.Cut(strings.Join(args, " "), "=")
	if !ok {
		return nil
	}
	return map[string]*v1.Value{path: value(with)}
}

// arrive brings an event to the wait of a step: PATH, or PATH/ALTERNATIVE.
func (s *story) arrive(where string, body []byte) *v1.Fact {
	path, name, _ := strings.Cut(where, "/")
	for _, w := range s.run.Waits() {
		i := slices.IndexFunc(w.Of, func(a *v1.Alternative) bool { return a.Name == name })
		if w.Step != path || i < 0 {
			continue
		}
		f, err := s.run.Arrive(s.flow, s.now, engine.Arrived{Fact: w.Fact, Alternative: i, Sequence: 7, EventID: "e2", Body: body})
		s.must(err)
		if f == nil {
			s.say("it is not what " + path + " waits for")
		}
		return f
	}
	s.say("nothing waits for it")
	return nil
}

// step reads: NAME EFFECT [KEY=VALUE…], or NAME sleep DURATION.
func (s *story) step(args []string) *engine.Step {
	uses := &engine.Uses{Retry: engine.DefaultRetry}
	step := &engine.Step{ID: args[0], Token: args[0], Path: args[0], Do: uses}
	if args[1] == "sleep" {
		step.Do = &engine.Sleep{For: s.template(args[2])}
		return step
	}
	effect := args[1]
	uses.Action, uses.Probes = effect+".it", effect == "probed"
	uses.With = s.template(map[string]any{"id": "${{ event.id }}"})
	uses.Reads = func(map[string]any) bool { return effect == "read" }
	uses.Repeatable = func(map[string]any) bool { return effect == "read" || effect == "idempotent" }
	for _, a := range args[2:] {
		key, value, _ := strings.Cut(a, "=")
		switch key {
		case "attempts":
			uses.Retry.Attempts, _ = strconv.Atoi(value)
		case "delay":
			uses.Retry.Delay, _ = time.ParseDuration(value)
		case "on_unknown":
			uses.OnUnknown = engine.Policy(value)
		case "if":
			p, err := expr.Compile(value, scope())
			s.must(err)
			step.If = p
		case "retry_if":
			p, err := expr.Compile(value, scope())
			s.must(err)
			uses.Retry.If = p
		}
	}
	return step
}

func (s *story) template(tree any) *expr.Template {
	t, err := expr.ParseTemplate(tree, scope())
	s.must(err)
	return t
}

func (s *story) decide(before ...*v1.Fact) {
	turn := engine.Turn{Now: s.now, Outcomes: s.outcomes}
	folded := engine.NewRun("run")
	s.must(folded.Replay(append(slices.Clone(s.appends), &v1.Facts{Facts: before, State: string(s.run.State)})))
	d, err := s.run.Decide(s.flow, turn)
	s.must(err)
	if other, err := folded.Decide(s.flow, turn); err != nil || fmt.Sprint(other.Facts) != fmt.Sprint(d.Facts) {
		s.t.Errorf("story: folded anew, it decides %v, not %v (%v)", other.Facts, d.Facts, err)
	}
	s.keep(append(before, d.Facts...))
	again, err := s.run.Decide(s.flow, turn)
	s.must(err)
	if len(again.Facts) > 0 {
		s.t.Errorf("story: decided again, there is more: %v", again.Facts)
	}
	if why := asleep(s.run); why != "" {
		s.t.Error("story: " + why)
	}
	old := s.calls
	s.calls = d.Calls
	for _, c := range d.Calls {
		switch {
		case slices.ContainsFunc(old, func(o *engine.Attempt) bool { return o.AttemptID == c.AttemptID }):
			s.say("→ " + c.Step + " is under way")
		case c.Probe > 0:
			s.say(fmt.Sprintf("→ probe attempt %d of %s", c.Attempt, c.Step))
		default:
			s.say(fmt.Sprintf("→ call %s, attempt %d, with %s", c.Step, c.Attempt, c.Input.GetJson()))
		}
	}
	s.ends()
	switch {
	case !d.Until.IsZero():
		s.say("→ wait in memory until " + clock(d.Until.UnixNano()))
	case len(d.Calls) > 0:
	case s.run.State == engine.Waiting:
		s.say("→ park")
	default:
		s.say("→ " + string(s.run.State))
	}
}

// replays checks that folding the history again gives the same run.
func (s *story) replays() {
	again := engine.NewRun("run")
	s.must(again.Replay(s.appends))
	if got, want := whole(again), whole(s.run); got != want {
		s.t.Errorf("replayed, the run is\n%s, not\n%s", got, want)
	}
}

func (s *story) say(line string) { fmt.Fprintln(&s.out, "  "+line) }

func scope() *expr.Scope {
	roots := map[string]expr.Type{}
	for _, name := range []string{"event", "trigger", "steps", "vars", "run", "step", "error", "item", "index", "failure"} {
		roots[name] = expr.Type{}
	}
	return expr.NewScope(roots, nil, nil)
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func claim(epoch uint64) *v1.Claim {
	return &v1.Claim{Worker: fmt.Sprintf("w%d", epoch), Epoch: epoch, Stream: "EVENTS", Sequence: epoch}
}

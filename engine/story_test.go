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
	files, err := filepath.Glob("testdata/*.story")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding stories: %d, %v", len(files), err)
	}
	for _, file := range files {
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

// story is a run that a text moves.
type story struct {
	t        *testing.T
	flow     *engine.Workflow
	run      *engine.Run
	now      time.Time
	outcomes map[engine.AttemptID]*engine.Outcome
	calls    []*engine.Attempt
	appends  []*v1.Facts
	out      strings.Builder
}

func newStory(t *testing.T) *story {
	return &story{
		t: t, run: engine.NewRun("run"), now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		flow:     &engine.Workflow{Name: "flow", Vars: map[string]any{}},
		outcomes: map[engine.AttemptID]*engine.Outcome{},
	}
}

func (s *story) play(text string) string {
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "#"), line == "":
			fmt.Fprintln(&s.out, line)
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
	case "start":
		start := &v1.RunStarted{Workflow: "flow", Version: "v1", Event: &v1.Event{Id: "e1", Type: "meeting.ended",
			Body: &v1.Value{Json: []byte(strings.Join(args, " "))}}}
		if s.flow.Timeout > 0 {
			start.Deadline = s.now.Add(s.flow.Timeout).UnixNano()
		}
		facts, err := s.run.Begin(s.now, start, claim(1), nil)
		s.must(err)
		s.decide(facts...)
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

// outside is what messages bring.
func (s *story) outside(what string, args []string) {
	var f *v1.Fact
	switch what {
	case "wake":
		if f = s.run.Due(s.now); f == nil {
			s.say("nothing is due")
			return
		}
	case "takeover":
		f = &v1.Fact{Kind: &v1.Fact_RunClaimed{RunClaimed: &v1.RunClaimed{From: s.run.Claim.Worker}}}
	case "cancel":
		f = &v1.Fact{Kind: &v1.Fact_CancelRequested{CancelRequested: &v1.CancelRequested{Command: "c1", By: "me"}}}
	case "approve":
		f = &v1.Fact{Step: args[0], Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{Command: "a1", By: "me", Choice: args[1]}}}
	case "continue":
		f = s.run.Continue(s.now)
		s.must(s.run.Apply(f))
		s.keep([]*v1.Fact{f})
		return
	default:
		s.t.Fatalf("story: what is %q?", what)
	}
	f.Claim = claim(s.run.Epoch() + 1)
	f, err := s.run.Add(s.now, f)
	if err != nil {
		s.say("refused: " + err.Error())
		return
	}
	s.decide(f)
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
	d, err := s.run.Decide(s.flow, engine.Turn{Now: s.now, Outcomes: s.outcomes})
	s.must(err)
	s.keep(append(before, d.Facts...))
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

// keep notes an append and says what is in it.
func (s *story) keep(facts []*v1.Fact) {
	if len(facts) == 0 {
		return
	}
	s.appends = append(s.appends, &v1.Facts{Facts: facts, State: string(s.run.State)})
	for _, f := range facts {
		s.say(fmt.Sprintf("%2d %s %s", f.Number, clock(f.At), strings.TrimSpace(engine.Kind(f)+" "+f.Step+detail(f))))
	}
}

func detail(f *v1.Fact) string {
	d := ""
	if f.Claim != nil {
		d += fmt.Sprintf(" (epoch %d)", f.Claim.Epoch)
	}
	switch k := f.Kind.(type) {
	case *v1.Fact_StepStarted:
		d += fmt.Sprintf(" attempt %d", k.StepStarted.Attempt)
	case *v1.Fact_StepCompleted:
		d += fmt.Sprintf(" %s", k.StepCompleted.Output.GetJson())
	case *v1.Fact_StepFailed:
		d += fmt.Sprintf(" %s, %s", k.StepFailed.Class, k.StepFailed.Next)
		if k.StepFailed.NextAt != 0 {
			d += " at " + clock(k.StepFailed.NextAt)
		}
		d += ": " + k.StepFailed.Error.GetMessage()
	case *v1.Fact_TimerSet:
		d += fmt.Sprintf(" for %s until %s", k.TimerSet.Reason, clock(k.TimerSet.Due))
	case *v1.Fact_TimerFired:
		d += fmt.Sprintf(" of %d", k.TimerFired.Timer)
	case *v1.Fact_RunFailed:
		d += fmt.Sprintf(" %s %s: %s", k.RunFailed.Reason, k.RunFailed.Step, k.RunFailed.Error.GetMessage())
	case *v1.Fact_RunEnding:
		d += fmt.Sprintf(" %s %s %s", k.RunEnding.State, k.RunEnding.Reason, k.RunEnding.Step)
	case *v1.Fact_RunCanceled:
		d += " " + k.RunCanceled.Why
	case *v1.Fact_RunCompleted:
		d += fmt.Sprintf(" %s", k.RunCompleted.Output.GetJson())
	case *v1.Fact_ValueSet:
		d += fmt.Sprintf(" %s", k.ValueSet.Value.GetJson())
	case *v1.Fact_BranchChosen:
		d += " " + k.BranchChosen.Branch
	case *v1.Fact_LoopStarted:
		d += fmt.Sprintf(" %s", k.LoopStarted.Items.GetJson())
	case *v1.Fact_WaitEnded:
		d += fmt.Sprintf(" %s %s", k.WaitEnded.Outcome, k.WaitEnded.Output.GetJson())
	case *v1.Fact_CallStarted:
		d += fmt.Sprintf(" %s with %s", k.CallStarted.Workflow, k.CallStarted.Inputs.GetJson())
	case *v1.Fact_CallEnded:
		d += " " + k.CallEnded.State
	case *v1.Fact_SignalReceived:
		d += " " + k.SignalReceived.Name
	case *v1.Fact_RunContinued:
		d += fmt.Sprintf(" with %d facts", len(k.RunContinued.Facts))
	}
	return d
}

// replays checks that folding the history again gives the same run.
func (s *story) replays() {
	again := engine.NewRun("run")
	s.must(again.Replay(s.appends))
	if got, want := summary(again), summary(s.run); got != want {
		s.t.Errorf("replayed, the run is\n%s, not\n%s", got, want)
	}
}

func summary(r *engine.Run) string {
	text := fmt.Sprintf("%s at %s, %d facts, epoch %d, %d timers", r.State, r.At, r.Facts, r.Epoch(), len(r.Timers))
	for path, s := range r.Steps {
		if s.Status != "" {
			text += fmt.Sprintf("; %s %s %d", path, s.Status, s.Attempt)
		}
	}
	if strings.Count(text, ";") > 1 {
		parts := strings.Split(text, "; ")
		return parts[0] + fmt.Sprint(len(parts))
	}
	return text
}

func (s *story) say(line string) { fmt.Fprintln(&s.out, "  "+line) }

func scope() *expr.Scope {
	roots := map[string]expr.Type{}
	for _, name := range []string{"event", "trigger", "steps", "vars", "run", "step", "error"} {
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

func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("2/15:04:05.999") }

package reuse_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/reuse"
	v1 "zflow/proto/zflow/v1"
)

func uses(id string) *engine.Step {
	return &engine.Step{ID: id, Token: id, Path: id, Do: &engine.Uses{Action: "log", Retry: engine.Retry{Attempts: 1}}}
}

// below moves steps into a branch.
func below(prefix string, steps ...*engine.Step) []*engine.Step {
	for _, s := range steps {
		s.Path = prefix + s.Path
	}
	return steps
}

func block(id string, mode engine.Mode, branches ...*engine.Branch) *engine.Step {
	return &engine.Step{ID: id, Token: id, Path: id, Do: &engine.Block{Mode: mode, Branches: branches}}
}

// flow is a, b (may fail), a switch, a parallel, a loop of groups, last.
func flow() *engine.Workflow {
	may, a := uses("b"), uses("a")
	may.ContinueOnError = true
	a.Undo = &engine.Uses{Action: "log"}
	loop := block("loop", engine.Group, &engine.Branch{Steps: below("loop.", uses("in"))})
	loop.Loop = &engine.Loop{AtOnce: 1}
	return &engine.Workflow{Name: "w", Version: "v", Steps: []*engine.Step{
		a, may,
		block("which", engine.Switch, &engine.Branch{Name: "case1", Steps: below("which.case1.", uses("one"), uses("two"))},
			&engine.Branch{Name: "else", Steps: below("which.else.", uses("other"))}),
		block("both", engine.Parallel, &engine.Branch{Name: "x", Steps: below("both.x.", uses("px"))}, &engine.Branch{Name: "y", Steps: below("both.y.", uses("py"))}),
		loop, uses("last"),
	}, Finally: below("finally.", uses("bye"))}
}

func began(step string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: 1, Uses: "log", Input: &v1.Value{Json: []byte("{}")}}}}
}

func done(step string) []*v1.Fact {
	return []*v1.Fact{began(step), {Step: step, Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Attempt: 1, Output: &v1.Value{Json: []byte(`"` + step + `"`)}}}}}
}

func failed(step string) []*v1.Fact {
	return []*v1.Fact{began(step), {Step: step, Kind: &v1.Fact_StepFailed{StepFailed: &v1.StepFailed{Attempt: 1, Class: "final", Next: "fail", Error: &v1.Error{Message: "no"}}}}}
}

func closed(step string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{}}}
}

func chosen(step, branch string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_BranchChosen{BranchChosen: &v1.BranchChosen{Branch: branch}}}
}

// whole is what a run did that came to its last step.
func whole() []*v1.Fact {
	return slices.Concat(done("a"), failed("b"), []*v1.Fact{chosen("which", "case1")}, done("which.case1.one"), done("which.case1.two"), []*v1.Fact{closed("which"), chosen("both", "")},
		done("both.x.px"), done("both.y.py"), []*v1.Fact{closed("both"), {Step: "loop", Kind: &v1.Fact_LoopStarted{LoopStarted: &v1.LoopStarted{Items: &v1.Value{Json: []byte("[1]")}, Count: 1}}}, chosen("loop[0]", "")},
		done("loop[0].in"), []*v1.Fact{closed("loop[0]"), closed("loop")}, failed("last"))
}

var runFailed = &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: "step", Step: "last", Error: &v1.Error{Message: "no"}}}}

var start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func runOf(t *testing.T, version string, facts ...*v1.Fact) *engine.Run {
	t.Helper()
	r := engine.NewRun("old")
	first := &v1.Fact{Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{Workflow: "w", Version: version, Event: &v1.Event{Id: "e", Body: &v1.Value{Json: []byte("{}")}}}}}
	for _, f := range append([]*v1.Fact{first}, facts...) {
		if _, err := r.Add(start, f); err != nil {
			t.Fatalf("%s of %s: %v", engine.Kind(f), f.Step, err)
		}
	}
	return r
}

func TestWhereARunIsCut(t *testing.T) {
	for name, want := range map[string]struct {
		from   string
		reused []string
	}{
		"a":               {"a", nil},
		"which":           {"which", []string{"a", "b"}},
		"which.case1.one": {"which.case1.one", []string{"a", "b"}},
		"two":             {"which.case1.two", []string{"a", "b", "which.case1.one"}},
		"both":            {"both", []string{"a", "b", "which"}},
		"loop":            {"loop", []string{"a", "b", "which", "both"}},
		"last":            {"last", []string{"a", "b", "which", "both", "loop"}},
	} {
		c, err := reuse.At(flow(), runOf(t, "v", append(whole(), runFailed)...), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.From != want.from || !slices.Equal(c.Reused, want.reused) {
			t.Errorf("%s: from %s with %v", name, c.From, c.Reused)
		}
		for path, in := range map[string]string{"a": "a", "which.case1.one": "which.case1.one", "loop[0].in": "loop", "a.undo": "a", "ab": "", "finally.bye": ""} {
			if in == "which.case1.one" && slices.Contains(want.reused, "which") {
				in = "which"
			}
			if got := c.Reuses(path); got != slices.Contains(want.reused, in) {
				t.Errorf("from %s: %s is reused: %v", name, path, got)
			}
		}
	}
}

func TestARunThatCannotBeCut(t *testing.T) {
	short := append(done("a"), failed("b")...)
	kind := func(change func(w *engine.Workflow)) *engine.Workflow {
		w := flow()
		w.Version = "v2"
		change(w)
		return w
	}
	back := slices.Concat(whole(), []*v1.Fact{{Kind: &v1.Fact_RunEnding{RunEnding: &v1.RunEnding{State: "failed", Reason: "step", Step: "last", Error: &v1.Error{Message: "no"}}}}}, done("a.undo"), []*v1.Fact{runFailed})
	for want, c := range map[string]struct {
		flow  *engine.Workflow
		facts []*v1.Fact
		from  string
	}{
		"workflow w has no step lst: did you mean last?":                            {flow(), whole(), "lst"},
		"workflow w has no step zzzzzz: its steps are a, b, which":                  {flow(), whole(), "zzzzzz"},
		"finally.bye is none of the run's own steps":                                {flow(), whole(), "finally.bye"},
		"a.undo is none of the run's own steps":                                     {flow(), whole(), "a.undo"},
		"loop[0] is inside of the loop loop, whose iterations are not taken apart":  {flow(), whole(), "loop[0]"},
		"step loop.in is inside of the loop loop, whose iterations are not":         {flow(), whole(), "in"},
		"step both.x.px is inside of both, beside whose branches none comes before": {flow(), whole(), "px"},
		"in which it took the branch case1":                                         {flow(), whole(), "other"},
		"the run has not reached step which.case1.one: which around it is not":      {flow(), short, "one"},
		"the run has not reached step last":                                         {flow(), append(slices.Clone(whole()[:len(whole())-2]), runFailed), "last"},
		"step which before it has not completed, it is not reached":                 {flow(), short, "both"},
		"step b before it has not completed, it is failed":                          {kind(func(w *engine.Workflow) { w.Steps[1].ContinueOnError = false }), whole(), "last"},
		"step which before it is of another kind in this version":                   {kind(func(w *engine.Workflow) { w.Steps[2] = uses("which") }), whole(), "last"},
		"step a before it is of another kind in this version":                       {kind(func(w *engine.Workflow) { w.Steps[0].Loop = &engine.Loop{AtOnce: 1} }), whole(), "last"},
		"2 steps have the id last: name one by its path, such as which.else.last": {kind(func(w *engine.Workflow) {
			w.Steps[2].Do.(*engine.Block).Branches[1].Steps = below("which.else.", uses("last"))
			w.Steps[5].Path = "final"
		}), whole(), "last"},
		"the run has undone step a, or tried to":                                      {flow(), back, "last"},
		"the run has not ended, and may yet undo step a: wait for its end, or cancel": {flow(), whole(), "last"},
	} {
		if c.from == "last" && !strings.Contains(want, "yet undo") && c.facts[len(c.facts)-1] != runFailed {
			c.facts = append(slices.Clone(c.facts), runFailed)
		}
		_, err := reuse.At(c.flow, runOf(t, "v", c.facts...), c.from)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("from %s: %v\nwant %s", c.from, err, want)
		}
	}
}

// A run that goes on begins with what the other did, and with nothing else of it.
func TestBeginning(t *testing.T) {
	for from, kinds := range map[string][]string{
		"a":    {"run_started"},
		"b":    {"run_started", "step_completed a"},
		"two":  {"run_started", "step_completed a", "step_failed b", "branch_chosen which", "step_completed which.case1.one"},
		"both": {"run_started", "step_completed a", "step_failed b", "branch_chosen which", "step_completed which.case1.one", "step_completed which.case1.two", "step_completed which"},
	} {
		old := runOf(t, "v", append(whole(), runFailed)...)
		c, err := reuse.At(flow(), old, from)
		if err != nil {
			t.Fatal(err)
		}
		begin := &v1.RunStarted{Workflow: "w", Version: "v", Event: old.Start.Event, Replay: &v1.Replay{Run: "old", By: "me"}}
		run, facts, err := c.Begin("new", start.Add(time.Hour), begin)
		if err != nil {
			t.Fatal(from, err)
		}
		var got []string
		for _, f := range facts {
			got = append(got, strings.TrimSpace(engine.Kind(f)+" "+f.Step))
		}
		if !slices.Equal(got, kinds) {
			t.Errorf("from %s: %v", from, got)
		}
		if begin.Replay.Facts != uint64(len(kinds)-1) || begin.Replay.From != c.From || run.State.Ended() {
			t.Errorf("from %s: %v, %s", from, begin.Replay, run.State)
		}
		if len(kinds) > 1 && string(run.Steps["a"].Output.Json) != `"a"` || run.Steps["last"] != nil && run.Steps["last"].Status != "" {
			t.Errorf("from %s: %v", from, run.Steps)
		}
		if old.State != engine.Failed {
			t.Error("the other run was changed")
		}
	}
}

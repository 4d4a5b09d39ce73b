package engine_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"zflow/engine"
	"zflow/engine/expr"
	v1 "zflow/proto/zflow/v1"
)

// play is a run that anything happens to, and its history.
type play struct {
	*rapid.T
	flow     *engine.Workflow
	run      *engine.Run
	now      time.Time
	outcomes map[engine.AttemptID]*engine.Outcome
	open     []*engine.Attempt // called, and not answered
	paths    []string          // of all steps that can be asked about
	appends  []*v1.Facts
	messages uint64
	calls    map[engine.AttemptID]int
	begun    map[engine.AttemptID]bool
	aged     bool
	light    bool // there is too much to fold the run at each turn
}

// TestAnyPlay lets anything that can happen to a run happen, in any order: the
// engine never panics, never contradicts itself, calls no attempt twice, and the
// fold of what was appended is the run that was.
func TestAnyPlay(t *testing.T) {
	steps := documented(t, "A step")
	often(t, func(t *rapid.T) {
		p := newPlay(t)
		p.begin()
		acts := map[string]func(){
			"outcome": p.outcome, "pass": p.pass, "wake": p.wake, "takeover": p.takeover, "cancel": p.cancel,
			"approve": p.approve, "signal": p.signal, "arrive": p.arrive, "called": p.called, "retry": p.retry, "continue": p.renew, "reload": p.reload, "hold": p.hold,
		}
		names := []string{"outcome", "outcome", "outcome", "outcome", "pass", "pass", "wake", "wake", "takeover", "cancel", "approve", "signal", "arrive", "called", "retry", "continue", "reload", "hold"}
		for range rapid.IntRange(1, 40).Draw(t, "acts") {
			name := rapid.SampledFrom(names).Draw(t, "act")
			if name == "cancel" && rapid.IntRange(0, 5).Draw(t, "really") > 0 {
				continue
			}
			acts[name]()
			p.check()
		}
		p.cuts()
		p.replayed()
		p.machine(steps)
		p.offend(steps)
	})
}

// often is rapid.Check, with more tries than it has by itself.
func often(t *testing.T, play func(*rapid.T)) {
	t.Helper()
	for range 5 {
		rapid.Check(t, play)
	}
}

func newPlay(t *rapid.T) *play {
	p := &play{
		T: t, run: engine.NewRun("run"), now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), flow: &engine.Workflow{Name: "flow"},
		outcomes: map[engine.AttemptID]*engine.Outcome{}, calls: map[engine.AttemptID]int{}, begun: map[engine.AttemptID]bool{},
	}
	if rapid.Bool().Draw(t, "timeout") {
		p.flow.Timeout = time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second
	}
	p.flow.Steps = p.list("", "s", 1)
	if rapid.Bool().Draw(t, "cleans") {
		p.flow.OnFailure, p.flow.Finally = p.list("on_failure.", "f", 0), p.list("finally.", "g", 0)
	}
	return p
}

// list draws the steps of a branch; deep says how much may be inside of them.
func (p *play) list(prefix, name string, deep int) []*engine.Step {
	var all []*engine.Step
	for i := range rapid.IntRange(1, 3).Draw(p.T, "steps") {
		id := fmt.Sprint(name, i)
		s := p.step(prefix, id)
		if deep > 0 && rapid.IntRange(0, 2).Draw(p.T, "block") == 0 {
			s.Do = p.block(prefix+id, id, deep-1)
		}
		if rapid.IntRange(0, 4).Draw(p.T, "loop") == 0 {
			s.Loop = &engine.Loop{Over: p.template(rapid.SampledFrom([]any{[]any{int64(1), int64(2)}, []any{}, "none"}).Draw(p.T, "list")),
				As: "item", AtOnce: rapid.IntRange(1, 3).Draw(p.T, "at once")}
			if rapid.Bool().Draw(p.T, "until") {
				s.Loop.AtOnce, s.Loop.Until = 1, p.program("event.n == 1")
			}
		}
		if rapid.IntRange(0, 5).Draw(p.T, "timeout") == 0 {
			s.Timeout = time.Minute
		}
		s.ContinueOnError = rapid.IntRange(0, 3).Draw(p.T, "continue") == 0
		all = append(all, s)
	}
	return all
}

func (p *play) block(path, id string, deep int) *engine.Block {
	switch b := (&engine.Block{Mode: rapid.SampledFrom([]engine.Mode{engine.Group, engine.Parallel, engine.Switch}).Draw(p.T, "mode")}); b.Mode {
	case engine.Group:
		b.Branches = []*engine.Branch{{Steps: p.list(path+".", id+"x", deep)}}
		return b
	default:
		for _, name := range []string{"left", "right"} {
			branch := &engine.Branch{Name: name, Steps: p.list(path+"."+name+".", id+name[:1], deep)}
			if b.Mode == engine.Switch {
				branch.If = p.program(rapid.SampledFrom([]string{"true", "false"}).Draw(p.T, "case"))
			}
			b.Branches = append(b.Branches, branch)
		}
		return b
	}
}

func (p *play) step(prefix, name string) *engine.Step {
	p.paths = append(p.paths, prefix+name, prefix+name+"[0]", prefix+name+".undo")
	uses := &engine.Uses{Retry: engine.Retry{Attempts: rapid.IntRange(1, 4).Draw(p.T, "attempts"), Delay: time.Second, Backoff: 3}}
	s := &engine.Step{ID: name, Token: name, Path: prefix + name, Do: uses}
	effect := rapid.SampledFrom([]string{"sleep", "read", "idempotent", "write", "probed", "skipped", "undone", "set", "wait", "ask", "call", "stop"}).Draw(p.T, "effect")
	switch effect {
	case "sleep":
		s.Do = &engine.Sleep{For: p.template(rapid.SampledFrom([]any{"0s", "1s", "1h", "soon", "-5s", int64(3)}).Draw(p.T, "sleep"))}
		return s
	case "set":
		s.Do = &engine.Set{Value: p.template("${{ event.n }}")}
		return s
	case "wait":
		w := &engine.Wait{Of: []*engine.Arrival{{Signal: "go"}, {Name: "came", Source: "zoom", Types: []string{"a.b"}, Match: []engine.Match{{Path: "n", Value: p.template("${{ event.n }}")}}}}}
		w.Timeout = time.Duration(rapid.IntRange(0, 600).Draw(p.T, "wait")) * time.Second
		w.OnTimeout = rapid.SampledFrom([]engine.OnTimeout{engine.TimeoutFail, engine.TimeoutContinue}).Draw(p.T, "on timeout")
		s.Do = w
		return s
	case "ask":
		s.Do = &engine.Ask{Choices: []string{"approved", "rejected"}, Timeout: time.Hour, Remind: 7 * time.Minute}
		return s
	case "call":
		s.Do = &engine.Call{Workflow: "other", Wait: rapid.Bool().Draw(p.T, "waits")}
		return s
	case "stop":
		s.Do = &engine.Stop{Status: rapid.SampledFrom([]engine.State{engine.Completed, engine.Failed, engine.Canceled}).Draw(p.T, "stop")}
		return s
	case "undone":
		s.Undo = uses
	case "skipped":
		s.If = p.program(rapid.SampledFrom([]string{"false", "1 + event.nothing.at.all > 0"}).Draw(p.T, "if"))
	}
	uses.Action, uses.Probes = "an.action", effect == "probed"
	uses.Reads = func(map[string]any) bool { return effect == "read" }
	uses.Repeatable = func(map[string]any) bool { return effect == "read" || effect == "idempotent" }
	uses.OnUnknown = rapid.SampledFrom([]engine.Policy{"", "", engine.PolicyRetry, engine.PolicyAsk, engine.PolicyFail}).Draw(p.T, "policy")
	return s
}

func (p *play) template(tree any) *expr.Template {
	t, err := expr.ParseTemplate(tree, scope())
	p.must(err)
	return t
}

func (p *play) program(src string) *expr.Program {
	e, err := expr.Compile(src, scope())
	p.must(err)
	return e
}

func (p *play) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatalf("%v\n%s", err, p.facts())
	}
}

func (p *play) claim() *v1.Claim {
	p.messages++
	return &v1.Claim{Worker: fmt.Sprint("w", p.messages), Epoch: p.run.Epoch() + 1, Stream: "WAKES", Sequence: p.messages}
}

func (p *play) begin() {
	start := &v1.RunStarted{Workflow: "flow", Version: "v1", Event: &v1.Event{Id: "e", Body: &v1.Value{Json: []byte(`{"n":1}`)}}}
	if p.flow.Timeout > 0 {
		start.Deadline = p.now.Add(p.flow.Timeout).UnixNano()
	}
	facts, err := p.run.Begin(p.now, start, p.claim(), nil)
	p.must(err)
	p.decide(false, facts...)
}

// decide is the shell's turn: append what was decided, and note the call.
func (p *play) decide(hold bool, before ...*v1.Fact) {
	turn := engine.Turn{Now: p.now, Outcomes: p.outcomes, Hold: hold}
	folded := p.folded(before)
	d, err := p.run.Decide(p.flow, turn)
	p.must(err)
	if folded != nil {
		p.same(folded, turn, d)
	}
	p.keep(append(before, d.Facts...))
	p.open = d.Calls
	p.once(d)
	if why := asleep(p.run); why != "" {
		p.Fatalf("%s\n%s", why, p.facts())
	}
	if len(d.Calls) > 0 && hold {
		p.Fatalf("a call though attempts are held back")
	}
	again, err := p.run.Decide(p.flow, turn)
	p.must(err)
	if len(again.Facts) > 0 {
		p.Fatalf("decided again, with nothing new: %v\n%s", again.Facts, p.facts())
	}
}

// folded is the run folded anew, with what has come; nil: it is not looked at.
func (p *play) folded(before []*v1.Fact) *engine.Run {
	if p.light {
		return nil
	}
	run := p.fold()
	p.must(run.Replay([]*v1.Facts{{Facts: before, State: string(p.run.State)}}))
	return run
}

// same checks that a run folded anew decides what the one in memory did.
func (p *play) same(folded *engine.Run, turn engine.Turn, d engine.Decision) {
	other, err := folded.Decide(p.flow, turn)
	p.must(err)
	if len(other.Facts) != len(d.Facts) || len(other.Calls) != len(d.Calls) {
		p.Fatalf("folded anew, it decides %v, not %v\n%s", other.Facts, d.Facts, p.facts())
	}
	for i, f := range other.Facts {
		if !proto.Equal(f, d.Facts[i]) {
			p.Fatalf("folded anew, it decides %v, not %v\n%s", f, d.Facts[i], p.facts())
		}
	}
}

// once checks that no attempt begins twice, and none is asked for twice.
func (p *play) once(d engine.Decision) {
	for _, f := range d.Facts {
		k := f.GetStepStarted()
		if k == nil {
			continue
		}
		id := engine.AttemptID{Step: f.Step, Attempt: k.Attempt}
		if p.begun[id] {
			p.Fatalf("%v begins twice\n%s", id, p.facts())
		}
		p.begun[id] = true
	}
	asked := map[engine.AttemptID]bool{}
	for _, c := range d.Calls {
		if asked[c.AttemptID] {
			p.Fatalf("%v is asked for twice in one decision\n%s", c.AttemptID, p.facts())
		}
		asked[c.AttemptID] = true
	}
}

// cuts folds the history in two parts, wherever it is cut.
func (p *play) cuts() {
	want := whole(p.fold())
	for cut := range p.appends {
		run := engine.NewRun("run")
		p.must(run.Replay(p.appends[:cut]))
		p.must(run.Replay(p.appends[cut:]))
		if got := whole(run); got != want {
			p.Fatalf("cut at %d, the run is\n%s\nnot\n%s\n%s", cut, got, want, p.facts())
		}
	}
}

// machine checks that the diagram of docs/state_machine.md has every change.
func (p *play) machine(steps map[change]bool) {
	if p.aged {
		return // there is nothing to be seen before its first fact
	}
	seen := newObserver()
	p.must(seen.history(engine.NewRun("run"), p.appends))
	for c := range seen.steps {
		if !steps[c] {
			p.Fatalf("the diagram lacks %v\n%s", c, p.facts())
		}
	}
}

func (p *play) keep(facts []*v1.Fact) {
	if len(facts) > 0 {
		p.appends = append(p.appends, &v1.Facts{Number: uint64(len(p.appends) + 1), Facts: facts, State: string(p.run.State)})
	}
}

// outcome ends the call that was asked for.
func (p *play) outcome() {
	if len(p.open) == 0 || p.run.State.Ended() {
		return
	}
	call := rapid.SampledFrom(p.open).Draw(p.T, "which")
	if p.calls[call.AttemptID]++; p.calls[call.AttemptID] > 1 {
		p.Fatalf("%v is called twice\n%s", call.AttemptID, p.facts())
	}
	o := &engine.Outcome{Took: time.Second}
	switch class := rapid.SampledFrom([]string{"ok", "ok", "ok", "final", "retryable", "unknown", "later"}).Draw(p.T, "class"); class {
	case "ok":
		o.Output, o.Found = &v1.Value{Json: []byte(`{"n":2}`)}, rapid.Bool().Draw(p.T, "found")
	case "later":
		o.Error, o.Class, o.RetryAt = &v1.Error{Message: "no"}, "retryable", p.now.Add(time.Hour)
	default:
		o.Error, o.Class = &v1.Error{Message: "no"}, class
	}
	p.outcomes[call.AttemptID] = o
	p.now = p.now.Add(time.Second)
	p.decide(false)
}

// pass lets time go by: the owner decides again, if there is one.
func (p *play) pass() {
	p.now = p.now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(p.T, "ms")) * time.Millisecond)
	if p.run.State == engine.Running {
		p.decide(false)
	}
}

func (p *play) hold() {
	if p.run.State == engine.Running {
		p.decide(true)
	}
}

// outside adds what a message brings, with the claim of it where the run is parked.
func (p *play) outside(f *v1.Fact) {
	if p.run.State != engine.Running {
		f.Claim = p.claim()
	}
	f, err := p.run.Add(p.now, f)
	if err != nil {
		return
	}
	p.outcomes = map[engine.AttemptID]*engine.Outcome{}
	p.decide(false, f)
}

func (p *play) wake() {
	p.now = p.now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(p.T, "seconds")) * time.Second)
	if f := p.run.Due(p.now); f != nil && p.run.State == engine.Waiting {
		p.outside(f)
	}
}

// takeover: the owner is lost, with the call that it may have made.
func (p *play) takeover() {
	if p.run.State != engine.Running {
		return
	}
	f, err := p.run.Add(p.now, &v1.Fact{Claim: p.claim(), Kind: &v1.Fact_RunClaimed{RunClaimed: &v1.RunClaimed{}}})
	p.must(err)
	p.outcomes = map[engine.AttemptID]*engine.Outcome{}
	for id := range p.calls {
		if id.Probe > 0 {
			delete(p.calls, id) // a probe only reads
		}
	}
	p.decide(false, f)
}

func (p *play) cancel() {
	p.outside(&v1.Fact{Kind: &v1.Fact_CancelRequested{CancelRequested: &v1.CancelRequested{Command: "c"}}})
}

func (p *play) approve() {
	step := rapid.SampledFrom(p.paths).Draw(p.T, "step")
	if p.run.Step(step).Status != engine.StepAsking && p.run.State != engine.Waiting {
		return
	}
	choice := rapid.SampledFrom([]string{"approved", engine.ChoiceRetry, engine.ChoiceDone, engine.ChoiceFail}).Draw(p.T, "choice")
	p.outside(&v1.Fact{Step: step, Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{Command: "a", Choice: choice, Output: &v1.Value{Json: []byte("1")}}}})
}

func (p *play) signal() {
	p.outside(&v1.Fact{Kind: &v1.Fact_SignalReceived{SignalReceived: &v1.SignalReceived{Command: "s", Name: "go", Data: &v1.Value{Json: []byte("7")}}}})
}

// arrive brings an event to a wait that stands.
func (p *play) arrive() {
	for _, w := range p.run.Waits() {
		if len(w.Of) == 0 {
			continue
		}
		f, err := p.run.Arrive(p.flow, p.now, engine.Arrived{Fact: w.Fact, Alternative: 1, Sequence: 9, Body: []byte(`{"n":1}`)})
		p.must(err)
		p.outside(f)
		return
	}
}

// called ends the run that a step called.
func (p *play) called() {
	for path, s := range p.run.Steps {
		if s.Status == engine.StepWaiting && s.Call != nil {
			state := rapid.SampledFrom([]engine.State{engine.Completed, engine.Failed}).Draw(p.T, "state")
			p.outside(&v1.Fact{Step: path, Kind: &v1.Fact_CallEnded{CallEnded: &v1.CallEnded{State: string(state), Error: &v1.Error{Message: "no"}}}})
			return
		}
	}
}

// retry makes an ended run go on, with new calls.
func (p *play) retry() {
	if p.run.State != engine.Failed && p.run.State != engine.Canceled || rapid.IntRange(0, 2).Draw(p.T, "really") > 0 {
		return
	}
	p.outside(&v1.Fact{Kind: &v1.Fact_RunRetried{RunRetried: &v1.RunRetried{Command: "r"}}})
}

// renew begins a new generation of a parked run; at times the old one has aged away.
func (p *play) renew() {
	if p.run.State != engine.Waiting {
		return
	}
	f := p.run.Continue(p.now)
	p.must(p.run.Apply(f))
	p.keep([]*v1.Fact{f})
	if rapid.Bool().Draw(p.T, "aged") {
		p.appends, p.aged = p.appends[len(p.appends)-1:], true
	}
}

// reload forgets the run and folds it again, as after a lost race.
func (p *play) reload() {
	p.run = p.fold()
	if p.run.State == engine.Running {
		p.decide(false)
	}
}

// fold replays the history as it is stored.
func (p *play) fold() *engine.Run {
	run := engine.NewRun("run")
	for _, a := range p.appends {
		data, err := proto.Marshal(a)
		p.must(err)
		stored := &v1.Facts{}
		p.must(proto.Unmarshal(data, stored))
		p.must(run.Replay([]*v1.Facts{stored}))
	}
	return run
}

func (p *play) check() {
	if got, want := whole(p.fold()), whole(p.run); got != want {
		p.Fatalf("folded, the run is\n%s\nnot\n%s\n%s", got, want, p.facts())
	}
	if p.run.State.Ended() != (p.run.End != nil) {
		p.Fatalf("state %s, end %v", p.run.State, p.run.End)
	}
}

// offend tries facts that make no sense: each is refused, and changes nothing, or
// is one that could follow.
func (p *play) offend(steps map[change]bool) {
	for range 5 {
		f := &v1.Fact{Number: uint64(rapid.IntRange(0, int(p.run.Facts)+2).Draw(p.T, "number")), At: p.now.UnixNano(), Step: rapid.SampledFrom(append(p.paths, "", "s9")).Draw(p.T, "step")}
		kinds := f.ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
		if k := rapid.IntRange(-1, kinds.Len()-1).Draw(p.T, "kind"); k >= 0 {
			f.ProtoReflect().Set(kinds.Get(k), f.ProtoReflect().NewField(kinds.Get(k)))
		}
		before, was, seen := whole(p.run), statuses(p.run), newObserver()
		err := p.run.Apply(f)
		if err != nil && whole(p.run) != before {
			p.Fatalf("refused with %v, yet it changed\n%s\ninto\n%s", err, before, whole(p.run))
		}
		if err != nil || f.GetRunContinued() != nil {
			continue
		}
		seen.fact(p.run, f, was)
		for c := range seen.steps {
			if !steps[c] && c.from != c.to {
				p.Fatalf("%s of %s: the diagram lacks %v", engine.Kind(f), f.Step, c)
			}
		}
	}
}

// whole is all that can be seen of a run.
func whole(r *engine.Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %d, %d facts, epoch %d, end %s, ending %s, cancel %v, began %d\n", r.State, r.At.UnixNano(), r.Facts, r.Epoch(), kindOf(r.End), r.Ending.GetState(), r.Cancel != nil, r.GenerationBegan().UnixNano())
	var lines []string
	for path, s := range r.Steps {
		if s.Status == "" {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s %d %d %v next %d due %d %s %s %v", path, s.Status, s.Attempt, s.Probes, s.Unknown,
			s.NextAt.UnixNano(), s.Deadline.UnixNano(), s.Input.GetJson(), s.Output.GetJson(), s.Error.GetMessage()+s.Outcome))
	}
	for _, w := range r.Waits() {
		lines = append(lines, fmt.Sprintf("wait %d %s until %d", w.Fact, w.Step, w.Deadline))
	}
	for n, t := range r.Timers {
		lines = append(lines, fmt.Sprintf("timer %d %s %s %d", n, t.Step, t.Reason, t.Due.UnixNano()))
	}
	sort.Strings(lines)
	return b.String() + strings.Join(lines, "\n")
}

func kindOf(f *v1.Fact) string {
	if f == nil {
		return "none"
	}
	return engine.Kind(f)
}

func (p *play) facts() string {
	var b strings.Builder
	for _, a := range p.appends {
		for _, f := range a.Facts {
			fmt.Fprintf(&b, "%d %s%s; ", f.Number, strings.TrimSpace(engine.Kind(f)+" "+f.Step), detail(f))
		}
		fmt.Fprintf(&b, "[%s]\n", a.State)
	}
	return b.String()
}

package engine_test

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/reuse"
	v1 "zflow/proto/zflow/v1"
)

// replayed lets other runs go on from each step of this one: what was before it
// stands there as it does here, and none of it is done again, nor undone.
func (p *play) replayed() {
	for _, path := range p.paths {
		if cut, err := reuse.At(p.flow, p.run, path); err == nil {
			p.replayedFrom(cut)
		}
	}
}

func (p *play) replayedFrom(cut *reuse.Cut) {
	before := whole(p.run)
	start := proto.CloneOf(p.run.Start)
	start.Deadline, start.Replay = 0, &v1.Replay{Run: "run"}
	run, facts, err := cut.Begin("other", p.now, start)
	if err != nil && strings.Contains(err.Error(), "cannot be taken over as it was") {
		return
	}
	if err != nil {
		p.Fatalf("from %s: %v\n%s", cut.From, err, p.facts())
	}
	fresh := engine.NewRun("other")
	p.must(fresh.Replay([]*v1.Facts{{Facts: facts, State: string(run.State)}}))
	if whole(fresh) != whole(run) || whole(p.run) != before {
		p.Fatalf("from %s: folded, the run is\n%s\nnot\n%s", cut.From, whole(fresh), whole(run))
	}
	p.goesOn(cut, run)
}

// goesOn plays a replay to an end that fails.
func (p *play) goesOn(cut *reuse.Cut, run *engine.Run) {
	outcomes := map[engine.AttemptID]*engine.Outcome{}
	for range 20 {
		d, err := run.Decide(p.flow, engine.Turn{Now: p.now, Outcomes: outcomes})
		p.must(err)
		for _, f := range d.Facts {
			if old := p.run.Steps[strings.TrimSuffix(f.Step, ".undo")]; cut.Reuses(f.Step) && old != nil {
				p.Fatalf("from %s: %s of %s, which the other run has done", cut.From, engine.Kind(f), f.Step)
			}
		}
		if len(d.Calls) == 0 {
			return
		}
		for _, c := range d.Calls {
			outcomes[c.AttemptID] = &engine.Outcome{Class: "final", Error: &v1.Error{Message: "no"}}
		}
	}
}

package record

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/engine/steppath"
	"zflow/internal/operator"
	v1 "zflow/proto/zflow/v1"
)

// run is a run that is recorded.
type run struct {
	*engine.Run
	flow   *engine.Workflow
	text   string // of the flow
	facts  []*v1.Fact
	steps  []*step // in the order in which they began
	called []*run
	notes  []string // what a test cannot state
}

func (r *run) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(r.notes, n) {
		r.notes = append(r.notes, n)
	}
}

// read takes in the facts of a folded run.
func (r *run) read(facts []*v1.Fact) error {
	for _, v := range history.Values(facts) {
		if v.Blob != "" && len(v.Json) == 0 {
			return fmt.Errorf("a value of %d bytes that it needs is not in BLOBS any more", v.Size)
		}
	}
	if len(facts) > 0 && facts[0].GetRunContinued() != nil {
		facts = append(slices.Clone(facts[0].GetRunContinued().Facts), facts...)
		r.note("The first facts of the run have aged away: of a step that was tried several times only the last may be here.")
	}
	if r.Start.Replay != nil {
		r.note("The run took over from run %s what was before step %s: in the test these steps are done anew.", r.Start.Replay.Run, r.Start.Replay.From)
	}
	r.facts = facts
	byPath := map[string]*step{}
	for _, f := range facts {
		if f.GetStepStarted() == nil && f.GetStepCompleted() == nil && f.GetStepFailed() == nil {
			continue
		}
		s := byPath[f.Step]
		if s == nil {
			s = &step{path: f.Step, uses: usesOf(r.flow, f.Step)}
			if s.uses != nil {
				s.action = s.uses.Action
			}
			byPath[f.Step] = s
			r.steps = append(r.steps, s)
		}
		s.fold(f)
	}
	r.steps = slices.DeleteFunc(r.steps, func(s *step) bool { return len(s.tries) == 0 || s.action == "" })
	return nil
}

// usesOf is what a step calls.
func usesOf(w *engine.Workflow, path string) *engine.Uses {
	of := steppath.Step(path)
	for s := range w.All() {
		if s.Path != of {
			continue
		}
		if strings.HasSuffix(path, steppath.Undo) {
			return s.Undo
		}
		u, _ := s.Do.(*engine.Uses)
		return u
	}
	return nil
}

// loader reads runs from a server.
type loader struct {
	*operator.Operator
	loaded map[string]bool // runs
}

// load reads a run with those that it called.
func (l *loader) load(ctx context.Context, head history.Head) (*run, error) {
	l.loaded[head.Run] = true
	h, whole, err := l.Load(ctx, head)
	if err != nil {
		return nil, err
	}
	r := &run{Run: whole}
	appends := h.Appends
	if at := slices.IndexFunc(appends, retries); at > 0 {
		appends = appends[:at]
		r.Run = engine.NewRun(head.Run)
		if err := r.Replay(appends); err != nil {
			return nil, err
		}
		r.note("The run was retried later: a test cannot state that, so it ends where the run ended first.")
	}
	if r.flow, err = l.Catalog.Workflow(ctx, r.Start.Workflow, r.Start.Version); err != nil {
		return nil, err
	}
	if r.text, err = l.Catalog.Source(ctx, r.Start.Workflow, r.Start.Version); err != nil {
		return nil, err
	}
	var facts []*v1.Fact
	for _, a := range appends {
		facts = append(facts, a.Facts...)
	}
	if err := r.read(facts); err != nil {
		return nil, err
	}
	return r, l.loadCalled(ctx, r)
}

func retries(a *v1.Facts) bool {
	return slices.ContainsFunc(a.Facts, func(f *v1.Fact) bool { return f.GetRunRetried() != nil })
}

// loadCalled adds the runs that a run called; one that cannot be read is a note.
func (l *loader) loadCalled(ctx context.Context, r *run) error {
	for _, f := range r.facts {
		c := f.GetCallStarted()
		if c == nil || l.loaded[c.Run] {
			continue
		}
		head, err := l.History.Head(ctx, c.Workflow, c.Run)
		if err != nil {
			return err
		}
		if head.Sequence == 0 {
			r.note("Step %s called workflow %s, whose run %s is not there any more: add what its steps brought.", f.Step, c.Workflow, c.Run)
			continue
		}
		other, err := l.load(ctx, head)
		if err != nil {
			r.note("Step %s called workflow %s, whose run %s cannot be read (%s): add what its steps brought.", f.Step, c.Workflow, c.Run, operator.Line(err.Error()))
			continue
		}
		r.called = append(r.called, other)
	}
	return nil
}

// all are the run and those it called, and they.
func (r *run) all() []*run {
	list := []*run{r}
	for _, c := range r.called {
		list = append(list, c.all()...)
	}
	return list
}

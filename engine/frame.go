package engine

import (
	"maps"
	"time"

	"zflow/engine/expr"
	"zflow/engine/steppath"
	"zflow/engine/value"
)

// frame is where in its run's tree a decision stands: a list of steps, or one
// iteration of a loop. What an expression sees follows from the frames around it.
type frame struct {
	up     *frame
	prefix string // of the paths of the list's steps
	list   []*Step
	at     int       // those before it can be seen
	limit  time.Time // when all of it must be over; zero: never
	as     string    // of an iteration: name of the item
	item   any
	index  int
}

func (f *frame) path(def *Step) string { return f.prefix + def.Token }

// branch returns the frame of a block's branch.
func (f *frame) branch(path string, b *Branch, limit time.Time) *frame {
	return &frame{up: f, prefix: b.Prefix(path), list: b.Steps, limit: sooner(f.limit, limit)}
}

// iteration returns the frame of one item.
func (f *frame) iteration(def *Step, i int, item any, limit time.Time) *frame {
	return &frame{up: f, as: def.Loop.As, item: item, index: i, limit: sooner(f.limit, limit)}
}

// path returns the path of the loop's step in an iteration.
func (l *LoopState) path(loop string, i int) string {
	for n := len(l.paths); n <= i; n++ {
		l.paths = append(l.paths, steppath.Iteration(loop, n))
	}
	return l.paths[i]
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (r *Run) reached(path string) bool {
	s := r.Steps[path]
	return s != nil && s.Status != ""
}

func (r *Run) over(path string) bool {
	s := r.Steps[path]
	return s != nil && s.Status.Ended()
}

// stepValue is what steps.<id> is.
func (r *Run) stepValue(def *Step, path string) (map[string]any, error) {
	s := r.Steps[path]
	if s == nil || s.Status == "" {
		return map[string]any{"output": nil, "status": string(StepSkipped), "outcome": nil, "attempts": int64(0), "error": nil}, nil
	}
	output, err := r.outputOf(def, path, s)
	if err != nil {
		return nil, err
	}
	var outcome any
	if s.Outcome != "" {
		outcome = s.Outcome
	}
	return map[string]any{
		"output": output, "status": string(s.Status), "outcome": outcome, "attempts": int64(s.Attempt), "error": value.Error(s.Error, ""),
	}, nil
}

// Output returns what a step of the workflow has brought, as steps.<id>.output has
// it; null if it has not completed.
func (r *Run) Output(w *Workflow, path string) (any, error) {
	s := r.Steps[path]
	if _, def := (&decider{run: r, flow: w}).find(path); def != nil && s != nil {
		return r.outputOf(def, path, s)
	}
	return nil, nil
}

// outputOf returns a step's output: recorded, or made of those of its steps.
func (r *Run) outputOf(def *Step, path string, s *StepState) (any, error) {
	if s.output.done {
		return s.output.value, nil
	}
	var v any
	var err error
	switch b, block := def.Do.(*Block); {
	case s.Status != StepCompleted:
		return nil, nil
	case s.Loop != nil:
		v, err = r.listOf(def, path, s.Loop.Count)
	case block:
		v, err = r.objectOf(b, path, s)
	case len(s.Output.GetJson()) > 0:
		v, err = expr.DecodeJSON(s.Output.Json)
	}
	if err == nil {
		s.output = decoded{v, true}
	}
	return v, err
}

// listOf is the output of a loop: those of its iterations.
func (r *Run) listOf(def *Step, path string, count int) ([]any, error) {
	all := make([]any, 0, count)
	for i := range count {
		one := steppath.Iteration(path, i)
		s := r.Steps[one]
		if s == nil || s.Status == "" {
			break // until ended the loop before it
		}
		v, err := r.outputOf(def, one, s)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// objectOf is the output of a block: those of its steps by their ids, and of
// parallel branches by the branch too.
func (r *Run) objectOf(b *Block, path string, s *StepState) (map[string]any, error) {
	all := map[string]any{}
	for _, branch := range b.Branches {
		if b.Mode == Switch && branch.Name != s.Branch {
			continue
		}
		prefix, one := branch.Prefix(path), map[string]any{}
		for _, def := range branch.Steps {
			inner := r.Steps[prefix+def.Token]
			if def.ID == "" || inner == nil {
				continue
			}
			v, err := r.outputOf(def, prefix+def.Token, inner)
			if err != nil {
				return nil, err
			}
			one[def.ID] = v
		}
		if b.Mode == Parallel {
			all[branch.Name] = one
		} else {
			maps.Copy(all, one)
		}
	}
	return all, nil
}

// place returns the frame in which a step of the run stands, such that it can
// see itself, and its definition; nil where the workflow has no such step.
func (r *Run) place(f *frame, path string) (*frame, *Step) {
	for i, def := range f.list {
		own := f.path(def)
		if !steppath.Within(path, own) {
			continue
		}
		f.at = i + 1
		if path == own {
			return f, def
		}
		if in, found := r.placeIn(f, def, own, path); found != nil {
			return in, found
		}
	}
	return nil, nil
}

// placeIn looks below a step.
func (r *Run) placeIn(f *frame, def *Step, own, path string) (*frame, *Step) {
	if def.Loop != nil {
		i, ok := steppath.Index(own, path)
		if !ok {
			return nil, nil
		}
		item, err := r.item(r.Step(own), i)
		if err != nil {
			return nil, nil
		}
		if f, own = f.iteration(def, i, item, time.Time{}), steppath.Iteration(own, i); own == path {
			return f, def
		}
	}
	b, ok := def.Do.(*Block)
	if !ok {
		return nil, nil
	}
	for _, branch := range b.Branches {
		if in, found := r.place(f.branch(own, branch, time.Time{}), path); found != nil {
			return in, found
		}
	}
	return nil, nil
}

// item returns an item of a loop's list.
func (r *Run) item(s *StepState, i int) (any, error) {
	l := s.Loop
	if l == nil {
		return nil, nil
	}
	if !l.items.done {
		v, err := expr.DecodeJSON(l.Items.GetJson())
		if err != nil {
			return nil, err
		}
		l.items = decoded{v, true}
	}
	list, _ := l.items.value.([]any)
	if i < 0 || i >= len(list) {
		return nil, nil
	}
	return list[i], nil
}

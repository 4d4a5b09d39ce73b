package reuse

import (
	"fmt"
	"slices"
	"strings"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/engine/steppath"
	"zflow/engine/workflow"
)

// Cut is where a run's tree of steps is cut in two.
type Cut struct {
	From   string   // path of the first step that is not reused
	Reused []string // paths of the steps before it, in order; what is in them is too

	run    *engine.Run
	around []string // paths of the blocks that From stands in
	owners []string // paths of all steps in the lists around, to tell whose a path is
}

// At cuts a run before a step, which is named by its path, or by its id where only
// one has it.
func At(w *engine.Workflow, r *engine.Run, name string) (*Cut, error) {
	if steppath.CleansUp(name) {
		return nil, fmt.Errorf("%s is none of the run's own steps, but follows them: name one of those", name)
	}
	path, err := find(w, name)
	if err != nil {
		return nil, err
	}
	c := &Cut{From: path, run: r}
	if err := c.list("", w.Steps); err != nil {
		return nil, err
	}
	if w.Version == r.Start.Version && status(r, path) == "" {
		return nil, fmt.Errorf("the run has not reached step %s", path)
	}
	return c, c.standing(w)
}

// find returns the path of the step that is named.
func find(w *engine.Workflow, name string) (string, error) {
	var ids, known []string
	for s := range workflow.All(w.Steps) {
		if s.Path == name {
			return name, nil
		}
		if known = append(known, s.Path); s.ID == name {
			ids = append(ids, s.Path)
		}
	}
	if whole, _, iteration := strings.Cut(name, "["); iteration && slices.Contains(known, whole) {
		return "", fmt.Errorf("%s is inside of the loop %s, whose iterations are not taken apart: name %s", name, whole, whole)
	}
	switch len(ids) {
	case 0:
		return "", fmt.Errorf("workflow %s has no step %s%s", w.Name, name, hint(name, known))
	case 1:
		return ids[0], nil
	}
	return "", fmt.Errorf("%d steps have the id %s: name one by its path, such as %s", len(ids), name, ids[0])
}

func hint(name string, known []string) string {
	if s := expr.Suggest(name, known); s != "" {
		return ": did you mean " + s + "?"
	}
	return ": its steps are " + strings.Join(known, ", ")
}

// list cuts a list of steps: From is one of them, or is below one.
func (c *Cut) list(prefix string, steps []*engine.Step) error {
	for _, s := range steps {
		c.owners = append(c.owners, prefix+s.Token)
	}
	for _, s := range steps {
		path := prefix + s.Token
		if path == c.From {
			return nil
		}
		if branch := holds(s, c.From); branch != nil {
			return c.block(path, s, branch)
		}
		if err := c.reusable(path, s); err != nil {
			return err
		}
		c.Reused = append(c.Reused, path)
	}
	return nil
}

// holds returns the branch of a step in which another is; nil: none.
func holds(s *engine.Step, path string) *engine.Branch {
	b, ok := s.Do.(*engine.Block)
	if !ok {
		return nil
	}
	for _, branch := range b.Branches {
		for inner := range workflow.All(branch.Steps) {
			if inner.Path == path {
				return branch
			}
		}
	}
	return nil
}

// block cuts a block in which From is.
func (c *Cut) block(path string, s *engine.Step, branch *engine.Branch) error {
	b := s.Do.(*engine.Block)
	switch {
	case s.Loop != nil:
		return fmt.Errorf("step %s is inside of the loop %s, whose iterations are not taken apart: name %s", c.From, path, path)
	case b.Mode == engine.Parallel:
		return fmt.Errorf("step %s is inside of %s, beside whose branches none comes before: name %s", c.From, path, path)
	}
	stands := c.run.Steps[path]
	switch {
	case stands == nil || !stands.Block:
		return fmt.Errorf("the run has not reached step %s: %s around it is %s", c.From, path, says(c.run, path))
	case b.Mode == engine.Switch && stands.Branch != branch.Name:
		return fmt.Errorf("the run has not reached step %s: in %s it took the branch %s", c.From, path, stands.Branch)
	}
	c.around = append(c.around, path)
	return c.list(branch.Prefix(path), branch.Steps)
}

// reusable refuses a step whose outcome is none to go on from.
func (c *Cut) reusable(path string, s *engine.Step) error {
	stands := c.run.Steps[path]
	now := status(c.run, path)
	if now != engine.StepCompleted && now != engine.StepSkipped && (now != engine.StepFailed || !s.ContinueOnError) {
		return fmt.Errorf("step %s before it has not completed, it is %s: name that one, or one before it", path, says(c.run, path))
	}
	_, block := s.Do.(*engine.Block)
	if now == engine.StepCompleted && ((stands.Loop != nil) != (s.Loop != nil) || s.Loop == nil && stands.Block != block) {
		return fmt.Errorf("step %s before it is of another kind in this version: name that one, or one before it", path)
	}
	return nil
}

// standing refuses what was undone, or may be yet.
func (c *Cut) standing(w *engine.Workflow) error {
	for path, s := range c.run.Steps {
		back, undo := strings.CutSuffix(path, steppath.Undo)
		if undo && s.Status != "" && c.Reuses(back) {
			return fmt.Errorf("the run has undone step %s, or tried to: name that one, or one before it", back)
		}
	}
	if c.run.State.Ended() {
		return nil
	}
	for s := range workflow.All(w.Steps) {
		if s.Undo != nil && c.Reuses(s.Path) {
			return fmt.Errorf("the run has not ended, and may yet undo step %s: wait for its end, or cancel it", s.Path)
		}
	}
	return nil
}

// Reuses says whether a path is that of a step before the cut, or below one.
func (c *Cut) Reuses(path string) bool {
	owner := ""
	for _, own := range c.owners { // a step without id may be called as if it were below another
		if steppath.Within(path, own) && len(own) > len(owner) {
			owner = own
		}
	}
	return owner != "" && slices.Contains(c.Reused, owner)
}

func status(r *engine.Run, path string) engine.Status {
	if s := r.Steps[path]; s != nil {
		return s.Status
	}
	return ""
}

func says(r *engine.Run, path string) string {
	if s := status(r, path); s != "" {
		return string(s)
	}
	return "not reached"
}

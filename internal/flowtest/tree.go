package flowtest

import "zflow/engine"

// part is a step of a workflow, or a branch of one.
type part struct {
	path   string
	step   *engine.Step
	branch string // not empty: this branch of the step
}

// parts are all steps of a workflow, each followed by its branches and what is in
// them.
func parts(w *engine.Workflow) []part {
	var all []part
	for _, list := range [][]*engine.Step{w.Steps, w.OnFailure, w.Finally} {
		all = append(all, partsOf(list)...)
	}
	return all
}

func partsOf(list []*engine.Step) (all []part) {
	for _, s := range list {
		all = append(all, part{path: s.Path, step: s})
		b, ok := s.Do.(*engine.Block)
		if !ok {
			continue
		}
		for _, branch := range b.Branches {
			if b.Mode == engine.Switch {
				all = append(all, part{s.Path, s, branch.Name})
			}
			all = append(all, partsOf(branch.Steps)...)
		}
	}
	return all
}

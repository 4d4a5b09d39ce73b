package workflow

import "iter"

// All yields the steps of lists, each followed by those inside of it, as they are
// written.
func All(lists ...[]*Step) iter.Seq[*Step] {
	return func(yield func(*Step) bool) {
		for _, steps := range lists {
			if !each(steps, yield) {
				return
			}
		}
	}
}

func each(steps []*Step, yield func(*Step) bool) bool {
	for _, s := range steps {
		if !yield(s) {
			return false
		}
		b, ok := s.Do.(*Block)
		for i := 0; ok && i < len(b.Branches); i++ {
			if !each(b.Branches[i].Steps, yield) {
				return false
			}
		}
	}
	return true
}

// All yields all steps of the workflow, those of on_failure and finally too.
func (w *Workflow) All() iter.Seq[*Step] { return All(w.Steps, w.OnFailure, w.Finally) }

package engine

import "slices"

func (r *Run) setTimer(number uint64, t *Timer) {
	r.Timers[number] = t
	r.timersOf[t.Step] = append(r.timersOf[t.Step], number)
}

func (r *Run) dropTimer(number uint64) {
	t := r.Timers[number]
	if t == nil {
		return
	}
	delete(r.Timers, number)
	own := r.timersOf[t.Step]
	if i := slices.Index(own, number); i >= 0 {
		own = slices.Delete(own, i, i+1)
	}
	if r.timersOf[t.Step] = own; len(own) == 0 {
		delete(r.timersOf, t.Step)
	}
}

// dropTimers drops those of a step.
func (r *Run) dropTimers(step string) {
	for _, number := range r.timersOf[step] {
		delete(r.Timers, number)
	}
	delete(r.timersOf, step)
}

// timer returns the number of a step's timer that stands for this reason; 0: none
// does.
func (r *Run) timer(step, reason string) uint64 {
	for _, number := range r.timersOf[step] {
		if r.Timers[number].Reason == reason {
			return number
		}
	}
	return 0
}

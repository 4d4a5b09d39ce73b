package worker

import "sync"

// turnstile lets one handler of a run in at a time.
type turnstile struct {
	sync.Mutex
	users int
}

// enter waits until no other handler of the run is inside.
func (w *Worker) enter(run string) (leave func()) {
	w.mu.Lock()
	t := w.busy[run]
	if t == nil {
		t = &turnstile{}
		w.busy[run] = t
	}
	t.users++
	w.mu.Unlock()
	t.Lock()
	return func() {
		t.Unlock()
		w.mu.Lock()
		defer w.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(w.busy, run)
		}
	}
}

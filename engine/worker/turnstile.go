package worker

import (
	"context"
	"sync"
)

// turnstile lets one handler of a run in at a time.
type turnstile struct {
	inside chan struct{} // holds a token while one is
	users  int
}

// enter waits until no other handler of the run is inside; false: ctx ended first.
func (w *Worker) enter(ctx context.Context, run string) (leave func(), ok bool) {
	w.mu.Lock()
	t := w.busy[run]
	if t == nil {
		t = &turnstile{inside: make(chan struct{}, 1)}
		w.busy[run] = t
	}
	t.users++
	w.mu.Unlock()
	done := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(w.busy, run)
		}
	}
	select {
	case t.inside <- struct{}{}:
		return sync.OnceFunc(func() { <-t.inside; done() }), true
	case <-ctx.Done():
		done()
		return nil, false
	}
}

// Package turnstile lets one at a time in for each key.
package turnstile

import (
	"context"
	"sync"
)

// Turnstiles are those of all keys; the zero value is ready.
type Turnstiles struct {
	mu   sync.Mutex
	busy map[string]*turnstile // where somebody is inside or waits
}

type turnstile struct {
	inside chan struct{} // holds a token while one is
	users  int
}

// Enter waits until nobody else is inside; false: ctx ended first. leave may be called
// more than once.
func (t *Turnstiles) Enter(ctx context.Context, key string) (leave func(), ok bool) {
	one := t.use(key)
	select {
	case one.inside <- struct{}{}:
		return sync.OnceFunc(func() { <-one.inside; t.done(key, one) }), true
	case <-ctx.Done():
		t.done(key, one)
		return nil, false
	}
}

// Users returns how many are inside or wait, for those who look what goes on.
func (t *Turnstiles) Users(key string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one := t.busy[key]; one != nil {
		return one.users
	}
	return 0
}

func (t *Turnstiles) use(key string) *turnstile {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.busy[key]
	if one == nil {
		one = &turnstile{inside: make(chan struct{}, 1)}
		if t.busy == nil {
			t.busy = map[string]*turnstile{}
		}
		t.busy[key] = one
	}
	one.users++
	return one
}

func (t *Turnstiles) done(key string, one *turnstile) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(t.busy, key)
	}
}

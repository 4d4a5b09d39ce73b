package email

import (
	"slices"
	"strings"
	"sync"
	"time"

	"zflow/actions"
)

// brake bounds how many mails an address gets within a window.
type brake struct {
	most   int
	window time.Duration

	mu    sync.Mutex
	sent  map[string][]time.Time // by address, oldest first
	swept time.Time
}

// take counts a mail to each of the addresses, or to none and says when there is room
// again. release takes it back, for a mail that did not go out.
func (b *brake) take(addresses []string, now time.Time) (release func(), err error) {
	if b.most == 0 {
		return func() {}, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep(now)
	for _, a := range addresses {
		recent := b.recent(a, now)
		if len(recent) < b.most {
			continue
		}
		again := recent[len(recent)-b.most].Add(b.window)
		return nil, actions.RetryAfter(again, "%s got %d mails from this worker within %s, which is as many as worker.smtp.per_recipient allows; there is room again at %s",
			a, b.most, b.window, again.UTC().Format(time.RFC3339)).With(0, "too_many")
	}
	for _, a := range addresses {
		b.sent[strings.ToLower(a)] = append(b.recent(a, now), now)
	}
	return func() { b.release(addresses, now) }, nil
}

// recent are the mails to an address that still count.
func (b *brake) recent(address string, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(b.sent[strings.ToLower(address)]), func(at time.Time) bool { return !now.Before(at.Add(b.window)) })
}

func (b *brake) release(addresses []string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range addresses {
		a = strings.ToLower(a)
		if i := slices.IndexFunc(b.sent[a], at.Equal); i >= 0 {
			b.sent[a] = slices.Delete(b.sent[a], i, i+1)
		}
	}
}

// sweep forgets addresses that got nothing lately, once a window.
func (b *brake) sweep(now time.Time) {
	if now.Before(b.swept.Add(b.window)) {
		return
	}
	b.swept = now
	for a, times := range b.sent {
		if len(times) == 0 || !now.Before(times[len(times)-1].Add(b.window)) {
			delete(b.sent, a)
		}
	}
}

package node

import (
	"time"
)

const (
	look = 25 * time.Millisecond // how often processes at work are looked at
	tidy = 5 * time.Second       // … and those at rest
)

// watch ends processes that take too long, too much, or are old. Its time is real,
// whatever time callers live in.
func (p *Pool) watch() {
	defer p.over.Done()
	t := time.NewTimer(tidy)
	defer t.Stop()
	for {
		select {
		case <-p.closed:
			return
		case <-p.awake:
		case <-t.C:
		}
		t.Reset(p.round(time.Now()))
	}
}

// wake has the watch look at a call that begins.
func (p *Pool) wake() {
	if p.asleep.CompareAndSwap(true, false) {
		select {
		case p.awake <- struct{}{}:
		default:
		}
	}
}

// round looks at all processes, and says when to look again.
func (p *Pool) round(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asleep.Store(true) // a call that begins from now on wakes it
	next := tidy
	for c := range p.all {
		if b := c.limit.Load(); b != nil {
			p.asleep.Store(false)
			next = min(next, p.atWork(c, b, now))
		}
	}
	for i := 0; i < len(p.idle); i++ {
		c := p.idle[i]
		if c.rested.IsZero() {
			c.rested = now
		}
		if now.Sub(c.rested) > p.Idle || now.Sub(c.started) > p.Age || p.fat(c) {
			p.retire(c)
			i--
		}
	}
	return next
}

func (p *Pool) atWork(c *process, b *bound, now time.Time) time.Duration {
	if b.since.IsZero() {
		b.since = now
	}
	left := b.long - now.Sub(b.since)
	switch {
	case b.long > 0 && left <= 0:
		c.kill(tooLong)
	case p.fat(c):
		c.kill(tooMuch)
	case b.long > 0:
		return min(look, left)
	}
	return look
}

const tooLong = "the code did not end in its time"

// fat tells whether a process has more memory than it may.
func (p *Pool) fat(c *process) bool {
	resident, _ := memory(c.cmd.Process.Pid)
	return p.Memory > 0 && resident > p.Memory+p.Memory/8
}

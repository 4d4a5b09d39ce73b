package simulation

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// sim is one play: virtual time, the one source of chance, and all that exists.
type sim struct {
	plan
	rng     *rand.Rand
	now     time.Duration // since epoch
	agenda  agenda
	count   int
	effects int
	server  *server
	workers []*worker // nil: dead
	others  map[*proc]bool
	outside *link // of those who are no worker
	born    int
	truth   *truth
	world   *world
	quiet   bool // the faults are over
	trace   []string
	bad     string // the first rule that was broken
}

// epoch is when every play begins.
var epoch = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func (s *sim) clock() time.Time { return epoch.Add(s.now) }

// todo happens at a time: a function, or a process that goes on from a turn.
type todo struct {
	at   time.Duration
	n    int
	f    func()
	p    *proc
	turn int
}

// agenda is a heap by time, then by the order in which things were planned.
type agenda []todo

func (a agenda) less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].n < a[j].n
}

func (a *agenda) push(t todo) {
	*a = append(*a, t)
	h := *a
	for i := len(h) - 1; i > 0 && h.less(i, (i-1)/2); i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
}

func (a *agenda) pop() todo {
	h := *a
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], todo{}
	h = h[:last]
	*a = h
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			return first
		}
		if c+1 < last && h.less(c+1, c) {
			c++
		}
		if !h.less(c, i) {
			return first
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}

func (s *sim) at(t todo) {
	s.count++
	t.n = s.count
	t.at = max(t.at, s.now)
	s.agenda.push(t)
}

func (s *sim) after(d time.Duration, f func()) { s.at(todo{at: s.now + d, f: f}) }

// until lets time pass to a moment, or until a rule is broken or stop says so.
func (s *sim) until(end time.Duration, stop func() bool) {
	for len(s.agenda) > 0 && s.agenda[0].at <= end && s.bad == "" {
		t := s.agenda.pop()
		s.now = t.at
		if t.f != nil {
			t.f()
		} else {
			t.p.goOn(t.turn)
		}
		if stop != nil && stop() {
			return
		}
	}
	if s.bad == "" {
		s.now = max(s.now, end)
	}
}

func (s *sim) chance(p float64) bool { return p > 0 && s.rng.Float64() < p }
func (s *sim) fault(p float64) bool  { return !s.quiet && s.chance(p) }

func (s *sim) between(a, b time.Duration) time.Duration {
	return a + time.Duration(s.rng.Int64N(int64(b-a)+1))
}

// latency is short, with a long tail while there are faults.
func (s *sim) latency() time.Duration {
	if s.fault(s.slow) {
		return s.between(20*time.Millisecond, 3*time.Second)
	}
	return s.between(50*time.Microsecond, 2*time.Millisecond)
}

func (s *sim) say(format string, args ...any) {
	if s.tracing {
		s.trace = append(s.trace, fmt.Sprintf("%10.4fs  ", s.now.Seconds())+fmt.Sprintf(format, args...))
	}
}

// broken notes that a rule was broken; nothing happens after it.
func (s *sim) broken(format string, args ...any) {
	if s.bad == "" {
		s.bad = fmt.Sprintf(format, args...)
		s.say("!!! %s", s.bad)
	}
}

// proc is one thread of a process: a coroutine that stands still at each effect.
type proc struct {
	s     *sim
	w     *worker
	who   string
	n     int
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	dead  bool
	turn  int
}

// killed unwinds a process that died; lost unwinds what could not be done.
type (
	killed struct{}
	lost   struct{ err error }
)

var (
	errUnknown  = errors.New("no answer: it may or may not have happened")
	errConflict = errors.New("another was first")
	errNotNow   = errors.New("the lease or the message is too old to claim")
	errReplaced = errors.New("the last claim is another")
)

// spawn begins a thread of a worker, or of somebody outside of all workers.
func (s *sim) spawn(w *worker, who string, f func(*proc)) *proc {
	s.count++
	p := &proc{s: s, w: w, who: who, n: s.count}
	if w != nil {
		w.procs[p] = true
	} else {
		s.others[p] = true
	}
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		p.yield = yield
		defer p.over()
		f(p)
	})
	s.at(todo{at: s.now, p: p})
	return p
}

func (p *proc) over() {
	p.dead = true
	if p.w != nil {
		delete(p.w.procs, p)
	} else {
		delete(p.s.others, p)
	}
	if r := recover(); r != nil {
		if _, ok := r.(killed); !ok {
			panic(r)
		}
	}
}

func (p *proc) goOn(turn int) {
	switch {
	case p.dead || turn != p.turn:
	case p.w != nil && p.w.stopped > p.s.now: // all of a stopped process happens later
		p.s.at(todo{at: p.w.stopped + p.s.between(0, 30*time.Millisecond), p: p, turn: turn})
	default:
		p.turn++
		p.next()
	}
}

// block stands still until somebody pokes.
func (p *proc) block() {
	if !p.yield(struct{}{}) {
		panic(killed{})
	}
}

func (p *proc) poke() { p.s.at(todo{at: p.s.now, p: p, turn: p.turn}) }

// pause stands still for a while, or until somebody pokes.
func (p *proc) pause(d time.Duration) {
	p.s.at(todo{at: p.s.now + d, p: p, turn: p.turn})
	p.block()
}

func (p *proc) kill() {
	if !p.dead {
		p.dead = true
		p.stop()
	}
}

func fail(err error) { panic(lost{err}) }

// try does something that an unknown outcome or a conflict anywhere in it ends.
func (p *proc) try(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			l, ok := r.(lost)
			if !ok {
				panic(r)
			}
			err = l.err
		}
	}()
	f()
	return nil
}

package simulation

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"zflow/engine"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// plan says what goes wrong in a play, and how often.
type plan struct {
	seed    uint64
	plant   plant
	tracing bool
	lasts   time.Duration // of the faults
	every   time.Duration // mean time between strikes
	age     time.Duration // of RUNS

	refuse, unsent, unanswered float64 // of requests
	crash                      float64 // at each effect
	slow, stall, freeze        float64 // of answers; before a call; at each effect
	duplicate, reorder         float64
	nags                       float64 // runs that get signals that nobody waits for
	strikes                    []func(*sim)
}

// planOf draws a plan: each play has one or two kinds of trouble more than others.
func planOf(seed uint64, p plant) plan {
	x := plan{seed: seed, plant: p, lasts: 30 * time.Second, every: 5 * time.Second, age: 20 * time.Minute,
		refuse: .003, unsent: .002, unanswered: .004, crash: .0007, slow: .005, stall: .01, freeze: .0004, duplicate: .03, reorder: .1}
	x.strikes = []func(*sim){(*sim).killOne, (*sim).stopOne, (*sim).cutOne, (*sim).jumpOne, (*sim).killServer, (*sim).powerFailure}
	switch seed % 6 {
	case 0:
		x.crash *= 6
	case 1:
		x.unanswered, x.slow, x.crash, x.nags = x.unanswered*4, x.slow*8, x.crash*3, .7
	case 2:
		x.every, x.strikes = 3*time.Second, []func(*sim){(*sim).powerFailure, (*sim).killServer, (*sim).stopOne}
	case 3:
		x.stall, x.freeze, x.strikes = .1, .003, []func(*sim){(*sim).stopOne, (*sim).cutOne, (*sim).jumpOne}
	case 5:
		x.nags = .5
	case 4:
		x.duplicate, x.reorder, x.age = .2, .5, 40*time.Second
	}
	return x
}

func newSim(p plan) *sim {
	s := &sim{plan: p, rng: rand.New(rand.NewPCG(p.seed, 7)), outside: &link{mark: mark{1, 1}, up: true}, others: map[*proc]bool{}}
	s.server = newServer(s)
	s.truth = &truth{s: s, folds: map[string]*fold{}, again: map[string]bool{}, accepted: map[string]time.Time{}, firsts: map[string]uint64{}}
	s.world = &world{s: s}
	s.consumers()
	s.workers = make([]*worker, 2+s.rng.IntN(2))
	for i := range s.workers {
		s.boot(i)
	}
	s.workload()
	s.after(s.between(0, p.every), s.strike)
	s.spawn(nil, "person", s.person)
	return s
}

// strike does one bad thing, and plans the next.
func (s *sim) strike() {
	if s.quiet {
		return
	}
	s.strikes[s.rng.IntN(len(s.strikes))](s)
	s.after(s.between(100*time.Millisecond, 2*s.every), s.strike)
}

func (s *sim) one() *worker { return s.workers[s.rng.IntN(len(s.workers))] }

func (s *sim) killOne() {
	if w := s.one(); w != nil {
		s.kill(w)
	}
}

func (s *sim) stopOne() {
	if w := s.one(); w != nil {
		s.stopWorker(w)
	}
}

// stopWorker stops a process, as SIGSTOP does.
func (s *sim) stopWorker(w *worker) {
	d := s.between(100*time.Millisecond, 20*time.Second)
	s.say("%s stands still for %v", w.id, d)
	w.stopped, w.stops = max(w.stopped, s.now+d), w.stops+1
}

// cutOne cuts a worker off from the server.
func (s *sim) cutOne() {
	if w := s.one(); w != nil {
		d := s.between(100*time.Millisecond, 20*time.Second)
		s.say("%s is cut off for %v", w.id, d)
		w.link.cut, w.stops = s.now+d, w.stops+1
		w.lose()
	}
}

// jumpOne sets a worker's wall clock.
func (s *sim) jumpOne() {
	if w := s.one(); w != nil {
		w.wall += s.between(-time.Minute, time.Minute)
		s.say("the clock of %s jumps to %v", w.id, w.wall)
	}
}

func (s *sim) killServer() { s.fall(false) }

// powerFailure takes the server's machine, at times with all workers.
func (s *sim) powerFailure() {
	if s.fall(true); s.chance(.4) {
		for _, w := range s.workers {
			if w != nil {
				s.kill(w)
			}
		}
	}
}

func (s *sim) fall(power bool) {
	if !s.server.up {
		return
	}
	s.say("the server dies, power %v", power)
	s.server.fall(power)
	for _, w := range s.workers {
		if w != nil {
			w.lose()
		}
	}
	s.lose(s.outside, func() {})
	s.after(s.between(100*time.Millisecond, 8*time.Second), s.server.start)
}

// workload is what happens outside.
func (s *sim) workload() {
	for n := range 5 + s.rng.IntN(4) {
		name := flowNames[s.rng.IntN(len(flowNames))]
		if name == "child" {
			name = "stays"
		}
		begin := s.between(0, s.lasts*2/3)
		s.after(begin, func() { s.source(name+".asked", n) })
		if name == "waits" || name == "stays" || s.chance(.1) {
			if s.chance(.85) { // some wait in vain
				s.after(begin+s.between(0, 4*time.Second)*time.Duration(1+4*s.rng.IntN(2)), func() { s.source("came", n) })
			}
		}
		run := proto.RunID(name, fmt.Sprintf("%s.asked %d", name, n))
		for range 6 {
			if s.chance(s.nags) {
				s.after(begin+s.between(0, 20*time.Second), func() {
					s.order(name, run, &v1.Command{Id: fmt.Sprint("nag ", s.count), Kind: "signal", Name: "nothing"})
				})
			}
		}
		if s.chance(.15) {
			s.after(begin+s.between(0, 15*time.Second), func() {
				s.order(name, run, &v1.Command{Id: fmt.Sprint("cancel ", n), Kind: "cancel", By: "me", Now: s.chance(.3)})
			})
		}
	}
}

// races lets the event that a wait is for come just as the wait begins.
func (s *sim) races(r *engine.Run) {
	if n, err := strconv.Atoi(number(r.Start.Event.Body.GetJson())); err == nil && s.chance(.6) {
		s.after(s.between(0, 12*time.Millisecond), func() { s.source("came", n) })
	}
}

// source publishes an event until it is told that it is on disk.
func (s *sim) source(eventType string, n int) {
	at := s.clock()
	e := event{ID: fmt.Sprintf("%s %d", eventType, n), Type: eventType, Source: "app", Origin: "test", ContentType: "application/json",
		Time: at, ReceivedAt: at, Body: jsonOf(map[string]any{"n": n, "k": n % 2})}
	s.spawn(nil, "source", func(p *proc) {
		for {
			m := s.outside.now()
			err := p.try(func() {
				p.must("publishes "+e.ID, func() { s.publish(e) })
				p.pass(events, m)
			})
			if err == nil && s.chance(.9) { // else it did not hear it
				s.truth.accepted[e.ID] = at
				return
			}
			p.pause(s.between(50*time.Millisecond, 3*time.Second))
		}
	})
}

// publish stores an event, unless the server knows its id; it forgets it at times.
func (s *sim) publish(e event) {
	if s.server.ids[e.ID] && !s.fault(.3) {
		return
	}
	s.server.ids[e.ID] = true
	e.Sequence = s.server.streams[events].last() + 1
	s.server.store(events, e.ID, &e)
}

// order gives an open run a command, until it is told that it is on disk.
func (s *sim) order(workflow, run string, c *v1.Command) {
	s.spawn(nil, "client", func(p *proc) {
		for range 20 {
			r := s.truth.run(run)
			if r != nil && (r.State.Ended() || r.Knows(c.Id)) {
				return
			}
			if r != nil && s.safe(run) && p.try(func() { p.command(workflow, run, c) }) == nil {
				if s.safe(run) {
					s.truth.ordered = append(s.truth.ordered, order{run, c.Id})
				}
				return
			}
			p.pause(s.between(100*time.Millisecond, 2*time.Second))
		}
	})
}

// safe says that no power failure can take the beginning of a run.
func (s *sim) safe(run string) bool {
	of := s.server.streams[runs].of[run]
	return len(of) > 0 && of[0].seq <= s.server.streams[runs].flushed
}

// person answers what is asked, gives signals, and retries what failed.
func (s *sim) person(p *proc) {
	for n := 0; ; n++ {
		p.pause(s.between(2*time.Second, 6*time.Second))
		for _, f := range s.truth.all() {
			if c := s.answers(f.run); c != nil && s.safe(f.run.ID()) {
				c.Id = fmt.Sprintf("answer %d of %s", n, f.run.ID())
				_ = p.try(func() { p.command(f.run.Start.Workflow, f.run.ID(), c) })
			}
		}
	}
}

// answers returns what a person would do about a run, nil if nothing.
func (s *sim) answers(r *engine.Run) *v1.Command {
	switch {
	case r.State == engine.Completed || r.Start == nil:
		return nil
	case r.State.Ended():
		if s.fault(.1) {
			return &v1.Command{Kind: "retry", By: "me"}
		}
		return nil
	}
	for _, path := range sortedSteps(r) {
		switch st := r.Steps[path]; {
		case st.Status == engine.StepAsking:
			return &v1.Command{Kind: "approve", Step: path, Choice: []string{engine.ChoiceRetry, engine.ChoiceDone, engine.ChoiceFail}[s.rng.IntN(3)], Data: []byte(`{}`)}
		case st.Status != engine.StepWaiting || st.Wait == nil:
		case st.Wait.Approval != nil:
			return &v1.Command{Kind: "approve", Step: path, Choice: []string{"approved", "rejected"}[s.rng.IntN(2)]}
		case len(st.Wait.Of) > 0 && st.Wait.Of[0].Signal != "":
			return &v1.Command{Kind: "signal", Name: "go"}
		}
	}
	return nil
}

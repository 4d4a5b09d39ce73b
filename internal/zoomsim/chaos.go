package zoomsim

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

// Chaos is what goes wrong with deliveries. What happens to the nth event of a
// subscription follows from the seed, the subscription's URL and n alone. Chances
// go from 0 to 1.
type Chaos struct {
	Subscription string        `json:"subscription,omitempty"` // an id; empty: all
	Seed         uint64        `json:"seed"`
	Drop         float64       `json:"drop,omitempty"`      // never arrives, though Zoom logs a 200
	Fail         float64       `json:"fail,omitempty"`      // never arrives, and Zoom logs four failures
	Duplicate    float64       `json:"duplicate,omitempty"` // comes twice, the second with other URLs and tokens
	Reorder      float64       `json:"reorder,omitempty"`   // comes after the next one, or a minute late if there is none
	Delay        float64       `json:"delay,omitempty"`     // comes late by up to Late
	Late         time.Duration `json:"-"`                   // 0: an hour
}

// SetChaos lets deliveries go wrong from now on; of several that fit a
// subscription the first counts, and none ends all chaos.
func (s *Sim) SetChaos(all ...Chaos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = slices.Clone(all)
}

// chaosText is a Chaos whose duration is written as text.
type chaosText struct {
	Chaos
	Late string `json:"late,omitempty"`
}

func (s *Sim) chaosText(all []chaosText) (any, error) {
	set := make([]Chaos, len(all))
	for i, c := range all {
		if c.Late != "" {
			d, err := time.ParseDuration(c.Late)
			if err != nil {
				return nil, fmt.Errorf("reading late: %w", err)
			}
			c.Chaos.Late = d
		}
		set[i] = c.Chaos
	}
	s.SetChaos(set...)
	return all, nil
}

// fate is what happens to a delivery.
type fate struct {
	drop  bool
	fail  bool
	late  time.Duration
	after <-chan struct{} // comes once this is closed; nil: at once
	extra int             // copies
	copy  time.Duration   // how much later than the first they come
}

// ofCopy is the fate of a copy of a delivery: it arrives.
func (f fate) ofCopy() fate { return fate{late: f.copy} }

// reorderWithin is how long a delivery waits for the next one.
const reorderWithin = time.Minute

// fateOf draws the fate of a subscription's next event.
func (s *Sim) fateOf(sub *subscription) fate {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.events++
	if sub.next != nil {
		close(sub.next)
		sub.next = nil
	}
	i := slices.IndexFunc(s.chaos, func(c Chaos) bool { return c.Subscription == "" || c.Subscription == sub.ID })
	if i < 0 {
		return fate{}
	}
	f, waits := s.chaos[i].draw(sub.URL, sub.events)
	if waits {
		sub.next = make(chan struct{})
		f.after = sub.next
	}
	return f
}

// draw tells the fate of the nth event, and whether it waits for the next.
func (c Chaos) draw(url string, n uint64) (f fate, waits bool) {
	h := fnv.New64a()
	h.Write([]byte(url))
	dice := rand.New(rand.NewPCG(c.Seed, h.Sum64()+n))
	late := c.Late
	if late == 0 {
		late = time.Hour
	}
	dropped, duplicate, delay := dice.Float64(), dice.Float64(), dice.Float64()
	f.drop = dropped < c.Drop
	f.fail = !f.drop && dropped < c.Drop+c.Fail
	if duplicate < c.Duplicate {
		f.extra = 1
		f.copy = time.Duration(dice.Int64N(int64(late)))
		if dice.IntN(2) == 0 { // as when two of Zoom's servers send at once
			f.copy = 0
		}
	}
	if delay < c.Delay {
		f.late = time.Duration(dice.Int64N(int64(late)))
	}
	return f, dice.Float64() < c.Reorder
}

// ship sends a delivery when its time has come.
func (s *Sim) ship(d delivery) {
	if d.after != nil && !s.pauseForNext(d) {
		return
	}
	if d.late > 0 && !s.pauseFor(d.sub, time.Now().Add(d.late)) {
		return
	}
	if d.drop {
		s.weblog.add(d, 0, receipt{status: 200})
		s.ledger.add(Entry{Kind: KindDrop, Event: d.kind, App: d.sub.App, Path: d.sub.URL, Body: wordOf(d.body), Time: time.Now(), Note: "chaos: dropped"})
		return
	}
	if d.sub.Socket {
		s.pass(d)
		return
	}
	s.climb(d)
}

// pauseForNext waits until the next delivery has had a second, or a minute if
// there is none; false means that the subscription has ended.
func (s *Sim) pauseForNext(d delivery) bool {
	timer := time.NewTimer(reorderWithin)
	defer timer.Stop()
	select {
	case <-d.after:
		return s.pauseFor(d.sub, time.Now().Add(time.Second))
	case <-timer.C:
		return true
	case <-d.sub.gone:
	case <-s.done:
	}
	return false
}

package worker

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

var (
	seeds    = flag.Int("seeds", 6, "how many plays of random faults")
	fromSeed = flag.Int("from", 1, "the first of them")
)

// flows of the plays. A write that ends unknown waits for a person, and stays.
var flows = map[string]string{
	"puts":   `{ name: puts, on: [ { zoom: meeting.ended } ], retry: { attempts: 50, delay: 500ms, max_delay: 4s }, steps: [ { id: a, uses: test.put }, { id: nap, sleep: 3s }, { id: b, uses: test.put }, { id: c, uses: test.read } ] }`,
	"probes": `{ name: probes, on: [ { zoom: meeting.ended } ], retry: { attempts: 50, delay: 500ms, max_delay: 4s }, steps: [ { id: a, uses: test.probed }, { id: b, uses: test.read }, { id: c, uses: test.probed } ] }`,
	"writes": `{ name: writes, on: [ { zoom: meeting.ended } ], retry: { attempts: 50, delay: 500ms, max_delay: 4s }, steps: [ { id: nap, sleep: 1s }, { id: a, uses: test.write }, { id: nap2, sleep: 7s }, { id: b, uses: test.write, on_unknown: retry } ] }`,
	"keyed":  `{ name: keyed, on: [ { zoom: meeting.ended } ], retry: { attempts: 50, delay: 500ms, max_delay: 4s }, concurrency: { key: "${{ event.payload.object.k }}", limit: 2 }, steps: [ { id: a, uses: test.put }, { id: nap, sleep: 3s }, { id: b, uses: test.put } ] }`,
	"wide": `{ name: wide, on: [ { zoom: meeting.ended } ], retry: { attempts: 50, delay: 500ms, max_delay: 4s }, steps: [
		{ id: both, parallel: {
			left: [ { id: each, for_each: [ 1, 2, 3, 4 ], at_once: 2, steps: [ { id: a, uses: test.put }, { id: b, uses: test.probed } ] } ],
			right: [ { id: came, wait_for: { zoom: recording.completed, match: { payload.object.n: "${{ event.payload.object.n }}" }, timeout: 40s, on_timeout: continue } }, { id: c, uses: test.put } ] } },
		{ id: d, uses: test.read } ] }`,
}

const (
	chaosLasts = 60 * time.Second
	quietLasts = 6 * time.Minute
)

// TestRandomFaults plays workflows while workers and the broker die, lines break
// and answers are lost; then it is quiet, and all must be well.
func TestRandomFaults(t *testing.T) {
	if testing.Short() {
		*seeds = min(*seeds, 1)
	}
	for seed := *fromSeed; seed < *fromSeed+*seeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) { newChaos(r, uint64(seed)).play() })
		})
	}
}

type chaos struct {
	*rig
	rng    *rand.Rand
	hands  []*hand // nil: dead
	all    []*hand
	agenda []todo
	down   bool
	events []string
	work   sync.WaitGroup
	begun  time.Time
	mu     sync.Mutex
	answer *rand.Rand
	limit  int // of the keyed runs inside at a time
}

// todo is what is to be done at a time.
type todo struct {
	at time.Time
	do func()
}

func newChaos(r *rig, seed uint64) *chaos {
	c := &chaos{rig: r, rng: rand.New(rand.NewPCG(seed, 1)), answer: rand.New(rand.NewPCG(seed, 2)), begun: time.Now(), limit: 1 + int(seed%2)}
	r.world.truth = true
	r.world.answering(c.call)
	for _, name := range slices.Sorted(maps.Keys(flows)) {
		r.deploy(strings.Replace(flows[name], "limit: 2", fmt.Sprint("limit: ", c.limit), 1))
	}
	for range 2 + seed%2 {
		c.hands = append(c.hands, nil)
		c.boot(len(c.hands) - 1)
	}
	return c
}

func (c *chaos) between(least, most time.Duration) time.Duration {
	return least + time.Duration(c.rng.Int64N(int64(most-least)))
}

func (c *chaos) in(d time.Duration, do func()) {
	c.agenda = append(c.agenda, todo{time.Now().Add(d), do})
	slices.SortStableFunc(c.agenda, func(a, b todo) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
}

func (c *chaos) boot(i int) {
	if c.down {
		c.in(500*time.Millisecond, func() { c.boot(i) })
		return
	}
	c.hands[i] = c.start(func(c *Config) { c.Slots = 8 })
	c.all = append(c.all, c.hands[i])
}

// call is the outside world: slow at times, busy at times, and broken at times.
func (c *chaos) call(ctx context.Context, n int, in actions.Call) (actions.Result, error) {
	c.mu.Lock()
	long, luck := time.Duration(c.answer.Int64N(int64(2*time.Second))), c.answer.IntN(100)
	if c.answer.IntN(10) == 0 {
		long += time.Duration(c.answer.Int64N(int64(20 * time.Second)))
	}
	c.mu.Unlock()
	select {
	case <-time.After(long):
	case <-ctx.Done():
		return actions.Result{}, ctx.Err()
	}
	switch {
	case luck < 8:
		return actions.Result{}, actions.Retryable("busy")
	case luck < 12:
		return actions.Result{}, actions.Unknown("the connection broke")
	}
	return actions.Result{Output: map[string]any{"of": in.Key}}, nil
}

func (c *chaos) play() {
	for n := range 12 {
		c.in(c.between(0, chaosLasts*2/3), func() { c.publishLater(n) })
	}
	c.in(c.between(0, 5*time.Second), c.strike)
	c.until(c.begun.Add(chaosLasts))
	c.until(time.Now().Add(30 * time.Second)) // what was broken is mended by the agenda
	c.work.Wait()
	c.settle()
	for _, h := range c.all {
		c.check(h)
	}
	for name := range flows {
		for _, id := range c.events {
			c.checkRun(name, id)
		}
		c.acked(name)
	}
	slices.SortFunc(c.events, func(a, b string) int {
		return cmp.Compare(c.run("keyed", a).Start.Event.Sequence, c.run("keyed", b).Start.Event.Sequence)
	})
	all := c.stays("keyed", c.events)
	if len(all) != len(c.events) {
		c.t.Errorf("%d of %d keyed runs entered their gates", len(all), len(c.events))
	}
	if checkStays(c.t, all, c.limit); c.t.Failed() {
		for _, id := range c.events {
			c.t.Log(c.explain("keyed", id))
		}
	}
	c.gateEmpty()
}

// until does what is on the agenda until a time.
func (c *chaos) until(end time.Time) {
	for time.Now().Before(end) || len(c.agenda) > 0 {
		if len(c.agenda) == 0 || c.agenda[0].at.After(end) && time.Now().Before(end) {
			time.Sleep(time.Until(end))
			continue
		}
		next := c.agenda[0]
		c.agenda = c.agenda[1:]
		time.Sleep(time.Until(next.at))
		next.do()
	}
}

// publishLater is a source, at times a nervous one, and at times a person who
// thinks better of it.
func (c *chaos) publishLater(n int) {
	again, regret := c.rng.IntN(3) == 0, c.rng.IntN(5) == 0
	wait := c.between(0, 20*time.Second)
	c.work.Go(func() {
		object := map[string]any{"k": n % 2, "n": n}
		id := c.event(n, object)
		c.mu.Lock()
		c.events = append(c.events, id)
		c.mu.Unlock()
		time.Sleep(wait)
		for again && c.tryEventAgain(n, object) != nil {
			time.Sleep(time.Second)
		}
		for n%3 > 0 && c.tryOther("recording.completed", n) != nil { // some wait for nothing
			time.Sleep(time.Second)
		}
		for regret {
			run := engine.NewRun("")
			if h, err := c.load("puts", id); err == nil && run.Replay(h.Appends) == nil && run.Facts > 0 {
				regret = c.tryCommand("puts", id, &v1.Command{Id: "c" + id, Kind: "cancel", By: "me"}) != nil
			}
			time.Sleep(time.Second)
		}
	})
}

// strike does one bad thing and plans the next.
func (c *chaos) strike() {
	if time.Since(c.begun) < chaosLasts {
		c.in(c.between(100*time.Millisecond, 7*time.Second), c.strike)
	}
	i := c.rng.IntN(len(c.hands))
	h := c.hands[i]
	switch k := c.rng.IntN(8); {
	case k < 2 && h != nil:
		c.hands[i] = nil
		c.in(c.between(10*time.Millisecond, 8*time.Second), func() { c.boot(i) })
		h.kill()
	case k == 2 && h != nil && !c.down:
		c.hands[i] = nil
		c.in(c.between(10*time.Millisecond, 8*time.Second), func() { c.boot(i) })
		c.work.Go(h.stop)
	case k == 3 && h != nil:
		h.line.cut()
		c.in(c.between(100*time.Millisecond, 20*time.Second), h.line.mend)
	case k == 4 && h != nil:
		h.line.hush()
		c.in(c.between(100*time.Millisecond, 20*time.Second), h.line.mend)
	case k == 5 && !c.down:
		c.fell()
	case h != nil:
		h.line.lose.Store(1 + c.rng.Int64N(12))
	}
}

// fell is a broker that dies. Its connections break first: a server that shuts
// down waits with a lock held, which virtual time does not get past.
func (c *chaos) fell() {
	c.down = true
	cut := slices.Clone(c.all)
	for _, h := range cut {
		h.line.cut()
	}
	c.server.Down()
	c.in(c.between(100*time.Millisecond, 15*time.Second), func() {
		c.server.Up(c.t)
		c.down = false
		for _, h := range cut {
			h.line.mend()
		}
	})
}

// settle waits until each run has ended, or waits for a person.
func (c *chaos) settle() {
	for begun := time.Now(); ; time.Sleep(time.Second) {
		open, flow, event := "", "", ""
		for name := range flows {
			for _, id := range c.events {
				if run := c.run(name, id); !settledRun(run) {
					open, flow, event = fmt.Sprintf("%s of %s is %q", name, id, run.State), name, id
				}
			}
		}
		if open == "" {
			return
		}
		if time.Since(begun) > quietLasts {
			c.t.Fatalf("after %v of quiet: %s\n%s\n%s", quietLasts, open, c.explain(flow, event), stacks())
		}
	}
}

func settledRun(r *engine.Run) bool {
	for _, s := range r.Steps {
		if s.Status == engine.StepAsking && r.State == engine.Waiting {
			return true
		}
	}
	return r.State.Ended()
}

// check is what a worker must not have seen.
func (c *chaos) check(h *hand) {
	for what, n := range h.Counts() {
		if what.Name == "panics" || what.Name == "runs_unreadable" || what.Name == "messages_unreadable" {
			c.t.Errorf("worker %s counted %d %s", h.ID(), n, what.Name)
		}
	}
}

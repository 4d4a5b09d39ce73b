package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/poll"
	"zflow/proto"
)

// people is a list at a service that a workflow polls.
type people struct {
	mu    sync.Mutex
	items []map[string]any
	fails error
}

func (p *people) set(items ...map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.items = slices.Clone(items)
}

func (p *people) answer(_ context.Context, _ int, _ actions.Call) (actions.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]any, len(p.items))
	for i, item := range p.items {
		all[i] = item
	}
	return actions.Result{Output: map[string]any{"people": all}}, p.fails
}

func person(id, name string) map[string]any {
	return map[string]any{"id": id, "name": name, "seen": id + name}
}

const polling = `
name: staff
on:
  poll: { uses: test.read, every: EVERY, items: people, key: id, fields: [name], removed: true }
steps:
  - set: ${{ event.change }}
`

func pollingEvery(every string) string { return strings.Replace(polling, "EVERY", every, 1) }

// changes are the events that a workflow's polls have made, in short.
func (r *rig) changes(workflow string) (all []string) {
	r.t.Helper()
	for _, e := range r.polled(workflow) {
		var b struct {
			Change, Key string
			Item        map[string]any
			Before      map[string]any
		}
		r.must(json.Unmarshal(e.Body, &b))
		all = append(all, fmt.Sprintf("%s %s %v %v", b.Change, b.Key, b.Before["name"], b.Item["name"]))
	}
	return all
}

func (r *rig) polled(workflow string) []*proto.Event {
	r.t.Helper()
	return r.eventsOf(proto.SourcePoll, workflow)
}

// eventsOf are the events of a kind of source for a workflow.
func (r *rig) eventsOf(source, workflow string) (all []*proto.Event) {
	r.t.Helper()
	s, err := r.js.Stream(context.Background(), proto.Events)
	r.must(err)
	for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(context.Background(), seq)
		if err != nil {
			continue
		}
		e, err := proto.ReadEvent(m.Subject, m.Header, m.Data, seq, m.Time)
		r.must(err)
		if e.Kind() == source && e.Type == workflow {
			all = append(all, e)
		}
	}
	return all
}

func (r *rig) wantChanges(workflow string, want ...string) {
	r.t.Helper()
	got := r.changes(workflow)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Errorf("the events are\n  %s\nnot\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (r *rig) status(workflow string) poll.Status {
	r.t.Helper()
	s, err := poll.StatusOf(context.Background(), r.stores(r.js, r.server.Gate(r.t)).Ticks, workflow)
	r.must(err)
	return s
}

// times are when the list was read.
func (w *world) times() (all []time.Time) {
	for _, c := range w.ledger() {
		all = append(all, c.at)
	}
	return all
}

// The first poll only learns what is there; then what is new, changed or gone starts a
// run each, and a change back is another change.
func TestPoll(t *testing.T) {
	if testing.Short() {
		t.Skip("two others race as much")
	}
	bubble(t, func(t *testing.T, r *rig) {
		list := &people{}
		r.world.answering(list.answer)
		list.set(person("a", "Ann"), person("b", "Bob"))
		r.deploy(pollingEvery("5m"))
		begun := time.Now()
		h := r.start()
		time.Sleep(time.Minute)
		r.wantChanges("staff")
		if n := len(r.world.times()); n != 1 {
			t.Fatalf("polled %d times at first", n)
		}
		for _, name := range []string{"Bea", "Bob", "Bea"} {
			list.set(person("a", "Ann"), person("b", name))
			time.Sleep(5 * time.Minute)
		}
		list.set(person("c", "Cy"), person("b", "Bea"))
		time.Sleep(5 * time.Minute)
		r.wantChanges("staff", "changed b Bob Bea", "changed b Bea Bob", "changed b Bob Bea", "added c <nil> Cy", "removed a Ann <nil>")
		for _, at := range r.world.times()[1:] {
			if off := at.Sub(at.Truncate(5 * time.Minute)); off > time.Second {
				t.Errorf("polled %v after the grid", off)
			}
		}
		if n, want := len(r.world.times()), int(time.Since(begun)/(5*time.Minute))+1; n < want || n > want+1 {
			t.Errorf("polled %d times, want about %d", n, want)
		}
		for _, e := range r.polled("staff") {
			r.until("staff", e.ID, engine.Completed)
		}
		if n := count("poll_events", h); n != 5 {
			t.Errorf("%d events are counted", n)
		}
		if s := r.status("staff"); s.Known != 2 || s.Problem != nil || time.Since(s.Polled) > 5*time.Minute {
			t.Errorf("status: %+v", s)
		}
	})
}

// ticksIn are the messages of WAKES.
func (r *rig) inWakes() map[string]uint64 {
	r.t.Helper()
	s, err := r.js.Stream(context.Background(), proto.Wakes)
	r.must(err)
	i, err := s.Info(context.Background(), jetstream.WithSubjectFilter(">"))
	r.must(err)
	return i.State.Subjects
}

// onGrid checks that polls came once a tick, and at ticks.
func (r *rig) onGrid(from, to int, every time.Duration) {
	r.t.Helper()
	times := r.world.times()[from:to]
	for i, at := range times {
		if off := at.Sub(at.Truncate(every)); off > 2*time.Second {
			r.t.Errorf("poll %d came %v after the tick", from+i, off)
		}
		if i > 0 && at.Sub(times[i-1]) < every/2 {
			r.t.Errorf("polls at %v and %v", times[i-1], at)
		}
	}
}

// Of three workers one polls at a tick, wherever the wakes go, and though more wakes
// come than there are ticks.
func TestOnePollOfManyWorkers(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	bubble(t, func(t *testing.T, r *rig) {
		list := &people{}
		r.world.answering(func(ctx context.Context, n int, c actions.Call) (actions.Result, error) {
			time.Sleep(20 * time.Second) // longer than a wake may stay unacknowledged
			return list.answer(ctx, n, c)
		})
		r.deploy(pollingEvery("5m"))
		hands := []*hand{r.start(), r.start(), r.start()}
		time.Sleep(10 * time.Second)
		for range 4 {
			for range 3 { // as a power failure may leave them
				r.must(r.wakes.SetTick(context.Background(), "staff", time.Now()))
				time.Sleep(100 * time.Second)
			}
		}
		time.Sleep(150 * time.Second) // none is under way then
		if n := count("polls", hands...); n != 5 || int(n) != len(r.world.times()) {
			t.Errorf("%d polls, %d calls in 22 minutes", n, len(r.world.times()))
		}
		r.onGrid(1, len(r.world.times()), 5*time.Minute)
	})
}

// A worker that dies while it publishes what it found leaves it to another, which
// publishes the rest, once.
func TestWorkerDiesInAPoll(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		list := &people{}
		r.world.answering(list.answer)
		list.set(person("a", "Ann"), person("b", "Bob"))
		r.deploy(pollingEvery("5m"))
		var dying *hand
		var die sync.Once // it publishes several at once
		dying = r.start(func(c *Config) {
			publish := c.Stores.Publish
			c.Stores.Publish = func(ctx context.Context, e *proto.Event) error {
				err := publish(ctx, e)
				if e.Kind() == proto.SourcePoll {
					die.Do(dying.kill) // it published, and nobody knows
					return fmt.Errorf("dead: %w", context.Canceled)
				}
				return err
			}
		})
		time.Sleep(time.Minute)
		list.set(person("a", "Anna"), person("b", "Bea"), person("c", "Cy"))
		time.Sleep(5 * time.Minute)
		if n := len(r.world.times()); n != 2 {
			t.Fatalf("%d polls", n)
		}
		list.set(person("a", "Ann"), person("b", "Bea"), person("c", "Cy"))
		r.start()
		time.Sleep(time.Minute)
		r.wantChanges("staff", "changed a Ann Anna", "changed b Bob Bea", "added c <nil> Cy")
		time.Sleep(5 * time.Minute)
		r.wantChanges("staff", "changed a Ann Anna", "changed b Bob Bea", "added c <nil> Cy", "changed a Anna Ann")
		for _, e := range r.polled("staff") {
			r.until("staff", e.ID, engine.Completed)
		}
	})
}

// The grid is the same after a restart of everything and a redeployment; what passed
// while nobody was there is one tick.
func TestTicksKeepTheirGrid(t *testing.T) {
	if testing.Short() {
		t.Skip("two others race as much")
	}
	bubble(t, func(t *testing.T, r *rig) {
		list := &people{}
		r.world.answering(list.answer)
		list.set(person("a", "Ann"))
		r.deploy(pollingEvery("5m"))
		h := r.start()
		time.Sleep(13 * time.Minute)
		h.stop()
		seen := len(r.world.times())
		r.onGrid(1, seen, 5*time.Minute)
		time.Sleep(17 * time.Minute)
		r.server.Restart(t)
		r.start()
		time.Sleep(30 * time.Second)
		if n := len(r.world.times()); n != seen+1 {
			t.Errorf("%d polls of the ticks that passed", n-seen)
		}
		time.Sleep(20 * time.Minute)
		r.onGrid(seen+1, len(r.world.times()), 5*time.Minute)
		// Redeployed, with the same times and with others.
		seen = len(r.world.times())
		r.deploy(pollingEvery("5m") + "# again\n")
		time.Sleep(20 * time.Minute)
		if n := len(r.world.times()) - seen; n != 4 {
			t.Errorf("%d polls in 20 minutes after a redeployment", n)
		}
		seen = len(r.world.times())
		r.deploy(pollingEvery("10m"))
		time.Sleep(20 * time.Minute)
		if n := len(r.world.times()) - seen; n != 2 {
			t.Errorf("%d polls in 20 minutes, every 10m", n)
		}
		r.onGrid(seen, len(r.world.times()), 10*time.Minute)
		r.wantChanges("staff")
	})
}

// A paused workflow is not polled, and when it goes on is polled at once; nothing is
// left of a removed one, and it begins anew when it is deployed again.
func TestPausedAndRemovedWorkflowsAreNotPolled(t *testing.T) {
	if testing.Short() {
		t.Skip("two others race as much")
	}
	bubble(t, func(t *testing.T, r *rig) {
		ctx, list := context.Background(), &people{}
		r.world.answering(list.answer)
		list.set(person("a", "Ann"))
		r.deploy(pollingEvery("5m"))
		r.start()
		time.Sleep(time.Minute)
		r.must(r.catalog.Pause(ctx, "staff"))
		list.set(person("a", "Anna"))
		time.Sleep(12 * time.Minute)
		if n := len(r.world.times()); n != 1 || len(r.inWakes()) != 0 {
			t.Errorf("paused: %d polls, in WAKES %v", n, r.inWakes())
		}
		r.must(r.catalog.Resume(ctx, "staff"))
		time.Sleep(10 * time.Second)
		r.wantChanges("staff", "changed a Ann Anna")
		r.must(r.catalog.Remove(ctx, "staff"))
		seen := len(r.world.times())
		time.Sleep(12 * time.Minute)
		if n := len(r.world.times()); n != seen || len(r.inWakes()) != 0 {
			t.Errorf("removed: %d polls, in WAKES %v", n-seen, r.inWakes())
		}
		if s := r.status("staff"); s.Known != 0 || !s.Polled.IsZero() {
			t.Errorf("removed: %+v is known", s)
		}
		list.set(person("a", "Ann"))
		r.deploy(pollingEvery("5m"))
		time.Sleep(time.Minute)
		r.wantChanges("staff", "changed a Ann Anna")
		if s := r.status("staff"); s.Known != 1 {
			t.Errorf("deployed again: %+v", s)
		}
	})
}

// A tick that was lost, as in a power failure, is set again by the sweep after the
// broker's start.
func TestSweepSetsLostTicks(t *testing.T) {
	if testing.Short() {
		t.Skip("two others race as much")
	}
	bubble(t, func(t *testing.T, r *rig) {
		r.world.answering((&people{}).answer)
		r.deploy(pollingEvery("10m"))
		r.start()
		time.Sleep(time.Minute)
		r.must(r.wakes.DropTick(context.Background(), "staff"))
		r.server.Restart(t)
		time.Sleep(time.Minute)
		if len(r.inWakes()) != 1 {
			t.Errorf("in WAKES: %v", r.inWakes())
		}
		time.Sleep(20 * time.Minute)
		if n := len(r.world.times()); n != 3 {
			t.Errorf("%d polls", n)
		}
		r.onGrid(1, len(r.world.times()), 10*time.Minute)
	})
}

// A poll that fails says so until one succeeds, and its events are not lost.
func TestPollFails(t *testing.T) {
	if testing.Short() {
		t.Skip("two others race as much")
	}
	bubble(t, func(t *testing.T, r *rig) {
		list := &people{}
		r.world.answering(list.answer)
		list.set(person("a", "Ann"))
		r.deploy(pollingEvery("5m"))
		h := r.start()
		time.Sleep(time.Minute)
		list.mu.Lock()
		list.fails = actions.Final("the connection school was revoked: connect it again").With(401, "124")
		list.mu.Unlock()
		time.Sleep(10 * time.Minute)
		s := r.status("staff")
		if s.Problem == nil || s.Problem.Times != 2 || !strings.Contains(s.Problem.Message, "school was revoked") || count("polls_failed", h) != 2 {
			t.Errorf("status: %+v %+v", s, s.Problem)
		}
		list.mu.Lock()
		list.fails = nil
		list.mu.Unlock()
		list.set(person("a", "Anna"))
		time.Sleep(5 * time.Minute)
		r.wantChanges("staff", "changed a Ann Anna")
		if s := r.status("staff"); s.Problem != nil {
			t.Errorf("status: %+v", s.Problem)
		}
	})
}

// An event that cannot be published now is published later, without another poll.
func TestPollWhileEventsAreFull(t *testing.T) {
	if testing.Short() {
		t.Skip("two others race as much")
	}
	bubble(t, func(t *testing.T, r *rig) {
		list := &people{}
		r.world.answering(list.answer)
		list.set(person("a", "Ann"))
		r.deploy(pollingEvery("5m"))
		var full atomic.Bool
		full.Store(true)
		h := r.start(func(c *Config) {
			publish := c.Stores.Publish
			c.Stores.Publish = func(ctx context.Context, e *proto.Event) error {
				if full.Load() {
					return fmt.Errorf("publishing event %s: the stream is full", e.ID)
				}
				return publish(ctx, e)
			}
		})
		time.Sleep(time.Minute)
		list.set(person("a", "Anna"))
		time.Sleep(5 * time.Minute)
		if n := count("ticks_failed", h); n == 0 || len(r.changes("staff")) != 0 {
			t.Errorf("%d failed ticks", n)
		}
		full.Store(false)
		calls := len(r.world.times())
		time.Sleep(40 * time.Second)
		r.wantChanges("staff", "changed a Ann Anna")
		if n := len(r.world.times()); n != calls {
			t.Errorf("polled %d times more", n-calls)
		}
	})
}

package poll_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine/poll"
	"zflow/proto"
)

const byName = "uses: club.list, items: people, key: id, fields: [name]"

func TestWhatThePollFinds(t *testing.T) {
	bubble(t, byName+", removed: true", func(b *bench) {
		b.list.set(who("a", "Ann"), who("b", "Bob"))
		b.tick()
		b.want()
		b.list.set(who("b", "Bea"), who("c", "Cy"))
		at := time.Now()
		b.tick()
		b.want("changed b Bob Bea", "added c <nil> Cy", "removed a Ann <nil>")
		for _, e := range b.bodies() {
			if !e.PolledAt.Equal(at) {
				t.Errorf("polled at %v, not %v", e.PolledAt, at)
			}
		}
		e := b.stored()[0]
		subject, _ := e.Wire()
		if subject != "zflow.event.poll._.club" || e.Type != "club" || e.Source != "poll" || e.Origin != proto.FromPoll || !e.Time.Equal(at) {
			t.Errorf("the event is %+v on %s", e, subject)
		}
		b.tick()
		if n := len(b.stored()); n != 3 {
			t.Errorf("%d events, though nothing has changed", n)
		}
		if s := b.status(); s.Known != 2 || s.Problem != nil {
			t.Errorf("status: %+v", s)
		}
	})
}

// An item that changes back and forth changes each time.
func TestSecondChangesAreChanges(t *testing.T) {
	bubble(t, byName, func(b *bench) {
		want := []string{}
		for i, name := range []string{"Ann", "Anna", "Ann", "Anna", "Ann"} {
			b.list.set(who("a", name))
			b.tick()
			if i > 0 {
				want = append(want, fmt.Sprintf("changed a %s %s", map[bool]string{true: "Ann", false: "Anna"}[name == "Anna"], name))
			}
		}
		b.want(want...)
		b.list.set()
		b.tick()
		b.list.set(who("a", "Ann"))
		b.tick()
		b.want(append(want, "added a <nil> Ann")...)
	})
}

func TestFirstPollCanBeAllNew(t *testing.T) {
	bubble(t, byName+", first: all", func(b *bench) {
		b.list.set(who("a", "Ann"), who(int64(7), "Bob"))
		b.tick()
		b.tick()
		b.want("added a <nil> Ann", "added 7 <nil> Bob")
	})
}

// Without fields all of an item counts, but for the values of credentials; removed
// is an event only if asked for.
func TestAllFields(t *testing.T) {
	bubble(t, "uses: club.list, items: people, key: user.id", func(b *bench) {
		one := func(seat int, mail string) map[string]any {
			return map[string]any{"user": map[string]any{"id": "a"}, "name": "Ann", "seat": seat, "mail": mail}
		}
		b.list.set(one(1, "x"))
		b.tick()
		b.list.set(one(2, "x"))
		b.tick()
		b.want("changed a Ann Ann")
		if e := b.bodies()[0]; e.Before["seat"] != 1.0 || e.Item["seat"] != 2.0 {
			t.Errorf("the event is %+v", e)
		}
		b.list.set()
		b.tick()
		b.want("changed a Ann Ann")
	})
}

// A process may die between any two writes: what a poll has found is published once,
// whatever the list is when the poll goes on.
func TestCrashBetweenPublishAndSave(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	for dies := 1; dies <= 3; dies++ {
		t.Run(fmt.Sprint("after ", dies, " events"), func(t *testing.T) {
			bubble(t, byName+", removed: true", func(b *bench) {
				b.list.set(who("a", "Ann"), who("b", "Bob"), who("c", "Cy"))
				b.tick()
				b.list.set(who("a", "Anna"), who("b", "Bea"), who("d", "Di"))
				published := 0
				dead := errors.New("the process is dead")
				b.publish = func(ctx context.Context, e *proto.Event) error {
					b.mu.Lock()
					defer b.mu.Unlock()
					if published++; published > dies {
						return dead
					}
					return b.really(ctx, e)
				}
				b.ticks = time.Now()
				if err := b.again(); !errors.Is(err, dead) {
					t.Fatalf("the poll says %v", err)
				}
				b.publish = nil
				b.list.set(who("a", "Ann"), who("b", "Bea"), who("d", "Di")) // a is again as it was
				calls := b.list.calls
				b.must(b.again())
				b.want("changed a Ann Anna", "changed b Bob Bea", "added d <nil> Di", "removed c Cy <nil>")
				if b.list.calls != calls {
					t.Error("a tick whose list was compared polled again")
				}
				time.Sleep(time.Minute)
				b.tick()
				b.want("changed a Ann Anna", "changed b Bob Bea", "added d <nil> Di", "removed c Cy <nil>", "changed a Anna Ann")
			})
		})
	}
}

// A list that is not read to its end is no list.
func TestPagesThatFail(t *testing.T) {
	bubble(t, byName+", removed: true", func(b *bench) {
		all := []any{}
		for i := range 10 {
			all = append(all, who(fmt.Sprint(i), "x"))
		}
		b.list.set(all...)
		b.list.size = 3
		b.tick()
		if b.list.calls != 4 || b.status().Known != 10 {
			t.Fatalf("%d calls, %+v", b.list.calls, b.status())
		}
		b.list.set(append(all[1:], who("n", "new"))...)
		b.list.page = func(n int) error {
			if n == 7 {
				return actions.Final("no such page").With(400, "300")
			}
			return nil
		}
		b.tick()
		b.want()
		b.wantProblem(1, "reading the list with club.list: no such page (status 400, code 300)")
		b.list.page = func(int) error { return actions.Final("revoked: reconnect it with zflow connect").With(401, "124") }
		b.tick()
		b.wantProblem(2, "revoked: reconnect it")
		b.list.page = nil
		b.tick()
		b.want("added n <nil> new", "removed 0 x <nil>")
		if s := b.status(); s.Problem != nil || b.counts["polls_failed"] != 2 || b.counts["polls"] != 2 {
			t.Errorf("%+v, counted %v", s, b.counts)
		}
	})
}

// A page that may come after all is asked for again, for a while.
func TestPagesAreAskedForAgain(t *testing.T) {
	bubble(t, byName+", first: all", func(b *bench) {
		b.list.set(who("a", "Ann"))
		b.list.page = func(n int) error {
			switch n {
			case 1:
				return actions.RetryAfter(time.Now().Add(30*time.Second), "too fast").With(429, "")
			case 2:
				return actions.Retryable("busy").With(503, "")
			}
			return nil
		}
		begun := time.Now()
		b.tick()
		b.want("added a <nil> Ann")
		if took := time.Since(begun) - time.Minute; took != 34*time.Second {
			t.Errorf("the poll took %v", took)
		}
		b.list.page = func(int) error { return actions.Retryable("busy") }
		calls := b.list.calls
		b.tick()
		b.wantProblem(1, "busy")
		if n := b.list.calls - calls; n != 4 {
			t.Errorf("asked %d times", n)
		}
		b.list.page = func(int) error { return actions.RetryAfter(time.Now().Add(time.Hour), "come back later") }
		b.tick()
		b.wantProblem(2, "come back later")
	})
}

func TestListsThatCannotBeCompared(t *testing.T) {
	same := who("a", "Ann")
	for name, c := range map[string]struct {
		how  string
		set  func(*service)
		want string
	}{
		"no key":        {byName, func(s *service) { s.set(same, map[string]any{"name": "x"}) }, "item 2 of the list has no id"},
		"key an object": {byName, func(s *service) { s.set(who(map[string]any{}, "x")) }, "it is an object"},
		"same key":      {byName, func(s *service) { s.set(same, who("a", "Bob")) }, "two different items have the id a"},
		"no list":       {"uses: club.list, items: more, key: id", func(s *service) { s.set() }, "items is true or false, no list"},
		"around":        {byName, func(s *service) { s.set(same, same); s.around = true }, "two pages have the same next_page_token"},
		"more":          {"uses: club.some, items: people, key: id", func(s *service) { s.set(same); s.more = true }, "more items than one call brings (1)"},
		"no pages":      {"uses: club.some, items: people, key: id", func(s *service) { s.set(same, same); s.size = 1 }, "it has no input next_page_token"},
		"large item":    {byName, func(s *service) { s.set(who("a", strings.Repeat("x", 1<<20))) }, "item a takes 1024 KiB"},
		"slow":          {byName, func(s *service) { s.page = func(int) error { time.Sleep(6 * time.Minute); return nil } }, "took longer than 5m0s"},
		"bad input":     {byName + `, with: { n: "${{ 1 / vars.kind }}" }`, func(*service) {}, "the input of the poll"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, c.how, func(b *bench) {
				b.list.set(same)
				c.set(&b.list)
				b.tick()
				b.want()
				b.wantProblem(1, c.want)
			})
		})
	}
}

// The same item twice, as where it slid to the next page meanwhile, is one.
func TestTheSameItemTwice(t *testing.T) {
	bubble(t, byName+", first: all", func(b *bench) {
		b.list.set(who("a", "Ann"), who("b", "Bob"), who("a", "Ann"))
		b.tick()
		b.want("added a <nil> Ann", "added b <nil> Bob")
	})
}

// What a call is asked for: its input, as many items as it can bring.
func TestInput(t *testing.T) {
	bubble(t, `uses: club.some, items: people, key: id, with: { kind: "${{ vars.kind }}", key: "${{ secrets.key }}" }`, func(b *bench) {
		b.tick()
		if in := b.list.inputs[0]; in["kind"] != "gold" || in["key"] != "sealed" || in["limit"] != 2500.0 {
			t.Errorf("the input is %v", in)
		}
	})
}

// Another list is another beginning, as the trigger says; other fields are not.
func TestSettingsThatChange(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	bubble(t, byName+", removed: true", func(b *bench) {
		b.list.set(who("a", "Ann"), who("b", "Bob"))
		b.tick()
		// Other fields: what has changed until the next poll is not known, new and gone is.
		b.define("uses: club.list, items: people, key: id, fields: [name, seat], removed: true")
		b.list.set(who("a", "Anna"), who("c", "Cy"))
		b.tick()
		b.want("added c <nil> Cy", "removed b Bob <nil>")
		b.list.set(who("a", "Ann"), who("c", "Cy"))
		b.tick()
		b.want("added c <nil> Cy", "removed b Bob <nil>", "changed a Anna Ann")
		// Another input: another list.
		b.define(byName + ", with: { of: other }")
		b.list.set(who("x", "Xi"))
		b.tick()
		b.want("added c <nil> Cy", "removed b Bob <nil>", "changed a Anna Ann")
		b.list.set()
		b.tick()
		// Back to the first: it is not remembered.
		b.define(byName + ", first: all")
		b.list.set(who("a", "Ann"))
		b.tick()
		b.want("added c <nil> Cy", "removed b Bob <nil>", "changed a Anna Ann", "added a <nil> Ann")
		ids := map[string]bool{}
		for _, e := range b.stored() {
			ids[e.ID] = true
		}
		if len(ids) != 4 {
			t.Errorf("%d ids of 4 events", len(ids))
		}
	})
}

// Of two workers that poll for one tick, as where a lock was lost, one counts.
func TestTwoAtOnce(t *testing.T) {
	bubble(t, byName, func(b *bench) {
		b.list.set(who("a", "Ann"))
		b.tick()
		b.list.set(who("a", "Anna"), who("b", "Bob"))
		other := b.another()
		b.ticks = time.Now()
		var second error
		var begun atomic.Bool // events are published at once
		b.publish = func(ctx context.Context, e *proto.Event) error {
			if begun.CompareAndSwap(false, true) {
				second = other.Do(ctx, poll.Tick{Workflow: b.def, Trigger: &b.def.Triggers[0], At: b.ticks})
			}
			return b.really(ctx, e)
		}
		first := b.again()
		if second != nil || first == nil || !strings.Contains(first.Error(), "changed meanwhile") {
			t.Errorf("the polls say %v and %v", first, second)
		}
		b.must(b.again())
		b.tick()
		b.want("changed a Ann Anna", "added b <nil> Bob")
	})
}

// 5,000 items, of which all change: the events come in rounds, each once, and no more
// than what is known stays in the bucket.
func TestLongList(t *testing.T) {
	if testing.Short() {
		t.Skip("it works alone: there is little that could race")
	}
	bubble(t, byName, func(b *bench) {
		fill := func(name string) {
			all := make([]any, 5000)
			for i := range all {
				all[i] = who(fmt.Sprint(i), name)
			}
			b.list.set(all...)
		}
		b.list.size = 300
		fill("old")
		b.tick()
		fill("new")
		dies := 2500
		b.publish = func(ctx context.Context, e *proto.Event) error {
			b.mu.Lock()
			dies--
			dead := dies < 0
			b.mu.Unlock()
			if dead {
				return errors.New("the process is dead")
			}
			return b.really(ctx, e)
		}
		b.ticks = time.Now()
		if err := b.again(); err == nil {
			t.Error("the process did not die")
		}
		b.publish = nil
		b.must(b.again())
		keys := map[any]bool{}
		all := b.bodies()
		for _, e := range all {
			keys[e.Key] = true
		}
		if len(all) != 5000 || len(keys) != 5000 {
			t.Errorf("%d events of %d items", len(all), len(keys))
		}
		time.Sleep(2 * time.Hour)
		b.tick()
		b.list.set(append(slices.Clone(b.list.items), who("z", "Zoe"))...)
		b.tick()
		if left := b.left(); len(left) > 3 {
			t.Errorf("in the bucket: %v", left)
		}
	})
}

func TestListsThatAreTooLong(t *testing.T) {
	bubble(t, byName, func(b *bench) {
		all := make([]any, 100_001)
		for i := range all {
			all[i] = map[string]any{"id": i}
		}
		b.list.set(all...)
		b.tick()
		b.wantProblem(1, "more than 100000 items")
	})
}

// Nothing is left of a workflow that polls no more.
func TestForget(t *testing.T) {
	bubble(t, byName, func(b *bench) {
		b.list.set(who("a", "Ann"))
		b.tick()
		if len(b.left()) != 2 {
			t.Errorf("in the bucket: %v", b.left())
		}
		b.must(b.poller.Forget(context.Background(), "club"))
		if len(b.left()) != 0 {
			t.Errorf("in the bucket: %v", b.left())
		}
	})
}

// The account of the connection is that of the events, so that their runs use it.
func TestAccount(t *testing.T) {
	bubble(t, byName+", first: all", func(b *bench) {
		b.def.Triggers[0].Poll.Uses.Connection = "school"
		b.list.set(who("a", "Ann"))
		b.tick()
		if e := b.stored()[0]; e.Account != "acct" {
			t.Errorf("the event's account is %q", e.Account)
		}
	})
}

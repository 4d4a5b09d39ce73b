package gates_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zflow/engine/gates"
	"zflow/engine/leases"
	"zflow/internal/natstest"
	"zflow/proto"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// asks is an event that came some time after noon and asks for a once of an hour.
func asks(event string, after time.Duration) gates.Claim {
	return gates.Claim{Workflow: "flow", Trigger: "0", Key: "k", EventID: event, At: noon.Add(after), Per: time.Hour}
}

func (r *rig) wins(c gates.Claim, want string) {
	r.t.Helper()
	won, by, err := r.Win(context.Background(), c)
	if err != nil || by != want || won != (want == c.EventID) {
		r.t.Errorf("%s: %v, won by %q, want %q, %v", c.EventID, won, by, want, err)
	}
}

func TestOnce(t *testing.T) {
	r := newRig(t)
	r.wins(asks("a", 0), "a")
	r.wins(asks("b", time.Minute), "a")
	r.wins(asks("a", 0), "a")
	r.wins(asks("c", -time.Hour+time.Second), "a") // before it, but not long before
	r.wins(asks("d", time.Hour-time.Nanosecond), "a")
	r.wins(asks("e", time.Hour), "e") // takes over
	r.wins(asks("d", time.Hour-time.Nanosecond), "a")
	r.wins(asks("f", time.Hour+time.Minute), "e")
	r.wins(asks("a", 0), "a") // delivered again, after all
	r.wins(asks("e", time.Hour), "e")
	r.wins(asks("g", -3*time.Hour), "g") // handled late: its while is another
	r.wins(asks("h", -2*time.Hour-time.Minute), "g")
	again := asks("e", time.Hour) // after a deployment with a longer while
	again.Per = 3 * time.Hour
	r.wins(again, "e")
}

// Each workflow, trigger and key has its own; a while of 0 never ends.
func TestOnceOfOthers(t *testing.T) {
	r := newRig(t)
	r.wins(asks("a", 0), "a")
	for i, change := range []func(*gates.Claim){
		func(c *gates.Claim) { c.Workflow = "other" }, func(c *gates.Claim) { c.Trigger = "1" }, func(c *gates.Claim) { c.Key = "l" },
		func(c *gates.Claim) { c.Key = "" }, func(c *gates.Claim) { c.Key = "K" }, func(c *gates.Claim) { c.Key = "k.*" },
		func(c *gates.Claim) { c.Key = "日 本" }, func(c *gates.Claim) { c.Key = strings.Repeat("k", 10_000) },
		func(c *gates.Claim) { c.Workflow, c.Trigger = "flow.0", "" },
	} {
		c := asks(fmt.Sprint(i), time.Minute)
		change(&c)
		r.wins(c, c.EventID)
	}
	ever := asks("first", 0)
	ever.Key, ever.Per = "ever", 0
	r.wins(ever, "first")
	ever.EventID, ever.At = "second", noon.AddDate(10, 0, 0)
	r.wins(ever, "first")
}

// Of many events at many workers one wins, and all know which.
func TestOneWins(t *testing.T) {
	r := newRig(t)
	workers := []*gates.Store{r.worker(), r.worker(), r.worker(), r.worker()}
	for round := range 10 {
		const rivals = 24
		won, by := make([]bool, rivals), make([]string, rivals)
		var group sync.WaitGroup
		for i := range rivals {
			group.Go(func() {
				c := asks(fmt.Sprint(i/2), time.Duration(i)) // each event comes twice
				c.Key = fmt.Sprint(round)
				var err error
				if won[i], by[i], err = workers[i%len(workers)].Win(context.Background(), c); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		winners := 0
		for i := range rivals {
			if by[i] != by[0] || won[i] != (by[i] == fmt.Sprint(i/2)) {
				t.Errorf("event %d: %v, won by %s; event 0 says by %s", i/2, won[i], by[i], by[0])
			}
			if won[i] {
				winners++
			}
		}
		if winners != 2 {
			t.Errorf("%d have won, want both deliveries of one event", winners)
		}
	}
}

// An entry knows its last winners only. What is older than these may have had one:
// it does not win.
func TestOnceForgets(t *testing.T) {
	r := newRig(t)
	for i := range 40 {
		event := fmt.Sprint(i)
		r.wins(asks(event, time.Duration(i)*time.Hour), event)
	}
	r.wins(asks("39", 39*time.Hour), "39")
	r.wins(asks("30", 30*time.Hour), "30")
	r.wins(asks("late", 29*time.Hour+time.Minute), "29")
	r.wins(asks("old", 2*time.Hour), "24")
}

// Over a restart the winner stays; an entry lives longer than its while, so that
// events which are handled late find it, and not for ever.
func TestOnceLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := newRig(t)
		r.wins(asks("a", 0), "a")
		r.server.Restart(t)
		time.Sleep(time.Second)
		r.wins(asks("b", time.Minute), "a")
		s, err := r.server.JetStream(t).Stream(t.Context(), proto.Bucket(proto.Once))
		must(t, err)
		if s.CachedInfo().Config.MaxAge != 0 {
			t.Errorf("the bucket drops all that is older than %v, a once may be for years", s.CachedInfo().Config.MaxAge)
		}
		m, err := s.GetLastMsgForSubject(t.Context(), "$KV.ONCE."+proto.OnceKey("flow", "0", "k"))
		must(t, err)
		if life, err := time.ParseDuration(m.Header.Get("Nats-TTL")); err != nil || life != time.Hour+28*24*time.Hour {
			t.Errorf("an entry lives for %q", m.Header.Get("Nats-TTL"))
		}
	})
}

// The marks of leases are in the same bucket, and are not in the way.
func TestOnceBesideMarks(t *testing.T) {
	r := newRig(t)
	l, err := leases.Open(t.Context(), r.server.JetStream(t))
	must(t, err)
	must(t, l.Mark(t.Context(), "sweep.flow.0"))
	r.wins(gates.Claim{Workflow: "sweep", Trigger: "0", EventID: "a", At: noon}, "a")
	if done, err := l.Done(t.Context(), "sweep.0"); done || err != nil {
		t.Errorf("a once is taken for a mark: %v", err)
	}
}

func TestDamagedOnce(t *testing.T) {
	r := newRig(t)
	key := proto.OnceKey("flow", "0", "k")
	_, err := r.server.JetStream(t).Publish(t.Context(), "$KV.ONCE."+key, []byte("?"))
	must(t, err)
	if won, _, err := r.Win(t.Context(), asks("a", 0)); won || err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("won %v, %v", won, err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if won, by, err := r.Win(canceled, asks("a", 0)); won || by != "" || err == nil || !strings.Contains(err.Error(), "event a") {
		t.Errorf("won %v by %q, %v", won, by, err)
	}
}

func BenchmarkWin(b *testing.B) {
	r := newRig(b)
	for n := 0; b.Loop(); n++ {
		c := asks(fmt.Sprint(n), 0)
		c.Key = fmt.Sprint(n / 2) // each second one loses
		_, _, err := r.Win(context.Background(), c)
		must(b, err)
	}
}

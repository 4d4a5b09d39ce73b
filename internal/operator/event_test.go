package operator

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/proto"
)

func sequences(events []Event) (all []uint64) {
	for _, e := range events {
		all = append(all, e.Sequence)
	}
	return all
}

func TestEventsAreListedNewestFirst(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	for n := range 4 {
		r.event("meeting.ended", n)
		r.event("recording.completed", n)
	}
	before := time.Now()
	r.event("user.created", 1)
	for name, c := range map[string]struct {
		q    EventQuery
		want []uint64
	}{
		"all": {EventQuery{}, []uint64{9, 8, 7, 6, 5, 4, 3, 2, 1}}, "limit": {EventQuery{Limit: 2}, []uint64{9, 8}},
		"type": {EventQuery{Type: "meeting.ended"}, []uint64{7, 5, 3, 1}}, "pattern": {EventQuery{Type: "recording.*", Limit: 3}, []uint64{8, 6, 4}},
		"since": {EventQuery{Since: before}, []uint64{9}}, "none": {EventQuery{Type: "x.y"}, nil}, "later": {EventQuery{Since: before.Add(time.Hour)}, nil},
	} {
		got, err := r.Events(ctx, c.q)
		if err != nil || !slices.Equal(sequences(got), c.want) || got == nil {
			t.Errorf("%s: %v (%v), want %v", name, sequences(got), err, c.want)
		}
	}
	for _, pattern := range []string{"a..b", ".", "a b", "a.>", ">"} {
		if _, err := r.Events(ctx, EventQuery{Type: pattern}); err == nil || !strings.Contains(err.Error(), "is not like meeting.ended") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func TestNoEventIsAnEmptyList(t *testing.T) {
	r := newRig(t)
	if all, err := r.Events(context.Background(), EventQuery{Limit: 5}); err != nil || all == nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}

// Rare events are found far behind, and each window is read once.
func TestEventsAreFoundBehindManyOthers(t *testing.T) {
	r := newRig(t)
	first := r.event("user.created", 1)
	for n := range 3000 {
		if _, err := r.JS.PublishAsync("zflow.event.zoom.acct.meeting.ended", []byte(strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
	}
	<-r.JS.PublishAsyncComplete()
	last := r.event("user.created", 2)
	got, err := r.Events(context.Background(), EventQuery{Type: "user.created", Limit: 10})
	r.must(err)
	if !slices.Equal(sequences(got), []uint64{last.Sequence, first.Sequence}) {
		t.Errorf("found %v", sequences(got))
	}
	all, err := r.Events(context.Background(), EventQuery{})
	r.must(err)
	if !slices.IsSortedFunc(all, func(a, b Event) int { return int(b.Sequence) - int(a.Sequence) }) || len(all) != 3002 {
		t.Errorf("%d events, sorted wrongly or not all", len(all))
	}
	if e, err := r.Event(context.Background(), first.ID); err != nil || e.Sequence != 1 {
		t.Errorf("by its id: %+v, %v", e, err)
	}
}

func TestAnEventIsShownWithoutCredentials(t *testing.T) {
	r := newRig(t)
	keys, err := sealed.GenerateKeys()
	r.must(err)
	e := r.event("recording.completed", 1)
	e.ID, e.Body = "other", []byte(`{"download_token":"`+keys.Public().Seal("secret")+`","big":12345678901234567890}`)
	_, err = r.Publisher.Publish(context.Background(), e)
	r.must(err)
	d, err := r.Event(context.Background(), "other")
	r.must(err)
	if string(d.Body) != `{"download_token":"••••","big":12345678901234567890}` || d.Headers["ce-id"][0] != "other" {
		t.Errorf("shown as %s, %v", d.Body, d.Headers)
	}
	// What another client published is shown as far as it goes.
	_, err = r.JS.Publish(context.Background(), "zflow.event.app._.x", []byte("no json"))
	r.must(err)
	if d, err := r.Event(context.Background(), "3"); err != nil || string(d.Body) != `"no json"` || d.Type != "x" || d.ID != "seq-3" {
		t.Errorf("shown as %+v, %v", d, err)
	}
}

func TestAppEventsHaveAnIDByTheirKey(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	a, err := r.Publish(ctx, "order.paid", "7", []byte(`{"a":1}`))
	r.must(err)
	again, err := r.Publish(ctx, "order.paid", "7", []byte(`{"a":1}`))
	r.must(err)
	b, err := r.Publish(ctx, "order.paid", "", []byte(`{"a":1}`))
	r.must(err)
	if a.Duplicate || !again.Duplicate || again.ID != a.ID || b.ID == a.ID || b.Duplicate {
		t.Errorf("published as %+v, %+v, %+v", a, again, b)
	}
	m, err := r.JS.Stream(ctx, proto.Events)
	r.must(err)
	stored, err := m.GetMsg(ctx, a.Sequence)
	r.must(err)
	if stored.Subject != "zflow.event.app._.order.paid" {
		t.Errorf("on %s", stored.Subject)
	}
	for kind, data := range map[string]string{"a..b": "1", "": "1", "a.*": "1", "ok": "{", "ok2": ""} {
		if p, err := r.Publish(ctx, kind, "", []byte(data)); err == nil {
			t.Errorf("%q, %q: published as %+v", kind, data, p)
		}
	}
}

// Each replay that says ok is an event that was never there before: not with
// others at once, not after it has left the duplicate window or EVENTS itself.
func TestReplaysAreNewEachTime(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	r.deploy("hello")
	e := r.event("meeting.ended", 1)
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			p, err := r.Replay(ctx, e.ID)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || p.Duplicate || seen[p.ID] || p.ReplayOf != e.ID {
				t.Errorf("replayed as %+v, %v", p, err)
			}
			seen[p.ID] = true
		})
	}
	all.Wait()
	// Replays whose events were purged have left their runs.
	stream, err := r.JS.Stream(ctx, proto.Events)
	r.must(err)
	r.finished("hello", proto.ReplayID(e.ID, 9))
	last, err := r.Replay(ctx, "1")
	r.must(err)
	if last.ID != proto.ReplayID(e.ID, 10) {
		t.Errorf("the run of ~9 is there, and the replay is %s", last.ID)
	}
	r.must(stream.Purge(ctx, jetstream.WithPurgeSequence(1)))
	d, err := r.Event(ctx, last.ID)
	r.must(err)
	if d.Origin != proto.FromReplay || string(d.Body) != `{"n":1}` || d.Type != "meeting.ended" {
		t.Errorf("the replay is %+v", d)
	}
	// The replay of a replay is one of the original.
	if p, err := r.Replay(ctx, last.ID); err != nil || p.ID != proto.ReplayID(e.ID, 11) {
		t.Errorf("replayed as %+v, %v", p, err)
	}
	if _, err := r.Replay(ctx, "nosuch"); err == nil {
		t.Error("a replay of nothing says ok")
	}
}

// The server knows a duplicate for two hours; a replay after that is new too.
func TestAReplayHoursLaterIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := newRig(t)
		e := r.event("meeting.ended", 1)
		for n := 1; n <= 3; n++ {
			p, err := r.Replay(context.Background(), e.ID)
			if err != nil || p.ID != proto.ReplayID(e.ID, n) {
				t.Errorf("replay %d is %+v, %v", n, p, err)
			}
			time.Sleep(3 * time.Hour)
		}
	})
}

// A list leaves no consumer behind.
func TestListsLeaveNothingBehind(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	r.event("meeting.ended", 1)
	r.finished("hello", "e")
	for range 5 {
		_, err := r.Events(ctx, EventQuery{})
		r.must(err)
		_, err = r.Runs(ctx, RunQuery{})
		r.must(err)
	}
	for _, name := range []string{proto.Events, proto.Runs} {
		s, err := r.JS.Stream(ctx, name)
		r.must(err)
		own := map[string]int{proto.Events: 1} // the router's
		if n := s.CachedInfo().State.Consumers - own[name]; n != 0 {
			t.Errorf("%d consumers are left on %s", n, name)
		}
	}
}

func TestWorkflowsAreShownWithTheirEventsAndRuns(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	r.deploy("hello")
	r.event("meeting.ended", 1)
	r.event("meeting.ended", 2)
	r.tale("hello", "x").tells(engine.Running, started("hello", "x"))
	all, err := r.Workflows(ctx)
	r.must(err)
	if len(all) != 1 || all[0].Pending != 2 || all[0].State != "active" || !slices.Equal(all[0].Triggers, []string{"zoom meeting.ended"}) {
		t.Errorf("listed as %+v", all)
	}
	w, err := r.Workflow(ctx, "hello")
	r.must(err)
	if !strings.HasPrefix(w.Source, "name: hello\n") || len(w.Runs) != 1 || w.Runs[0].ID != proto.RunID("hello", "x") {
		t.Errorf("shown as %+v", w)
	}
	if _, err := r.Workflow(ctx, "nosuch"); err == nil {
		t.Error("a workflow that is not there is shown")
	}
}

func BenchmarkEventsOf20000(b *testing.B) {
	r := newRig(b)
	for n := range 20000 {
		if _, err := r.JS.PublishAsync("zflow.event.zoom.acct.meeting.ended", []byte(strconv.Itoa(n))); err != nil {
			b.Fatal(err)
		}
	}
	<-r.JS.PublishAsyncComplete()
	for b.Loop() {
		if all, err := r.Events(context.Background(), EventQuery{Limit: 100}); err != nil || len(all) != 100 {
			b.Fatalf("%d events, %v", len(all), err)
		}
	}
}

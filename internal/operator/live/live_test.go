package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/internal/operator"
	"zflow/internal/operator/operatortest"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const patience = 20 * time.Second

// start is a house and a hub of its events.
func start(t testing.TB) (*operatortest.House, *Hub) {
	t.Helper()
	h := operatortest.New(t)
	return h, NewHub(h.JS, wire.Events)
}

func events(t testing.TB, types ...string) Filter {
	t.Helper()
	f, err := Events(types, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func after(n uint64) *uint64 { return &n }

func open(t testing.TB, hub *Hub, q Query) *Follower {
	t.Helper()
	f, err := hub.Open(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// read returns the sequences of the next n messages.
func read(t testing.TB, f *Follower, n int) (got []uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for len(got) < n {
		messages, err := f.Next(ctx)
		if err != nil || len(messages) == 0 {
			t.Fatalf("after %v: %v", got, err)
		}
		for _, m := range messages {
			got = append(got, m.Sequence)
		}
	}
	return got
}

// silent fails if something is there already.
func silent(t testing.TB, f *Follower) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if got, err := f.Next(ctx); err != nil || len(got) > 0 {
		t.Errorf("there was message %d, %v", got[0].Sequence, err)
	}
}

func TestFollowersGetWhatTheirFilterLetsThrough(t *testing.T) {
	h, hub := start(t)
	h.Event("meeting.ended", 0, "{}")
	all, ended := open(t, hub, Query{}), open(t, hub, Query{Filter: events(t, "meeting.ended", "user.*")})
	for n, kind := range []string{"meeting.ended", "meeting.started", "user.created", "user.settings.updated", "meeting.ended.twice"} {
		h.Event(kind, n+1, "{}")
	}
	if got := read(t, all, 5); !slices.Equal(got, []uint64{2, 3, 4, 5, 6}) {
		t.Errorf("all: %v", got)
	}
	if got := read(t, ended, 3); !slices.Equal(got, []uint64{2, 4, 5}) {
		t.Errorf("some: %v", got)
	}
	silent(t, all)
	silent(t, ended)
}

// TestResumeIsExact resumes after each place of a stream that is longer than what
// the ring begins with, with and without a filter.
func TestResumeIsExact(t *testing.T) {
	h, hub := start(t)
	const n = ringBefore + 3*batch
	for i := range n {
		h.Event([]string{"meeting.ended", "meeting.started"}[i%2], i, "{}")
	}
	for place := uint64(0); place < n; place += 7 {
		var want, wantEnded []uint64
		for s := place + 1; s <= n+2; s++ {
			want = append(want, s)
			if s%2 == 1 {
				wantEnded = append(wantEnded, s)
			}
		}
		all := open(t, hub, Query{After: &place})
		ended := open(t, hub, Query{After: &place, Filter: events(t, "meeting.ended")})
		if place == 0 {
			h.Event("meeting.ended", n, "{}")
			h.Event("meeting.started", n+1, "{}")
		}
		if got := read(t, all, len(want)); !slices.Equal(got, want) {
			t.Fatalf("after %d: %v", place, got)
		}
		if got := read(t, ended, len(wantEnded)); !slices.Equal(got, wantEnded) {
			t.Fatalf("ended after %d: %v", place, got)
		}
		all.Close()
		ended.Close()
	}
	if hub.Followers() != 0 {
		t.Errorf("%d followers are left", hub.Followers())
	}
}

// TestAFollowerBehindTheRingCatchesUp lets the ring leave a follower behind.
func TestAFollowerBehindTheRingCatchesUp(t *testing.T) {
	h, hub := start(t)
	slow, quick := open(t, hub, Query{}), open(t, hub, Query{})
	const n, mib = 20, 1 << 20
	for i := range n {
		h.Event("meeting.ended", i, `{"filler":"`+strings.Repeat("x", mib)+`"}`)
	}
	want := read(t, quick, n)
	if begins := hub.begins(); begins < n/2 {
		t.Fatalf("the ring begins at %d: it has more than it may", begins)
	}
	if got := read(t, slow, n); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	h.Event("meeting.ended", n, "{}")
	if got := read(t, slow, 1); got[0] != n+1 {
		t.Errorf("then %v", got)
	}
}

func TestAGapIsSaid(t *testing.T) {
	h, hub := start(t)
	for i := range 9 {
		h.Event("meeting.ended", i, "{}")
	}
	s, err := h.JS.Stream(context.Background(), wire.Events)
	h.Must(err)
	if err := s.Purge(context.Background(), jetstream.WithPurgeSequence(6)); err != nil {
		t.Fatal(err)
	}
	f := open(t, hub, Query{After: after(2)})
	if g := f.Gap(); g == nil || *g != (Gap{2, 6}) {
		t.Errorf("the gap is %v", g)
	}
	if got := read(t, f, 4); !slices.Equal(got, []uint64{6, 7, 8, 9}) {
		t.Errorf("got %v", got)
	}
	var said []string
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	q := Query{After: after(2), OnGap: func(g Gap) { said = append(said, g.String()) }}
	h.Must(Tail(ctx, h.Operator, q, func(operator.Received) error { cancel(); return nil }))
	if !slices.Equal(said, []string{"3 to 5 are no longer kept: it begins with 6"}) {
		t.Errorf("it is said as %q", said)
	}
	if f := open(t, hub, Query{After: after(5)}); f.Gap() != nil {
		t.Errorf("there is no gap after 5, but %v", f.Gap())
	}
	var beyond Beyond
	if _, err := hub.Open(context.Background(), Query{After: after(10)}); !errors.As(err, &beyond) || beyond.Last != 9 {
		t.Errorf("a place beyond the end: %v", err)
	} else if got := FromError(err, 11).Error(); got != "there is nothing from 11 on, the last is 9: begin at 10, or leave --from out" {
		t.Errorf("it is said as %q", got)
	}
}

func TestFollowersGoOnOverARestart(t *testing.T) {
	h, hub := start(t)
	h.Event("meeting.ended", 0, "{}")
	now, past := open(t, hub, Query{}), open(t, hub, Query{After: after(0)})
	h.Event("meeting.ended", 1, "{}")
	read(t, now, 1)
	read(t, past, 2)
	h.Server.Restart(t)
	publish(h, 2)
	if got := read(t, now, 1); got[0] != 3 {
		t.Errorf("got %v", got)
	}
	if got := read(t, past, 1); got[0] != 3 {
		t.Errorf("got %v", got)
	}
}

// publish stores an event on a server that may have just come up.
func publish(h *operatortest.House, n int) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	now := time.Now()
	e := &wire.Event{ID: fmt.Sprint("again", n), Type: "meeting.ended", Source: "zoom/default", Origin: wire.FromTest, Time: now, ReceivedAt: now, Body: []byte("{}")}
	for {
		_, err := h.Publisher.Publish(ctx, e)
		if err == nil || ctx.Err() != nil {
			h.Must(err)
			return
		}
	}
}

// TestAStreamThatLostItsEndIsSaid purges the whole stream and lets it begin anew.
func TestAStreamThatLostItsEndIsSaid(t *testing.T) {
	h, hub := start(t)
	ctx := context.Background()
	for i := range 5 {
		h.Event("meeting.ended", i, "{}")
	}
	f := open(t, hub, Query{After: after(0)})
	read(t, f, 5)
	config, err := h.JS.Stream(ctx, wire.Events)
	h.Must(err)
	h.Must(h.JS.DeleteStream(ctx, wire.Events))
	_, err = h.JS.CreateStream(ctx, config.CachedInfo().Config)
	h.Must(err)
	h.Event("meeting.started", 9, "{}")
	within, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	if got, err := f.Next(within); !errors.Is(err, ErrReset) {
		t.Errorf("got %d messages, %v", len(got), err)
	}
}

func TestBadFilters(t *testing.T) {
	for _, types := range [][]string{{"a..b"}, {"meeting.*", ""}, {"a b"}, {">"}, {""}, make([]string, mostSubjects+1)} {
		if len(types) == 2 {
			types[1] = "meeting. ended"
		}
		if _, err := Events(types, nil); err == nil {
			t.Errorf("%q is a filter", types)
		}
	}
	if _, err := Events(nil, []engine.Trigger{}); err == nil {
		t.Error("a workflow that no event starts has events")
	}
	for _, bad := range [][2][]string{{{"a.b"}, nil}, {{">"}, nil}, {{"*"}, nil}, {nil, {"ended"}}, {make([]string, mostSubjects+1), nil}} {
		if _, err := Runs(bad[0], bad[1]); err == nil {
			t.Errorf("%q is a filter of runs", bad)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		filter, subject string
		want            bool
	}{
		{"a.*.c", "a.b.c", true}, {"a.*.c", "a.b.d", false}, {"a.>", "a.b.c", true}, {"a.>", "a", false}, {"a.b", "a.b.c", false},
		{"a.b.c", "a.b", false}, {"*", "a", true}, {">", "a.b", true}, {"a.*", "a.b.c", false}, {"a.b", "a.c", false},
	} {
		if got := within(c.filter, c.subject); got != c.want {
			t.Errorf("%s lets %s through: %v", c.filter, c.subject, got)
		}
	}
}

func TestEventsOfAWorkflow(t *testing.T) {
	h, hub := start(t)
	h.Deploy("name: hello\non: [ { zoom: [ meeting.ended, \"user.*\" ] } ]\nsteps:\n  - { id: say, uses: log, with: { message: hi } }\n")
	triggers, err := Triggers(context.Background(), h.Operator, "hello")
	h.Must(err)
	filter, err := Events([]string{"meeting.*"}, triggers)
	h.Must(err)
	f := open(t, hub, Query{Filter: filter})
	for n, kind := range []string{"user.created", "meeting.started", "meeting.ended"} {
		h.Event(kind, n, "{}")
	}
	if got := read(t, f, 1); got[0] != 3 {
		t.Errorf("got %v", got)
	}
	for _, name := range []string{"other", "a.b", ""} {
		if _, err := Triggers(context.Background(), h.Operator, name); err == nil {
			t.Errorf("%q has triggers", name)
		}
	}
}

func TestTailBeginsAtATime(t *testing.T) {
	h, _ := start(t)
	h.Event("meeting.ended", 1, "{}")
	h.Event("meeting.started", 1, "{}")
	var got []uint64
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := Tail(ctx, h.Operator, Query{Filter: events(t, "meeting.ended"), Since: time.Now().Add(-time.Hour)}, func(e operator.Received) error {
		if got = append(got, e.Sequence); len(got) == 1 {
			h.Event("meeting.ended", 2, "{}")
		} else {
			cancel()
		}
		return nil
	})
	if err != nil || !slices.Equal(got, []uint64{1, 3}) {
		t.Errorf("saw %v, %v", got, err)
	}
	soon := time.Now().Add(time.Hour)
	f := open(t, NewHub(h.JS, wire.Events), Query{Since: soon})
	silent(t, f)
}

func TestWatchFollowsARunToItsEnd(t *testing.T) {
	h := operatortest.New(t)
	version := h.Deploy("name: hello\non: [ { zoom: meeting.ended } ]\nsteps:\n  - { id: say, uses: log, with: { message: hi } }\n")
	id := h.Run("hello", version, "e", engine.Completed, &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{}}})
	h.Run("hello", version, "other", engine.Running)
	var kinds []string
	h.Must(Watch(context.Background(), h.Operator, id, func(a operator.Append) error {
		for _, f := range a.Facts {
			kinds = append(kinds, f.Kind)
		}
		return nil
	}))
	if got := strings.Join(kinds, " "); got != "run_started run_completed" {
		t.Errorf("it saw %s", got)
	}
	if err := Watch(context.Background(), h.Operator, "zzzz", nil); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("a run that is not there: %v", err)
	}
}

func TestWatchAllSeesWhatItsFilterLetsThrough(t *testing.T) {
	h := operatortest.New(t)
	h.Run("hello", "v1", "before", engine.Failed)
	filter, err := Runs([]string{"hello", "other"}, []string{"failed"})
	h.Must(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.Run("hello", "v1", "running", engine.Running)
	h.Run("third", "v1", "failed", engine.Failed)
	h.Run("other", "v1", "failed", engine.Failed)
	var got []string
	h.Must(WatchAll(ctx, h.Operator, Query{Filter: filter, After: after(1)}, func(a operator.Append) error {
		got = append(got, a.Workflow+" "+a.Status+" "+a.EventID)
		cancel()
		return nil
	}))
	if !slices.Equal(got, []string{"other failed failed"}) {
		t.Errorf("it saw %q", got)
	}
}

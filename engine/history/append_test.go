package history_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine/history"
	"zflow/internal/natstest"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// open returns a store on a server of its own.
func open(t testing.TB) (*history.Store, *natstest.Server) {
	t.Helper()
	s := natstest.Start(t)
	if err := history.Create(context.Background(), s.JetStream(t), history.Limits{Bytes: 1 << 28}); err != nil {
		t.Fatal(err)
	}
	return reopen(t, s), s
}

func reopen(t testing.TB, s *natstest.Server) *history.Store {
	t.Helper()
	store, err := history.Open(context.Background(), s.JetStream(t), s.Gate(t))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func started(number uint64) *v1.Fact {
	return &v1.Fact{Number: number, At: int64(number), Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{Workflow: "flow"}}}
}

func skipped(number uint64) *v1.Fact {
	return &v1.Fact{Number: number, At: int64(number), Step: "a", Kind: &v1.Fact_StepSkipped{StepSkipped: &v1.StepSkipped{Why: "if is false"}}}
}

func of(state string, facts ...*v1.Fact) history.Append {
	return history.Append{Workflow: "flow", Run: "run", State: state, Epoch: 1, Facts: facts}
}

func TestAppendAndLoad(t *testing.T) {
	for _, n := range []int{0, 1, 2, 31, 32, 33, 100, 600} { // one by one up to 32, then by a consumer
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s, _ := open(t)
			var c history.Cursor
			for i := range uint64(n) {
				if err := s.Append(t.Context(), &c, of("running", skipped(i+1))); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Append(t.Context(), &history.Cursor{}, history.Append{Workflow: "flow", Run: "other", State: "running", Facts: []*v1.Fact{started(1)}}); err != nil {
				t.Fatal(err)
			}
			h, err := s.Load(t.Context(), "flow", "run")
			if err != nil || len(h.Appends) != n || len(h.Stored) != n {
				t.Fatalf("%d appends, %v", len(h.Appends), err)
			}
			for i, a := range h.Appends {
				if a.Facts[0].Number != uint64(i+1) || a.Number != uint64(i+1) || a.State != "running" || a.Epoch != 1 {
					t.Errorf("append %d is %v", i+1, a)
				}
			}
			if h.Cursor.Sequence != c.Sequence || h.Cursor.Number != c.Number || h.Cursor.Hash != c.Hash {
				t.Error("the cursor of a loaded history is not that of its writer")
			}
			if err := s.Append(t.Context(), &h.Cursor, of("completed", skipped(uint64(n+1)))); err != nil {
				t.Errorf("appending behind a loaded history: %v", err)
			}
			if err := s.Pass(t.Context(), &h.Cursor); err != nil {
				t.Errorf("passing the gate: %v", err)
			}
		})
	}
}

// Of two writers one gets ErrConflict, by either of the server's codes.
func TestConflict(t *testing.T) {
	s, _ := open(t)
	var a, b history.Cursor
	if err := s.Append(t.Context(), &a, of("running", started(1))); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), &b, of("running", started(1))); !errors.Is(err, history.ErrConflict) {
		t.Errorf("a second start: %v", err)
	}
	b = a
	if err := s.Append(t.Context(), &a, of("waiting", skipped(2))); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), &b, of("canceled", skipped(2))); !errors.Is(err, history.ErrConflict) {
		t.Errorf("a second append behind the same: %v", err)
	}
	done := make(chan error, 8)
	for range 8 {
		c := a
		go func() { done <- s.Append(context.Background(), &c, of("running", skipped(3))) }()
	}
	won := 0
	for range 8 {
		if err := <-done; err == nil {
			won++
		} else if !errors.Is(err, history.ErrConflict) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 8 appends behind the same won", won)
	}
}

// After a new server the mark of a cursor is stale: what was appended is in doubt.
func TestPassAfterARestart(t *testing.T) {
	s, server := open(t)
	var c history.Cursor
	if err := s.Append(t.Context(), &c, of("running", started(1))); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	other := natstest.Start(t, natstest.Dir(server.Dir()))
	s = reopen(t, other)
	if err := s.Pass(t.Context(), &c); err == nil {
		t.Error("an append to the server before passed the gate of the next")
	}
	h, err := s.Load(t.Context(), "flow", "run")
	if err != nil || len(h.Appends) != 1 {
		t.Fatalf("%d appends, %v", len(h.Appends), err)
	}
	if err := s.Pass(t.Context(), &h.Cursor); err != nil {
		t.Errorf("what was loaded does not pass: %v", err)
	}
}

func TestHead(t *testing.T) {
	s, _ := open(t)
	if h, err := s.Head(t.Context(), "flow", "run"); err != nil || h.Sequence != 0 {
		t.Errorf("of no run: %v, %v", h, err)
	}
	var c history.Cursor
	for _, state := range []string{"running", "waiting", "running", "waiting"} {
		a := of(state, skipped(c.Number+1))
		a.Header = map[string][]string{"zflow-step": {"a"}}
		if err := s.Append(t.Context(), &c, a); err != nil {
			t.Fatal(err)
		}
	}
	for what, find := range map[string]func() (history.Head, error){
		"Head": func() (history.Head, error) { return s.Head(t.Context(), "flow", "run") },
		"Find": func() (history.Head, error) { return s.Find(t.Context(), "run") },
	} {
		h, err := find()
		if err != nil || h.Workflow != "flow" || h.Run != "run" || h.State != "waiting" || h.Sequence != c.Sequence || h.Header.Get("zflow-step") != "a" || h.At.IsZero() {
			t.Errorf("%s: %v, %v", what, h, err)
		}
	}
	if h, err := s.Find(t.Context(), "none"); err != nil || h.Sequence != 0 {
		t.Errorf("finding nothing: %v, %v", h, err)
	}
}

// OpenRuns gives each run that is waiting or running once, in its last state.
func TestOpenRuns(t *testing.T) {
	s, _ := open(t)
	for run, states := range map[string][]string{
		"waits": {"running", "waiting"}, "again": {"waiting", "running", "waiting"}, "runs": {"waiting", "running"},
		"done": {"running", "waiting", "completed"}, "failed": {"running", "failed"},
	} {
		var c history.Cursor
		for _, state := range states {
			if err := s.Append(t.Context(), &c, history.Append{Workflow: "flow", Run: run, State: state, Facts: []*v1.Fact{skipped(c.Number + 1)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]string{}
	err := s.OpenRuns(t.Context(), time.Microsecond, func(h history.Head) error {
		if got[h.Run] != "" {
			t.Errorf("run %s came twice", h.Run)
		}
		got[h.Run] = h.State
		return nil
	})
	if err != nil || fmt.Sprint(got) != "map[again:waiting runs:running waits:waiting]" {
		t.Errorf("%v, %v", got, err)
	}
	stop := errors.New("enough")
	if err := s.OpenRuns(t.Context(), time.Microsecond, func(history.Head) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a caller that has enough gets %v", err)
	}
}

// What is missing, altered or foreign in a history is found, and named.
func TestDamage(t *testing.T) {
	encode := func(f *v1.Facts) []byte {
		data, err := proto.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, c := range map[string]struct {
		data []byte
		why  string
	}{
		"no facts at all":  {[]byte("\xff\xff\xff"), "its bytes are no facts"},
		"an empty append":  {encode(&v1.Facts{Number: 3}), "it holds no fact"},
		"one is missing":   {encode(&v1.Facts{Number: 4, Facts: []*v1.Fact{skipped(4)}}), "append 4 follows append 2"},
		"one is altered":   {encode(&v1.Facts{Number: 3, Previous: make([]byte, 32), Facts: []*v1.Fact{skipped(3)}}), "append 2 is not the one that append 3 was written behind"},
		"one comes again":  {encode(&v1.Facts{Number: 1, Facts: []*v1.Fact{started(1)}}), "append 1 follows append 2"},
		"a hash is absent": {encode(&v1.Facts{Number: 3, Facts: []*v1.Fact{skipped(3)}}), "append 2 is not the one"},
	} {
		t.Run(name, func(t *testing.T) {
			s, server := open(t)
			var cursor history.Cursor
			for n := uint64(1); n < 3; n++ {
				if err := s.Append(t.Context(), &cursor, of("running", skipped(n))); err != nil {
					t.Fatal(err)
				}
			}
			ack, err := server.JetStream(t).Publish(t.Context(), wire.RunSubject("flow", "run", "running"), c.data)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Load(t.Context(), "flow", "run")
			var damaged *history.Damaged
			if !errors.As(err, &damaged) || damaged.Sequence != ack.Sequence || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A history may begin late where its first generations have aged away, but only
// with one that says so.
func TestAgedHistory(t *testing.T) {
	for name, c := range map[string]struct {
		first *v1.Fact
		fine  bool
	}{
		"a generation": {&v1.Fact{Number: 9, Kind: &v1.Fact_RunContinued{RunContinued: &v1.RunContinued{Generation: 2}}}, true},
		"a step":       {skipped(9), false},
	} {
		s, _ := open(t)
		cursor := history.Cursor{Number: 6}
		if err := s.Append(t.Context(), &cursor, of("waiting", c.first)); err != nil {
			t.Fatal(err)
		}
		h, err := s.Load(t.Context(), "flow", "run")
		if c.fine != (err == nil) || c.fine && h.Cursor.Number != 7 {
			t.Errorf("beginning with %s: %v", name, err)
		}
	}
}

// A value that lies in BLOBS takes its name along, and not its bytes; its holder
// keeps them.
func TestLargeValuesStayOut(t *testing.T) {
	s, _ := open(t)
	v := &v1.Value{Json: []byte(`"large"`), Blob: "b1", Size: 7}
	f := &v1.Fact{Number: 1, Kind: &v1.Fact_RunContinued{RunContinued: &v1.RunContinued{Facts: []*v1.Fact{
		{Number: 1, Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Output: v}}}}}}}
	var c history.Cursor
	if err := s.Append(t.Context(), &c, of("waiting", f)); err != nil {
		t.Fatal(err)
	}
	if string(v.Json) != `"large"` {
		t.Error("the holder's bytes are gone")
	}
	h, err := s.Load(t.Context(), "flow", "run")
	if err != nil {
		t.Fatal(err)
	}
	if got := history.Values(h.Appends[0].Facts); len(got) != 1 || got[0].Blob != "b1" || got[0].Json != nil {
		t.Errorf("stored: %v", got)
	}
}

func TestValues(t *testing.T) {
	v := func(text string) *v1.Value { return &v1.Value{Json: []byte(text)} }
	facts := []*v1.Fact{
		{Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{Event: &v1.Event{Body: v("1")}}}},
		{Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{}}},
		{Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Input: v("2")}}},
		{Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Output: v("3")}}},
		{Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{Output: v("4")}}},
		{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{Output: v("5")}}},
		skipped(1),
		{Kind: &v1.Fact_RunEnding{RunEnding: &v1.RunEnding{Output: v("f")}}},
		{Kind: &v1.Fact_ValueSet{ValueSet: &v1.ValueSet{Value: v("6")}}},
		{Kind: &v1.Fact_LoopStarted{LoopStarted: &v1.LoopStarted{Items: v("7")}}},
		{Kind: &v1.Fact_WaitStarted{WaitStarted: &v1.WaitStarted{Approval: &v1.Approval{Fields: v("8")}}}},
		{Kind: &v1.Fact_WaitStarted{WaitStarted: &v1.WaitStarted{}}},
		{Kind: &v1.Fact_WaitEnded{WaitEnded: &v1.WaitEnded{Output: v("9")}}},
		{Kind: &v1.Fact_CallStarted{CallStarted: &v1.CallStarted{Inputs: v("a")}}},
		{Kind: &v1.Fact_CallEnded{CallEnded: &v1.CallEnded{Output: v("b")}}},
		{Kind: &v1.Fact_SignalReceived{SignalReceived: &v1.SignalReceived{Data: v("c")}}},
		{Kind: &v1.Fact_RunRetried{RunRetried: &v1.RunRetried{With: map[string]*v1.Value{"y": v("e"), "x": v("d")}}}},
	}
	facts = append(facts, &v1.Fact{Kind: &v1.Fact_RunContinued{RunContinued: &v1.RunContinued{Facts: facts[:3]}}})
	text := ""
	for _, v := range history.Values(facts) {
		text += string(v.Json)
	}
	if text != "12345f6789abcde12" {
		t.Errorf("found %s", text)
	}
}

// The number of facts that hold a value is known to Values: a new kind with one
// must be added there, or its large values could not be stored.
func TestValuesKnowsAllKinds(t *testing.T) {
	with := 0
	kinds := (&v1.Fact{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
	for i := range kinds.Len() {
		if holdsValue(kinds.Get(i).Message(), 0) {
			with++
		}
	}
	if with != 15 {
		t.Errorf("%d kinds of facts hold a value, Values looks into 15", with)
	}
}

// A stream that is full takes nothing more, rather than drop what it has.
func TestFullStream(t *testing.T) {
	server := natstest.Start(t)
	if err := history.Create(t.Context(), server.JetStream(t), history.Limits{Bytes: 2000, Age: time.Hour}); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, server)
	if s.Age() != time.Hour {
		t.Errorf("an age of %v", s.Age())
	}
	var c history.Cursor
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		err = s.Append(t.Context(), &c, of("running", skipped(uint64(n+1))))
	}
	if err == nil || errors.Is(err, history.ErrConflict) {
		t.Fatalf("append %d: %v", n, err)
	}
	h, err := s.Load(t.Context(), "flow", "run")
	if err != nil || len(h.Appends) != n-1 {
		t.Errorf("%d of %d appends are left: %v", len(h.Appends), n-1, err)
	}
}

package recording_test

import (
	"fmt"
	"testing"

	"zflow/engine/history"
	"zflow/internal/app"
	"zflow/internal/bench/recording"
	"zflow/internal/natstest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

func event(key string) *proto.Event {
	return &proto.Event{ID: proto.EventID(proto.SourceApp, "x.y", key), Type: "x.y", Source: proto.SourceApp, Body: []byte(`{"key":"` + key + `"}`)}
}

func open(t *testing.T) *app.Client {
	t.Helper()
	s := natstest.Start(t)
	c := &app.Client{JS: s.JetStream(t), Gate: s.Gate(t)}
	if err := history.Create(t.Context(), c.JS, history.Limits{Bytes: 1 << 24}); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.History, err = history.Open(t.Context(), c.JS, c.Gate); err != nil {
		t.Fatal(err)
	}
	return c
}

// run stores a run of two appends.
func run(t *testing.T, c *app.Client, e *proto.Event) {
	t.Helper()
	var cursor history.Cursor
	for i, f := range []*v1.Fact{
		{Number: 1, Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{Workflow: "flow", Event: &v1.Event{Id: e.ID, Body: &v1.Value{Json: e.Body}}}}},
		{Number: 2, Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{}}},
	} {
		a := history.Append{Workflow: "flow", Run: proto.RunID("flow", e.ID), State: []string{"running", "completed"}[i], Epoch: 1, Facts: []*v1.Fact{f}}
		if err := c.History.Append(t.Context(), &cursor, a); err != nil {
			t.Fatal(err)
		}
	}
}

// Every reader takes a copy for a run: of its own event, with its own chain.
func TestCopiesAreRuns(t *testing.T) {
	c := open(t)
	run(t, c, event("real"))
	r, err := recording.Open(t.Context(), c, "flow", event("real").ID)
	if err != nil || len(r.Appends) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	sent := 0
	copyOf := func(i int) recording.Copy {
		return recording.Copy{Event: event(fmt.Sprint(i)), Change: func(a *recording.Append) {
			for _, f := range a.Facts.Facts {
				f.At = int64(i) + 1
			}
		}}
	}
	if err := r.Fill(t.Context(), 30, copyOf, func() { sent++ }); err != nil || sent != 30 {
		t.Fatalf("%d, %v", sent, err)
	}
	for i := range 30 {
		e := event(fmt.Sprint(i))
		h, err := c.History.Load(t.Context(), "flow", proto.RunID("flow", e.ID))
		if err != nil || len(h.Appends) != 2 || h.Appends[1].State != "completed" {
			t.Fatalf("copy %d: %v, %v", i, h, err)
		}
		first := h.Appends[0].Facts[0]
		if s := first.GetRunStarted(); s.Event.Id != e.ID || string(s.Event.Body.Json) != string(e.Body) || first.At != int64(i)+1 {
			t.Errorf("copy %d: %v", i, first)
		}
	}
	if v, err := c.History.Verify(t.Context(), func(uint64, uint64) {}); err != nil || v.Runs != 31 {
		t.Errorf("%+v, %v", v, err)
	}
}

// What the server refuses ends the filling at once, and is said.
func TestFillIsRefused(t *testing.T) {
	c := open(t)
	run(t, c, event("real"))
	r, err := recording.Open(t.Context(), c, "flow", event("real").ID)
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	same := func(int) recording.Copy { return recording.Copy{Event: event("real")} }
	if err := r.Fill(t.Context(), 1<<30, same, func() { sent++ }); err == nil || sent > 1<<20 {
		t.Errorf("a run that is there is stored again: %d, %v", sent, err)
	}
	if _, err := recording.Open(t.Context(), c, "flow", "none"); err == nil {
		t.Error("a run that is not there is recorded")
	}
}

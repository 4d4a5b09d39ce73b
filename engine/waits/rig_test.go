package waits_test

import (
	"context"
	"slices"
	"testing"

	"zflow/engine/waits"
	"zflow/internal/natstest"
	"zflow/proto"
)

type rig struct {
	*waits.Store
	t      testing.TB
	server *natstest.Server
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, server: natstest.Start(t)}
	js := r.server.JetStream(t)
	must(t, waits.Create(context.Background(), js, 1))
	var err error
	r.Store, err = waits.Open(context.Background(), js, r.server.Gate(t))
	must(t, err)
	return r
}

// worker returns a store on a connection of its own, as another process has it.
func (r *rig) worker() *waits.Store {
	r.t.Helper()
	nc := r.server.Connect(r.t)
	s, err := waits.Open(context.Background(), natstest.JetStream(r.t, nc), natstest.Gate(r.t, nc))
	must(r.t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// waiter waits for a Zoom event of a type; match is path, value, path, value …
func waiter(run string, fact uint64, eventType string, match ...string) waits.Waiter {
	w := waits.Waiter{Wait: waits.Wait{Workflow: "flow", Run: run, Fact: fact}, Source: "zoom", Type: eventType, Match: map[string]string{}}
	for i := 0; i < len(match); i += 2 {
		w.Match[match[i]] = match[i+1]
	}
	return w
}

func (r *rig) register(waiters ...waits.Waiter) {
	r.t.Helper()
	must(r.t, r.Register(context.Background(), waiters...))
}

// comes routes a Zoom event and checks which runs are to be woken.
func (r *rig) comes(sequence uint64, eventType, body string, want ...string) {
	r.t.Helper()
	entries, err := r.Match(context.Background(), "zoom", eventType, []byte(body))
	must(r.t, err)
	woken, err := r.Arrive(context.Background(), sequence, entries...)
	must(r.t, err)
	got := []string{}
	for _, w := range woken {
		got = append(got, w.Run)
	}
	slices.Sort(got)
	if !slices.Equal(got, append([]string{}, want...)) {
		r.t.Errorf("%s %s wakes %v, want %v", eventType, body, got, want)
	}
}

// has checks what came for a waiter.
func (r *rig) has(w waits.Waiter, want ...uint64) {
	r.t.Helper()
	got, err := r.Arrivals(context.Background(), w)
	must(r.t, err)
	if !slices.Equal(got.Sequences, want) || got.From != 0 || got.To != 0 {
		r.t.Errorf("for run %s fact %d came %v, want %v", w.Run, w.Fact, got, want)
	}
}

// messages counts what WAITERS holds.
func (r *rig) messages() uint64 {
	r.t.Helper()
	s, err := r.server.JetStream(r.t).Stream(context.Background(), proto.Bucket(proto.Waiters))
	must(r.t, err)
	return s.CachedInfo().State.Msgs
}

package gates_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"zflow/engine/gates"
	"zflow/engine/leases"
	"zflow/internal/natstest"
	"zflow/proto"
)

// rig is a server, and what the histories say.
type rig struct {
	*gates.Store
	t      testing.TB
	server *natstest.Server

	mu    sync.Mutex
	ended map[gates.Place]bool
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, server: natstest.Start(t), ended: map[gates.Place]bool{}}
	js := r.server.JetStream(t)
	must(t, leases.Create(context.Background(), js, 1))
	must(t, gates.Create(context.Background(), js, 1))
	var err error
	r.Store, err = gates.Open(context.Background(), js, r.server.Gate(t))
	must(t, err)
	return r
}

// worker returns a store on a connection of its own, as another process has it.
func (r *rig) worker() *gates.Store {
	r.t.Helper()
	nc := r.server.Connect(r.t)
	s, err := gates.Open(context.Background(), natstest.JetStream(r.t, nc), natstest.Gate(r.t, nc))
	must(r.t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func place(sequence uint64, run string) gates.Place {
	return gates.Place{Sequence: sequence, Workflow: "flow", Run: run}
}

// over says what the histories say.
func (r *rig) over(_ context.Context, p gates.Place) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended[p], nil
}

func (r *rig) end(p gates.Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended[p] = true
}

func (r *rig) queue(gate string, places ...gates.Place) {
	r.t.Helper()
	for _, p := range places {
		must(r.t, r.Queue(context.Background(), gate, p))
	}
}

// admits checks who is inside after an admission.
func (r *rig) admits(gate string, limit int, want ...gates.Place) {
	r.t.Helper()
	got, err := r.Admit(context.Background(), gate, limit, r.over)
	must(r.t, err)
	if !slices.Equal(got, want) {
		r.t.Errorf("inside are %v, want %v", got, want)
	}
	for _, p := range want {
		if in, err := r.Holds(context.Background(), gate, p); !in || err != nil {
			r.t.Errorf("%v is not inside: %v", p, err)
		}
	}
}

// messages counts what GATES holds.
func (r *rig) messages() uint64 {
	r.t.Helper()
	s, err := r.server.JetStream(r.t).Stream(context.Background(), proto.Bucket(proto.Gates))
	must(r.t, err)
	return s.CachedInfo().State.Msgs
}

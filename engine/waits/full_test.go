package waits_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"zflow/engine/waits"
)

// fill registers as many waiters for one and the same as there is room for.
func fill(r *rig) int {
	r.t.Helper()
	padding := strings.Repeat("x", 2000) // a long id: fewer of them fill it
	for n := 0; ; n += 10 {
		var some []waits.Waiter
		for i := range 10 {
			some = append(some, waiter(fmt.Sprint(n+i, padding), 1, "x"))
		}
		err := r.Register(r.t.Context(), some...)
		if errors.Is(err, waits.ErrFull) {
			if !strings.Contains(err.Error(), "match on a value that only the wanted event has") {
				r.t.Errorf("full: %v", err)
			}
			must(r.t, r.Drop(r.t.Context(), some...))
			return n
		}
		must(r.t, err)
	}
}

// An entry that is full takes no more waiters; other entries do, and it does again
// when one has left.
func TestAFullEntry(t *testing.T) {
	r := newRig(t)
	n := fill(r)
	if n < 80 || n > 130 {
		t.Errorf("%d waiters of 2 kB have room in 192 KiB", n)
	}
	r.register(waiter("other", 1, "x", "id", "1"))
	r.register(waiter("other", 1, "y"))
	must(t, r.Drop(t.Context(), waiter(fmt.Sprint(0, strings.Repeat("x", 2000)), 1, "x")))
	r.register(waiter("late", 1, "x"))
	r.comes(1, "y", `{}`, "other")
}

// A set of paths that has no room is refused too.
func TestTooManySetsOfPaths(t *testing.T) {
	r := newRig(t)
	var err error
	for i := 0; err == nil && i < 40; i++ {
		err = r.Register(t.Context(), waiter("a", 1, "x", fmt.Sprint(i, strings.Repeat("p", 10_000)), "1"))
	}
	if err == nil || !strings.Contains(err.Error(), "match x on fewer different paths") {
		t.Errorf("sets without end: %v", err)
	}
}

// A waiter that takes nothing keeps where the rest of its arrivals lie; when it has
// looked through that, it is as before.
func TestArrivalsWithoutRoom(t *testing.T) {
	r := newRig(t)
	w := waiter("a", 1, "x")
	r.register(w)
	for sequence := uint64(101); sequence <= 150; sequence++ {
		r.comes(sequence, "x", `{}`, "a")
	}
	got, err := r.Arrivals(t.Context(), w)
	must(t, err)
	if len(got.Sequences) != 32 || got.Sequences[31] != 132 || got.From != 133 || got.To != 150 {
		t.Fatalf("came %v", got)
	}
	r.comes(151, "x", `{}`, "a") // while it looks through 133 to 150
	must(t, r.Took(t.Context(), w, got))
	got, err = r.Arrivals(t.Context(), w)
	must(t, err)
	if len(got.Sequences) != 0 || got.From != 151 || got.To != 151 {
		t.Fatalf("left is %v", got)
	}
	must(t, r.Took(t.Context(), w, waits.Arrived{Sequences: []uint64{150}})) // of a wake that comes late
	must(t, r.Took(t.Context(), w, waits.Arrived{From: 90, To: 150}))
	r.comes(120, "x", `{}`, "a") // delivered again: listed
	again, err := r.Arrivals(t.Context(), w)
	must(t, err)
	if !slices.Equal(again.Sequences, []uint64{120}) || again.From != 151 || again.To != 151 {
		t.Errorf("left is %v", again)
	}
	must(t, r.Took(t.Context(), w, again))
	r.has(w)
}

// One that came before what was looked through makes it be looked through again.
func TestArrivalsOutOfOrder(t *testing.T) {
	r := newRig(t)
	w := waiter("a", 1, "x")
	r.register(w)
	for sequence := uint64(101); sequence <= 140; sequence++ {
		r.comes(sequence, "x", `{}`, "a")
	}
	got, err := r.Arrivals(t.Context(), w)
	must(t, err)
	r.comes(50, "x", `{}`, "a")
	must(t, r.Took(t.Context(), w, got))
	got, err = r.Arrivals(t.Context(), w)
	must(t, err)
	if got.From != 50 || got.To != 140 {
		t.Errorf("left is %v", got)
	}
}

// In an entry full of waiters no arrival is lost either.
func TestArrivalsInAFullEntry(t *testing.T) {
	r := newRig(t)
	n := fill(r)
	for sequence := uint64(1); sequence <= 35; sequence++ {
		entries, err := r.Match(t.Context(), "zoom", "x", nil)
		must(t, err)
		woken, err := r.Arrive(t.Context(), sequence+1_000_000_000_000, entries...)
		if err != nil || len(woken) != n {
			t.Fatalf("arrival %d wakes %d of %d, %v", sequence, len(woken), n, err)
		}
	}
	for i := range n {
		got, err := r.Arrivals(t.Context(), waiter(fmt.Sprint(i, strings.Repeat("x", 2000)), 1, "x"))
		must(t, err)
		last := got.To
		if len(got.Sequences) > 0 {
			last = max(last, got.Sequences[len(got.Sequences)-1])
		}
		if last != 1_000_000_000_035 || got.From != 0 && got.From > got.Sequences[len(got.Sequences)-1]+1 {
			t.Fatalf("for waiter %d came %v", i, got)
		}
	}
}

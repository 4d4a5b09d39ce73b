package gates_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zflow/engine/gates"
	"zflow/internal/natstest"
	"zflow/proto"
)

var gate = proto.Gate("flow", "", "key")

// The lowest places go in first, whatever order they came in, as many as the limit
// says; who leaves makes room for the next.
func TestQueueAdmitLeave(t *testing.T) {
	r := newRig(t)
	a, b, c, d := place(3, "a"), place(11, "b"), place(20, "c"), place(100, "d")
	r.admits(gate, 1) // nobody is there
	r.queue(gate, d, b, a, c, a)
	r.admits(gate, 1, a)
	r.admits(gate, 1, a)
	r.admits(gate, 2, a, b)
	r.admits(gate, 1, a, b) // a lower limit sends nobody away
	must(t, r.Leave(t.Context(), gate, a))
	must(t, r.Leave(t.Context(), gate, a))
	if in, err := r.Holds(t.Context(), gate, a); in || err != nil {
		t.Errorf("inside after it left: %v, %v", in, err)
	}
	r.admits(gate, 1, b)
	r.admits(gate, 2, b, c)
	must(t, r.Leave(t.Context(), gate, d)) // it gives up while it queues
	r.admits(gate, 9, b, c)
}

// Who ended and did not leave is found by the next; so is a place that is over.
func TestALostLeave(t *testing.T) {
	r := newRig(t)
	a, b, c := place(1, "a"), place(2, "b"), place(3, "c")
	r.queue(gate, a, b, c)
	r.admits(gate, 1, a)
	r.end(a)
	r.end(b)
	r.admits(gate, 1, c)
	if ahead, err := r.Ahead(t.Context(), gate, 9); err != nil || !slices.Equal(ahead, []gates.Place{c}) {
		t.Errorf("left are %v, %v", ahead, err)
	}
}

// A run that was retried has another place: its first one is over, and neither its
// late leave nor that of another run at its place takes out the second.
func TestARetriedRun(t *testing.T) {
	r := newRig(t)
	first, second := place(1, "a"), place(7, "a")
	r.queue(gate, first)
	r.admits(gate, 1, first)
	r.end(first)
	r.queue(gate, second, place(5, "b"))
	r.admits(gate, 1, place(5, "b"))
	must(t, r.Leave(t.Context(), gate, place(5, "b")))
	r.admits(gate, 1, second)
	must(t, r.Leave(t.Context(), gate, first))
	must(t, r.Leave(t.Context(), gate, place(5, "b")))
	if in, err := r.Holds(t.Context(), gate, second); !in || err != nil {
		t.Errorf("its second place was left by its first: %v", err)
	}
	r.admits(gate, 1, second)
	if in, err := r.Holds(t.Context(), gate, first); in || err != nil {
		t.Errorf("the first place is inside: %v", err)
	}
}

// Who is let in by another, between the reading of the holders and their writing,
// is not overlooked.
func TestAdmitsAtOnce(t *testing.T) {
	r := newRig(t)
	other, a, b := r.worker(), place(1, "a"), place(2, "b")
	r.queue(gate, b)
	first := true
	got, err := r.Admit(t.Context(), gate, 1, func(context.Context, gates.Place) (bool, error) {
		if first {
			first = false
			r.queue(gate, a)
			if got, err := other.Admit(t.Context(), gate, 1, r.over); err != nil || !slices.Equal(got, []gates.Place{a}) {
				t.Errorf("the other let in %v, %v", got, err)
			}
		}
		return false, nil
	})
	if err != nil || !slices.Equal(got, []gates.Place{a}) {
		t.Errorf("inside are %v, %v", got, err)
	}
	r.admits(gate, 1, a)
}

// A run whose holder was lost, and whose place was not, is inside again.
func TestALostHolder(t *testing.T) {
	r := newRig(t)
	a, b := place(1, "a"), place(2, "b")
	r.queue(gate, a, b)
	r.admits(gate, 1, a)
	must(t, r.server.JetStream(t).DeleteStream(t.Context(), "KV_GATES"))
	must(t, gates.Create(t.Context(), r.server.JetStream(t), 1))
	r.queue(gate, b)
	r.queue(gate, a)
	r.admits(gate, 1, a)
}

func TestAhead(t *testing.T) {
	r := newRig(t)
	a, b, c, d := place(1, "a"), place(2, "b"), place(10, "c"), place(11, "d")
	r.queue(gate, a, b, c, d)
	r.admits(gate, 1, a)
	for _, want := range [][]gates.Place{{}, {a}, {a, b}, {a, b, c}} {
		p := []uint64{1, 2, 10, 11}[len(want)]
		if got, err := r.Ahead(t.Context(), gate, p); err != nil || !slices.Equal(got, want) {
			t.Errorf("before place %d are %v, want %v, %v", p, got, want, err)
		}
	}
	must(t, r.Leave(t.Context(), gate, a))
	must(t, r.Leave(t.Context(), gate, b))
	r.admits(gate, 1, c)
	// One that is inside is not ahead of an earlier one that comes late.
	if got, err := r.Ahead(t.Context(), gate, 5); err != nil || len(got) != 0 {
		t.Errorf("before place 5 are %v, %v", got, err)
	}
}

// Gates of odd names and keys do not see each other.
func TestGatesOfAnyText(t *testing.T) {
	r := newRig(t)
	odd := []string{"", "_", "a", "a.b", "a b", "*", ">", "日本", "holders", "17", "\x00", strings.Repeat("x", 10_000), strings.Repeat("x", 10_001)}
	names := map[string]gates.Place{}
	for i, text := range odd {
		for j, g := range []string{proto.Gate("flow", "", text), proto.Gate("flow", "shared "+text, "key"), proto.Gate("x"+text, "", "key")} {
			names[g] = place(uint64(10*i+j+1), fmt.Sprint("run", i, j))
		}
	}
	if len(names) != 3*len(odd) {
		t.Fatalf("%d gates, want %d", len(names), 3*len(odd))
	}
	for g, p := range names {
		r.queue(g, p)
	}
	for g, p := range names {
		r.admits(g, 2, p)
	}
}

// A gate that all have left leaves nothing behind, after a while.
func TestNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := newRig(t)
		for i := range uint64(5) {
			g := proto.Gate("flow", "", fmt.Sprint(i))
			a, b := place(2*i+1, "a"), place(2*i+2, "b")
			r.queue(g, a, b)
			r.admits(g, 1, a)
			must(t, r.Leave(t.Context(), g, a))
			r.admits(g, 1, b)
			r.end(b)
			r.admits(g, 1)
		}
		time.Sleep(3 * time.Minute)
		if n := r.messages(); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	})
}

// A restart of the server takes nothing.
func TestGatesOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := newRig(t)
		a, b, c := place(1, "a"), place(2, "b"), place(3, "c")
		r.queue(gate, a, b, c)
		r.admits(gate, 1, a)
		restart := func() {
			r.server.Restart(t)
			time.Sleep(time.Second)
		}
		restart()
		r.admits(gate, 1, a)
		must(t, r.Leave(t.Context(), gate, a))
		restart()
		over := 0
		got, err := r.Admit(t.Context(), gate, 1, func(context.Context, gates.Place) (bool, error) {
			if over++; over == 1 {
				restart() // between what is read and what is written
			}
			return false, nil
		})
		if err != nil || !slices.Equal(got, []gates.Place{b}) {
			t.Errorf("inside are %v, %v", got, err)
		}
		restart()
		r.admits(gate, 2, b, c)
	})
}

// What fails, fails with the gate's name and the reason, and changes nothing.
func TestGateErrors(t *testing.T) {
	r := newRig(t)
	a, b := place(1, "a"), place(2, "b")
	r.queue(gate, a, b)
	if _, err := r.Admit(t.Context(), gate, 0, r.over); err == nil || !strings.Contains(err.Error(), "a limit of 0 lets nobody in") {
		t.Errorf("a limit of 0: %v", err)
	}
	lost := errors.New("the history cannot be read")
	asked := 0
	_, err := r.Admit(t.Context(), gate, 2, func(_ context.Context, p gates.Place) (bool, error) {
		if asked++; p == b {
			return false, lost
		}
		return false, nil
	})
	if !errors.Is(err, lost) || !strings.Contains(err.Error(), gate) || !strings.Contains(err.Error(), "run b is over") || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	if in, err := r.Holds(t.Context(), gate, a); in || err != nil {
		t.Errorf("inside after an admission that failed: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Admit(canceled, gate, 2, r.over); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := r.Leave(canceled, gate, a); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "run a at gate") {
		t.Errorf("canceled: %v", err)
	}
	r.admits(gate, 2, a, b)
	limit := strings.Repeat("x", 100_000)
	r.queue(gate, place(3, "c"+limit), place(4, "d"+limit), place(5, "e"+limit))
	if _, err := r.Admit(t.Context(), gate, 9, r.over); err == nil || !strings.Contains(err.Error(), "lower the limit") {
		t.Errorf("holders without end: %v", err)
	}
}

// What somebody else wrote into the bucket is an error that names the key.
func TestDamagedGates(t *testing.T) {
	r := newRig(t)
	r.queue(gate, place(1, "a"))
	js := r.server.JetStream(t)
	for _, damage := range [][2]string{
		{proto.PlaceKey(gate, 1), "{"}, {proto.HoldersKey(gate), "7"}, {proto.PlaceKey(gate, 1), `{"s":2,"w":"flow","r":"b"}`},
	} {
		key, value := damage[0], damage[1]
		_, err := js.Publish(t.Context(), "$KV.GATES."+key, []byte(value))
		must(t, err)
		if _, err := r.Admit(t.Context(), gate, 1, r.over); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is %s: %v", key, value, err)
		}
		if _, err := r.Ahead(t.Context(), gate, 9); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is %s: %v", key, value, err)
		}
		s, err := js.Stream(t.Context(), "KV_GATES")
		must(t, err)
		must(t, s.Purge(t.Context()))
	}
}

func TestOpenWithoutBuckets(t *testing.T) {
	s := natstest.Start(t)
	if _, err := gates.Open(t.Context(), s.JetStream(t), s.Gate(t)); err == nil || !strings.Contains(err.Error(), "GATES") {
		t.Errorf("opened nothing: %v", err)
	}
	must(t, gates.Create(t.Context(), s.JetStream(t), 1))
	if _, err := gates.Open(t.Context(), s.JetStream(t), s.Gate(t)); err == nil || !strings.Contains(err.Error(), "ONCE") {
		t.Errorf("opened nothing: %v", err)
	}
}

package lease

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"zflow/engine/leases"
	"zflow/engine/worker/clock"
	"zflow/internal/natstest"
)

// Rule 3: a lease is believed in for 4 s from the sending of the last put, and not once
// it is given back; what it learns is the broker's time.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := natstest.Start(t)
		if err := leases.Create(t.Context(), s.JetStream(t), 1); err != nil {
			t.Fatal(err)
		}
		store, err := leases.Open(t.Context(), s.JetStream(t))
		if err != nil {
			t.Fatal(err)
		}
		own := &clock.Clock{}
		renewed := 0
		l := New(Config{Worker: "w", Store: store, Clock: own, Log: zap.NewNop(), Renewed: func(time.Time, time.Time) { renewed++ }})
		if _, put := l.Age(); put || l.Fresh() {
			t.Error("a lease that was never put is believed in")
		}
		if err := l.Renew(t.Context()); err != nil || renewed != 1 || !own.Known() {
			t.Fatalf("%v, renewed %d times, knows the time: %v", err, renewed, own.Known())
		}
		age, _ := l.Age()
		time.Sleep(Belief - age - time.Millisecond)
		if !l.Fresh() {
			t.Error("a lease put 3.999 s ago is not believed in")
		}
		time.Sleep(time.Millisecond)
		if l.Fresh() {
			t.Error("a lease put 4 s ago is believed in")
		}
		if err := l.Renew(t.Context()); err != nil || !l.Fresh() {
			t.Errorf("put again: %v", err)
		}
		l.Leave(t.Context())
		if _, there, err := store.Get(t.Context(), "w"); l.Fresh() || there || err != nil {
			t.Errorf("given back: believed in %v, there %v, %v", l.Fresh(), there, err)
		}
	})
}

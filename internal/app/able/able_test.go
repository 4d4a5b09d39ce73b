package able

import (
	"errors"
	"reflect"
	"testing"

	"zflow/actions/code/node"
	"zflow/engine/leases"
	"zflow/internal/natstest"
)

// All workers answer for themselves, and whoever holds a lease and says nothing is
// counted.
func TestAsk(t *testing.T) {
	s := natstest.Start(t)
	js, nc := s.JetStream(t), s.Connect(t)
	if all, silent, err := Ask(t.Context(), nc); all != nil || silent != 0 || err != nil {
		t.Errorf("where nothing has been made yet: %v %d %v", all, silent, err)
	}
	if err := leases.Create(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	store, err := leases.Open(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	lease := func(id string) {
		if err := store.Put(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	lease("w1")
	if all, silent, err := Ask(t.Context(), nc); len(all) != 0 || silent != 1 || err != nil {
		t.Errorf("a worker that does not know the question: %v %d %v", all, silent, err)
	}
	serve := func(id string, found node.Found, problem error) {
		server, err := Serve(s.Connect(t), id, func() (node.Found, error) { return found, problem })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		if err := server.sub.SetPendingLimits(10, 1024); err != nil { // it is subscribed
			t.Fatal(err)
		}
	}
	lease("w2")
	serve("w2", node.Found{Version: "v24.1.0", Permission: "--permission", NoNetwork: true}, nil)
	serve("w1", node.Found{}, errors.New("there is no Node.js here"))
	all, silent, err := Ask(t.Context(), nc)
	want := []Worker{{ID: "w1", Problem: "there is no Node.js here"}, {ID: "w2", Version: "v24.1.0", Confined: true, NoNetwork: true}}
	if !reflect.DeepEqual(all, want) || silent != 0 || err != nil {
		t.Errorf("%+v %d %v", all, silent, err)
	}
	if why := Nobody(all); why != "" {
		t.Errorf("one can run code: %s", why)
	}
	if why := Nobody([]Worker{all[0], all[0]}); why != "there is no Node.js here" {
		t.Error(why)
	}
}

package worker

import (
	"sync"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/worker/lease"
)

// Who watches a worker sees each renewal of its lease, and before each call by
// what right it begins.
func TestWatch(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.put }, { id: b, uses: test.write } ] }`)
		var mu sync.Mutex
		var begins []Begin
		renewed := 0
		r.start(func(c *Config) {
			c.Watch = Watch{
				Renewed: func(sent, answered time.Time) {
					mu.Lock()
					defer mu.Unlock()
					if renewed++; answered.Before(sent) {
						t.Errorf("a put was answered %v before it was sent", sent.Sub(answered))
					}
				},
				Calling: func(b Begin) {
					mu.Lock()
					defer mu.Unlock()
					if begins = append(begins, b); len(r.world.ledger()) != len(begins)-1 {
						t.Errorf("call %d was watched when %d had begun", len(begins), len(r.world.ledger()))
					}
				},
			}
		})
		time.Sleep(10 * time.Second)
		run := r.until("flow", r.event(1, nil), engine.Completed)
		mu.Lock()
		defer mu.Unlock()
		if renewed < 7 || len(begins) != 2 {
			t.Fatalf("%d renewals and %d calls were watched", renewed, len(begins))
		}
		for i, b := range begins {
			if b.Run != run.ID() || b.Step != []string{"a", "b"}[i] || b.Attempt != 1 || b.Epoch != 1 || b.Reads || b.Lease >= lease.Belief || b.Start >= lease.Belief {
				t.Errorf("call %d began as %+v", i, b)
			}
		}
	})
}

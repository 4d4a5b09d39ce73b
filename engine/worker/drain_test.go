package worker

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine"
)

func TestSlots(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.write }, { id: b, uses: test.read } ] }`)
		var now, most atomic.Int64
		r.world.answering(func(ctx context.Context, n int, _ actions.Call) (actions.Result, error) {
			if m := now.Add(1); m > most.Load() {
				most.Store(m)
			}
			defer now.Add(-1)
			time.Sleep(7 * time.Second) // so that starts grow old before they have a slot
			return actions.Result{}, nil
		})
		r.start(func(c *Config) { c.Slots = 2 })
		var ids []string
		for n := range 8 {
			ids = append(ids, r.event(n, nil))
		}
		for _, id := range ids {
			r.until("flow", id, engine.Completed)
		}
		if most.Load() != 2 {
			t.Errorf("%d attempts at a time in 2 slots", most.Load())
		}
		if n := len(r.world.ledger()); n != 16 {
			t.Errorf("%d calls, not 16", n)
		}
	})
}

func TestMaxHeld(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.write } ] }`)
		var most atomic.Int64
		h := r.start(func(c *Config) { c.MaxHeld = 5 })
		r.world.answering(func(context.Context, int, actions.Call) (actions.Result, error) {
			time.Sleep(3 * time.Second)
			most.Store(max(most.Load(), h.held.now.Load()))
			return actions.Result{}, nil
		})
		var ids []string
		for n := range 20 {
			ids = append(ids, r.event(n, nil))
		}
		for _, id := range ids {
			r.until("flow", id, engine.Completed)
		}
		if m := most.Load(); m < 5 || m > 6 { // one more a pull at the most
			t.Errorf("%d runs were held, with a limit of 5", m)
		}
	})
}

// A stop finishes the call in flight and hands the run over: no attempt ends unknown.
func TestDrain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(three)
		r.world.started = make(chan struct{}, 10)
		r.world.lasting(8 * time.Second)
		first := r.start()
		id := r.event(1, map[string]any{"id": 7})
		<-r.world.started
		r.start()
		time.Sleep(time.Second)
		begun := time.Now()
		first.stop()
		if took := time.Since(begun); took > 8*time.Second {
			t.Errorf("the stop took %v", took)
		}
		stopped := time.Now()
		<-r.world.started
		if took := time.Since(stopped); took > 6*time.Second {
			t.Errorf("the run was handed over after %v", took)
		}
		r.until("three", id, engine.Completed)
		r.tells("three", id, "run_started, step_started a 1", "step_completed a", "run_claimed, step_started b 1",
			"step_completed b, step_started c 1", "step_completed c, run_completed")
		r.acked("three")
	})
}

// A call that does not end in the drain time is ended, and is of unknown outcome.
func TestDrainTooLong(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.put, timeout: 1h } ] }`)
		r.world.started = make(chan struct{}, 10)
		r.world.lasting(time.Minute)
		first := r.start(func(c *Config) { c.Drain = 5 * time.Second })
		id := r.event(1, nil)
		<-r.world.started
		begun := time.Now()
		first.stop()
		if took := time.Since(begun); took < 5*time.Second || took > 8*time.Second {
			t.Errorf("the stop took %v, with a drain of 5 s", took)
		}
		r.start()
		r.until("flow", id, engine.Completed)
		r.tells("flow", id, "run_started, step_started a 1", "run_claimed, step_failed a 1 unknown retry, step_started a 2", "step_completed a, run_completed")
	})
}

// Runs that wait for nothing are not held back by a stop, and start none.
func TestStopOfMany(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.write }, { sleep: 1900ms }, { id: b, uses: test.write } ] }`)
		r.world.lasting(2 * time.Second)
		first := r.start(func(c *Config) { c.Slots = 4 })
		var ids []string
		for n := range 30 {
			ids = append(ids, r.event(n, nil))
		}
		time.Sleep(3 * time.Second)
		first.stop()
		r.start()
		for _, id := range ids {
			r.until("flow", id, engine.Completed)
		}
		if n := len(r.world.ledger()); n != 60 {
			t.Errorf("%d calls for 30 runs of two steps", n)
		}
	})
}

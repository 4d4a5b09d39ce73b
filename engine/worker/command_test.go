package worker

import (
	"sync"
	"testing"
	"time"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

func cancel(id string) *v1.Command {
	return &v1.Command{Id: id, Kind: "cancel", By: "me", Reason: "not now"}
}

func TestCancelWaiting(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 1h }, { id: a, uses: test.write } ] }`)
		r.start()
		id := r.event(1, nil)
		r.until("flow", id, engine.Waiting)
		r.command("flow", id, cancel("c1"))
		run := r.until("flow", id, engine.Canceled)
		if why := run.End.GetRunCanceled().Why; why != "not now" || run.Cancel.By != "me" {
			t.Errorf("canceled by %s: %s", run.Cancel.By, why)
		}
		r.tells("flow", id, "run_started, timer_set sleep#1", "cancel_requested, run_canceled")
		r.drained()
		r.command("flow", id, cancel("c2")) // it has ended
		time.Sleep(3 * time.Second)
		r.drained()
		if n := len(r.run("flow", id).Steps); r.run("flow", id).Facts != 4 {
			t.Errorf("an ended run moved: %d steps", n)
		}
	})
}

// The call in flight is ended, its outcome recorded, and nothing follows.
func TestCancelRunning(t *testing.T) {
	for name, hands := range map[string]int{"by its owner": 1, "through another worker": 3} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.write, timeout: 1h }, { id: b, uses: test.write } ] }`)
				r.world.started = make(chan struct{}, 10)
				r.world.lasting(time.Hour)
				for range hands {
					r.start()
				}
				id := r.event(1, nil)
				<-r.world.started
				time.Sleep(10 * time.Second)
				r.command("flow", id, cancel("c1"))
				begun := time.Now()
				r.until("flow", id, engine.Canceled)
				if took := time.Since(begun); took > 2*time.Second {
					t.Errorf("the cancel took %v", took)
				}
				r.tells("flow", id, "run_started, step_started a 1", "cancel_requested", "step_failed a 1 unknown ask, run_canceled")
				r.acked("flow")
				r.drained()
			})
		})
	}
}

// A cancel that comes while a retry waits in memory.
func TestCancelBetweenAttempts(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], retry: { delay: 1900ms }, steps: [ { sleep: 1900ms }, { id: a, uses: test.write } ] }`)
		r.start()
		id := r.event(1, nil)
		r.when("flow", id, "asleep", func(run *engine.Run) bool { return run.Facts == 2 })
		r.command("flow", id, cancel("c1"))
		r.until("flow", id, engine.Canceled)
		if n := len(r.world.ledger()); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
}

// Two messages about a parked run at the same moment: a timer and a cancel, and
// the same again from two workers. One of them is the carrier, the other is
// looked at at once, and the run is not lost from memory.
func TestMessagesAtTheSameTime(t *testing.T) {
	for _, hands := range []int{1, 2} {
		bubble(t, func(t *testing.T, r *rig) {
			r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 10s }, { id: a, uses: test.put, timeout: 1h } ] }`)
			for range hands {
				r.start()
			}
			r.world.lasting(30 * time.Second)
			var ids []string
			for n := range 20 {
				ids = append(ids, r.event(n, nil))
			}
			for _, id := range ids {
				r.until("flow", id, engine.Waiting)
			}
			due := r.run("flow", ids[0]).Started.Add(10 * time.Second)
			time.Sleep(time.Until(due))
			for _, id := range ids { // wakes that are due as the timer's are
				for range 5 {
					r.must(r.wakes.Wake(t.Context(), "flow", r.run("flow", id).ID(), &v1.Wake{Reason: "test"}))
				}
			}
			for _, id := range ids {
				r.until("flow", id, engine.Completed)
				r.tells("flow", id, "run_started, timer_set sleep#1", "timer_fired sleep#1, step_started a 1", "step_completed a, run_completed")
			}
			if n := len(r.world.ledger()); n != len(ids) {
				t.Errorf("%d calls for %d runs", n, len(ids))
			}
			r.drained()
		})
	}
}

// A cancel that loses the race against a timer, at another worker, is looked at
// again at once, not after its ack wait.
func TestCancelAgainstTimer(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 10s }, { id: a, uses: test.put, timeout: 1h } ] }`)
		for range 3 {
			r.start()
		}
		r.world.lasting(time.Hour)
		var ids []string
		for n := range 40 {
			ids = append(ids, r.event(n, nil))
		}
		for _, id := range ids {
			r.until("flow", id, engine.Waiting)
		}
		time.Sleep(time.Until(r.run("flow", ids[0]).Started.Add(10*time.Second - time.Millisecond)))
		var sending sync.WaitGroup
		for _, id := range ids {
			sending.Go(func() {
				time.Sleep(time.Millisecond)
				if err := r.tryCommand("flow", id, cancel("c"+id)); err != nil {
					t.Error(err)
				}
			})
		}
		sending.Wait()
		sent := time.Now()
		for _, id := range ids {
			run := r.until("flow", id, engine.Canceled)
			if late := run.At.Sub(sent); late > 3*time.Second {
				t.Errorf("canceled %v late:\n%s", late, r.facts("flow", id))
			}
		}
	})
}

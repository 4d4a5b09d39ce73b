package worker

import (
	"errors"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/worker/lease"
	v1 "zflow/proto/zflow/v1"
)

const long = `{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.put, timeout: 1h }, { id: b, uses: test.write } ] }`

// running starts a worker and a run whose first call takes a while, and returns
// once it has begun.
func (r *rig) running(d time.Duration, n int) (h *hand, id string) {
	r.t.Helper()
	r.deploy(long)
	r.world.started = make(chan struct{}, 100)
	r.world.lasting(d)
	h = r.start()
	id = r.event(n, nil)
	<-r.world.started
	return h, id
}

// A worker dies in a call: another takes over once its lease is gone, and the
// open attempt is of unknown outcome.
func TestTakeover(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		first, id := r.running(5*time.Second, 1)
		second := r.start()
		killed := time.Now()
		first.kill()
		<-r.world.started
		if took := time.Since(killed); took < 8*time.Second || took > 17*time.Second {
			t.Errorf("taken over after %v", took)
		}
		run := r.until("flow", id, engine.Completed)
		r.tells("flow", id, "run_started, step_started a 1", "run_claimed, step_failed a 1 unknown retry, step_started a 2",
			"step_completed a, step_started b 1", "step_completed b, run_completed")
		if calls := r.world.ledger(); len(calls) != 3 || !calls[1].unknown || calls[2].unknown {
			t.Errorf("%d calls", len(calls))
		}
		if run.Claim.Worker != second.ID() || run.Epoch() != 2 || count("runs_taken_over", second) != 1 {
			t.Errorf("claimed by %s in epoch %d", run.Claim.Worker, run.Epoch())
		}
		r.acked("flow")
	})
}

// What a write brought is in the history before a read begins: its owner's death
// in the read takes nothing of it.
func TestOutcomeBeforeARead(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.write }, { id: b, uses: test.read } ] }`)
		r.world.started = make(chan struct{}, 10)
		r.world.lasting(2 * time.Second)
		first := r.start()
		id := r.event(1, nil)
		<-r.world.started
		<-r.world.started
		first.kill()
		r.start()
		r.until("flow", id, engine.Completed)
		r.tells("flow", id, "run_started, step_started a 1", "step_completed a, step_started b 1",
			"run_claimed, step_failed b 1 unknown retry, step_started b 2", "step_completed b, run_completed")
	})
}

// A message that is not the carrier brings the takeover too, with its fact.
func TestTakeoverByACommand(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		first, id := r.running(time.Hour, 1)
		r.start()
		first.kill()
		time.Sleep(7 * time.Second) // the lease is gone, the carrier not back yet
		r.command("flow", id, cancel("c1"))
		r.until("flow", id, engine.Canceled)
		r.tells("flow", id, "run_started, step_started a 1", "run_claimed, cancel_requested, step_failed a 1 unknown retry, run_canceled")
		r.acked("flow")
		r.drained()
	})
}

// A live owner keeps its runs over the broker's restarts, however long they take.
func TestRestartsRobNobody(t *testing.T) {
	for _, down := range []time.Duration{0, time.Second, 5 * time.Second, 9 * time.Second, 12 * time.Second, 40 * time.Second} {
		t.Run(down.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				first, id := r.running(25*time.Second, 1)
				second := r.start()
				time.Sleep(5 * time.Second)
				for range 2 {
					r.server.Down()
					time.Sleep(down)
					r.server.Up(t)
					time.Sleep(4 * time.Second)
				}
				run := r.until("flow", id, engine.Completed)
				r.tells("flow", id, "run_started, step_started a 1", "step_completed a, step_started b 1", "step_completed b, run_completed")
				if run.Epoch() != 1 || count("runs_taken_over", first, second) != 0 || len(r.world.ledger()) != 2 {
					t.Errorf("epoch %d, %d calls", run.Epoch(), len(r.world.ledger()))
				}
				r.acked("flow")
			})
		})
	}
}

// A worker that was cut off, or whose line went silent, for less than its lease
// lasts keeps its run; for longer, it finds another owner and lets go.
func TestCutOff(t *testing.T) {
	for name, cut := range map[string]func(*line){"cut": (*line).cut, "silent": (*line).hush} {
		for _, away := range []time.Duration{3 * time.Second, 25 * time.Second} {
			t.Run(name+" "+away.String(), func(t *testing.T) {
				bubble(t, func(t *testing.T, r *rig) {
					first, id := r.running(40*time.Second, 1)
					second := r.start()
					time.Sleep(5 * time.Second)
					cut(first.line)
					time.Sleep(away)
					first.line.mend()
					run := r.until("flow", id, engine.Completed)
					robbed := away > 20*time.Second
					if got := count("runs_taken_over", second) == 1; got != robbed || (run.Epoch() == 2) != robbed {
						t.Errorf("away for %v: taken over: %v, epoch %d", away, got, run.Epoch())
					}
					if n := len(r.world.ledger()); n != map[bool]int{false: 2, true: 3}[robbed] {
						t.Errorf("%d calls", n)
					}
					r.acked("flow")
					time.Sleep(10 * time.Second)
					if robbed && count("runs_superseded", first) != 1 {
						t.Error("the first owner does not know that it was superseded")
					}
				})
			})
		}
	}
}

// Who cannot renew its lease begins no call, and begins it when it can: the start
// is appended again, and the call has its whole time.
func TestNoLeaseNoCall(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.put }, { id: b, uses: test.write, timeout: 10s } ] }`)
		h := r.start()
		s, err := r.js.Stream(t.Context(), "KV_LEASES")
		r.must(err)
		config := s.CachedInfo().Config
		r.world.started = make(chan struct{}, 10)
		r.world.lasting(9 * time.Second)
		id := r.event(1, nil)
		<-r.world.started
		full := config
		full.Subjects = []string{"$KV.LEASES.nobody.>"} // a put of the lease finds no stream
		_, err = r.js.UpdateStream(t.Context(), full)
		r.must(err)
		time.Sleep(time.Minute) // the first call ends meanwhile, the second must not begin
		if calls := r.world.ledger(); len(calls) != 1 || h.lease.Fresh() {
			t.Fatalf("%d calls, by a worker without a lease", len(calls))
		}
		_, err = r.js.UpdateStream(t.Context(), config)
		r.must(err)
		r.until("flow", id, engine.Completed)
		calls := r.world.ledger()
		last := calls[len(calls)-1]
		if last.ended.Sub(last.at) < 9*time.Second {
			t.Errorf("the call had %v of 10 s", last.ended.Sub(last.at))
		}
		if text := r.facts("flow", id); !strings.Contains(text, "step_started b 1 again") {
			t.Errorf("the start was not appended again:\n%s", text)
		}
	})
}

// Claims are refused when the message, the connection or the lease is too old.
func TestClaimable(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h := r.start()
		m := &message{asked: time.Now(), mark: h.Gate.Mark()}
		time.Sleep(claimWithin - time.Millisecond)
		if !h.claimable(m) {
			t.Error("a message pulled 5.999 s ago may not be claimed")
		}
		time.Sleep(time.Millisecond)
		if h.claimable(m) {
			t.Error("a message pulled 6 s ago may be claimed")
		}
		m.asked = time.Now()
		r.server.Restart(t)
		time.Sleep(3 * time.Second)
		if h.claimable(m) {
			t.Error("a message of the connection before may be claimed")
		}
	})
}

// An ack that comes late, or over another connection, is left out.
func TestLateAcks(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h := r.start()
		m := &message{asked: time.Now(), mark: h.Gate.Mark()}
		time.Sleep(ackWithin)
		h.ack(m) // m.Msg is nil: an ack would panic
		m.asked = time.Now()
		r.server.Restart(t)
		time.Sleep(3 * time.Second)
		h.ack(m)
		if n := count("acks_left", h); n != 2 {
			t.Errorf("%d acks were left out, not 2", n)
		}
	})
}

// A lease that is absent for three reads and there at the fourth is there.
func TestFourAbsences(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h := r.start()
		begun := time.Now()
		if there, err := h.leaseThere(t.Context(), "nobody"); there || err != nil {
			t.Errorf("there %v, %v", there, err)
		}
		if took := time.Since(begun); took < 3*lease.Beat {
			t.Errorf("decided after %v", took)
		}
		go func() {
			time.Sleep(3*lease.Beat - 100*time.Millisecond)
			if err := h.Stores.Leases.Put(t.Context(), "late"); err != nil {
				t.Error(err)
			}
		}()
		if there, err := h.leaseThere(t.Context(), "late"); !there || err != nil {
			t.Errorf("there %v, %v", there, err)
		}
		go func() {
			time.Sleep(2 * lease.Beat)
			r.server.Restart(t)
		}()
		if there, err := h.leaseThere(t.Context(), "nobody"); err == nil {
			t.Errorf("there %v, over a restart", there)
		}
		time.Sleep(5 * time.Second)
	})
}

// A message that could not be claimed after four reads lets another be looked at.
func TestTooLateForATakeover(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h := r.start()
		time.Sleep(time.Second) // it has its lease
		begun := time.Now()
		m := &message{asked: begun.Add(-claimWithin + lease.Looking)}
		if there, err := h.leaseFor(t.Context(), "nobody", m); !errors.Is(err, errTooLate) {
			t.Errorf("there %v, %v", there, err)
		}
		if there, err := h.leaseFor(t.Context(), h.ID(), m); !there || err != nil {
			t.Errorf("there %v, %v", there, err)
		}
		if took := time.Since(begun); took > lease.Beat {
			t.Errorf("it looked for %v", took)
		}
	})
}

// The event of a run in memory comes as if for the first time, from a server that
// forgot that it was delivered: its owner keeps it.
func TestComesAsNew(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h, id := r.running(20*time.Second, 1)
		time.Sleep(time.Second)
		e, err := r.catalog.Get(t.Context(), "flow")
		r.must(err)
		o := h.holding(r.run("flow", id).ID())
		again, _ := o.carrier()
		copied := *again
		copied.asked = time.Now()
		h.handle(t.Context(), &copied, e)
		if h.holding(o.run.ID()) != o {
			t.Error("its owner has forgotten it")
		}
		if run := r.until("flow", id, engine.Completed); run.Epoch() != 1 || len(r.world.ledger()) != 2 {
			t.Errorf("epoch %d, %d calls", run.Epoch(), len(r.world.ledger()))
		}
		r.acked("flow")
	})
}

// A claim of its own that a worker's memory does not hold is taken over without
// asking for its own lease: the answer to the append was lost, or the worker
// panicked.
func TestOwnClaimNotHeld(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h, id := r.running(20*time.Second, 1)
		o := h.holding(r.run("flow", id).ID())
		h.drop(o.run.ID(), o) // as if it had been forgotten
		r.until("flow", id, engine.Completed)
		if run := r.run("flow", id); run.Epoch() != 2 || run.Claim.Worker != h.ID() {
			t.Errorf("epoch %d", run.Epoch())
		}
	})
}

// The answer to any of a run's appends is lost: the run goes on, and nothing is
// called twice.
func TestLostAnswers(t *testing.T) {
	for n := int64(1); n <= 6; n++ {
		bubble(t, func(t *testing.T, r *rig) {
			r.deploy(three)
			h := r.start()
			h.line.lose.Store(n)
			id := r.event(1, map[string]any{"id": 7})
			run := r.until("three", id, engine.Completed)
			if got := string(run.End.GetRunCompleted().Output.GetJson()); got != `{"last":3}` || len(r.world.ledger()) != 3 {
				t.Errorf("with answer %d lost: output %s after %d calls\n%s", n, got, len(r.world.ledger()), r.facts("three", id))
			}
			r.acked("three")
		})
	}
}

// A broker that starts anew makes a sweep: a timer that was lost is set again,
// and a running run whose owner is gone is woken.
func TestSweep(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: naps, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 1m }, { id: a, uses: test.write } ] }`)
		first := r.start()
		id := r.event(1, nil)
		r.until("naps", id, engine.Waiting)
		wakes, err := r.js.Stream(t.Context(), "WAKES")
		r.must(err)
		r.must(wakes.Purge(t.Context()))
		first.kill()
		r.server.Restart(t)
		time.Sleep(5 * time.Second)
		r.start()
		begun := r.run("naps", id).Started
		run := r.until("naps", id, engine.Completed)
		if late := run.At.Sub(begun.Add(time.Minute)); late < 0 || late > time.Second {
			t.Errorf("%v late", late)
		}
	})
}

func TestSweepWakesTheOrphan(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		first, id := r.running(time.Hour, 1)
		r.world.lasting(time.Second)
		first.kill()
		time.Sleep(7 * time.Second)
		r.must(r.js.DeleteConsumer(t.Context(), "EVENTS", "flow")) // the carrier does not come again
		s, err := r.js.Stream(t.Context(), "EVENTS")
		r.must(err)
		r.must(s.Purge(t.Context()))
		r.server.Restart(t)
		time.Sleep(2 * time.Second)
		r.start()
		r.until("flow", id, engine.Completed)
		r.drained()
	})
}

// A wake that brings nothing ends no call, and a call that outlasts the ack wait
// keeps its carrier: it is not delivered again, and is acked at the end.
func TestCarrierIsKept(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h, id := r.running(25*time.Second, 1)
		for range 3 {
			r.must(r.wakes.Wake(t.Context(), "flow", r.run("flow", id).ID(), &v1.Wake{Reason: "test"}))
			time.Sleep(time.Second)
		}
		time.Sleep(20 * time.Second)
		c, err := r.js.Consumer(t.Context(), "EVENTS", "flow")
		r.must(err)
		if n := c.CachedInfo().NumRedelivered; n != 0 {
			t.Errorf("%d events were delivered again", n)
		}
		r.until("flow", id, engine.Completed)
		r.acked("flow")
		if n := len(r.world.ledger()); n != 2 || count("acks_left", h) != 0 {
			t.Errorf("%d calls, %d acks were left out", n, count("acks_left", h))
		}
	})
}

// A message that was a carrier once never becomes one again: the run gets a fresh
// wake instead.
func TestNoCarrierTwice(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 10s }, { id: a, uses: test.write } ] }`)
		h := r.start()
		id := r.event(1, nil)
		r.until("flow", id, engine.Waiting)
		h.stop()
		time.Sleep(11 * time.Second) // now it is due
		w, ctx := h.Worker, t.Context()
		l, err := w.load(ctx, "flow", r.run("flow", id).ID())
		r.must(err)
		m := &message{stream: "EVENTS", sequence: l.run.Claim.Sequence, workflow: "flow", run: l.run.ID(), mark: w.Gate.Mark(), asked: time.Now().Add(-ackWithin)}
		before := r.wakesLeft()
		o, err := w.resume(ctx, l, m)
		if o != nil || err != nil || r.wakesLeft() != before+1 {
			t.Errorf("resumed by its old carrier: %v, %v, %d wakes", o != nil, err, r.wakesLeft()-before)
		}
	})
}

func (r *rig) wakesLeft() uint64 {
	r.t.Helper()
	s, err := r.js.Stream(r.t.Context(), "WAKES")
	r.must(err)
	return s.CachedInfo().State.Msgs
}

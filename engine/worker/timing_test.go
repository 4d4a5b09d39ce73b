package worker

import (
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine"
)

const sleeper = `{ name: sleeper, on: [ { zoom: meeting.ended } ], steps: [ { id: nap, sleep: LONG }, { id: a, uses: test.write } ] }`

func TestSleeps(t *testing.T) {
	for _, long := range []time.Duration{0, time.Second, 2 * time.Second, 10 * time.Second, 5*time.Minute + 123*time.Millisecond} {
		t.Run(long.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.deploy(strings.Replace(sleeper, "LONG", long.String(), 1))
				h := r.start()
				run := r.when("sleeper", r.event(1, nil), "done", func(run *engine.Run) bool { return run.State == engine.Completed })
				late := r.world.ledger()[0].at.Sub(run.Started.Add(long))
				if late < 0 || late > time.Second {
					t.Errorf("the step after a sleep of %v came %v late", long, late)
				}
				if parked := count("runs_parked", h) > 0; parked != (long > 2*time.Second) {
					t.Errorf("a sleep of %v: parked %v", long, parked)
				}
				r.acked("sleeper")
				r.drained()
			})
		})
	}
}

// The answer to the append that parks a run is lost: it goes on by a claim all the
// same, though its time is near, since its carrier may be acknowledged.
func TestParkedGoesOnByAClaim(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(strings.Replace(sleeper, "LONG", "2100ms", 1))
		h := r.start()
		h.line.lose.Store(1)
		id := r.event(1, nil)
		if run := r.until("sleeper", id, engine.Completed); run.Epoch() != 2 {
			t.Errorf("it was claimed %d times, not twice\n%s", run.Epoch(), r.facts("sleeper", id))
		}
		r.acked("sleeper")
		r.drained()
	})
}

// The server is down at the time of the timer: it fires when it is back.
func TestSleepOverARestart(t *testing.T) {
	for _, down := range []time.Duration{time.Second, 90 * time.Second} {
		bubble(t, func(t *testing.T, r *rig) {
			r.deploy(strings.Replace(sleeper, "LONG", "1m", 1))
			r.start()
			id := r.event(1, nil)
			begun := r.until("sleeper", id, engine.Waiting).Started
			time.Sleep(20 * time.Second)
			r.server.Down()
			time.Sleep(down)
			r.server.Up(t)
			r.until("sleeper", id, engine.Completed)
			due := begun.Add(max(time.Minute, 20*time.Second+down))
			if late := r.world.ledger()[0].at.Sub(due); late < -100*time.Millisecond || late > 3*time.Second {
				t.Errorf("down for %v: %v late", down, late)
			}
			r.drained()
		})
	}
}

func TestTimersOfManyRuns(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: sleeper, on: [ { zoom: meeting.ended } ], steps: [ { id: nap, sleep: "${{ event.payload.object.ms / 1000.0 }}" }, { id: a, uses: test.read } ] }`)
		r.start()
		r.start()
		due := map[string]time.Duration{}
		for n := range 60 {
			ms := 2001 + n*373%9000
			due[r.event(n, map[string]any{"ms": ms})] = time.Duration(ms) * time.Millisecond
		}
		for id, long := range due {
			run := r.until("sleeper", id, engine.Completed)
			if late := run.Step("a").Begun.Sub(run.Started.Add(long)); late < 0 || late > time.Second {
				t.Errorf("a timer of %v was %v late", long, late)
			}
		}
	})
}

func TestRetries(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], retry: { attempts: 4, delay: 1s, backoff: 5 }, steps: [ { id: a, uses: test.write } ] }`)
		h := r.start()
		r.world.answers(actions.Retryable("busy"), actions.Retryable("busy"), actions.Retryable("busy").With(503, "E9"))
		id := r.event(1, nil)
		r.until("flow", id, engine.Completed)
		calls := r.world.ledger()
		for i, want := range []time.Duration{time.Second, 5 * time.Second, 25 * time.Second} {
			if d := calls[i+1].at.Sub(calls[i].at); d < want*9/10 || d > want*11/10+time.Second {
				t.Errorf("delay %d is %v, not about %v", i+1, d, want)
			}
		}
		r.tells("flow", id,
			"run_started, step_started a 1", "step_failed a 1 retryable retry",
			"step_started a 2", "step_failed a 2 retryable retry, timer_set a",
			"timer_fired a, step_started a 3", "step_failed a 3 retryable retry, timer_set a",
			"timer_fired a, step_started a 4", "step_completed a, run_completed")
		if n := count("runs_parked", h); n != 2 {
			t.Errorf("parked %d times: the retries after 5 s and 25 s, not the one after 1 s", n)
		}
		r.acked("flow")
		r.drained()
	})
}

func TestRetriesRunOut(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], retry: { attempts: 2, delay: 1s }, steps: [ { id: a, uses: test.write }, { id: b, uses: test.write } ] }`)
		r.start()
		r.world.answers(actions.Retryable("busy"), actions.Retryable("still busy"))
		f := r.until("flow", r.event(1, nil), engine.Failed).End.GetRunFailed()
		if f.Step != "a" || f.Reason != "step" || f.Error.Message != "still busy" || len(r.world.ledger()) != 2 {
			t.Errorf("%v after %d calls", f, len(r.world.ledger()))
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for _, wait := range []time.Duration{1500 * time.Millisecond, 40 * time.Second} {
		bubble(t, func(t *testing.T, r *rig) {
			r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], retry: { delay: 100ms }, steps: [ { id: a, uses: test.write } ] }`)
			r.start()
			at := time.Now().Add(wait)
			r.world.answers(actions.RetryAfter(at, "quota"))
			r.until("flow", r.event(1, nil), engine.Completed)
			if late := r.world.ledger()[1].at.Sub(at); late < 0 || late > time.Second {
				t.Errorf("allowed again after %v: the second attempt came %v late", wait, late)
			}
		})
	}
}

func TestStepTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.put, timeout: 7s, retry: { attempts: 2, delay: 1s } } ] }`)
		r.start()
		r.world.lasting(time.Hour)
		id := r.event(1, nil)
		r.until("flow", id, engine.Failed)
		calls := r.world.ledger()
		for _, c := range calls {
			if d := c.ended.Sub(c.at); d < 6*time.Second || d > 7100*time.Millisecond {
				t.Errorf("a call with a timeout of 7 s had %v", d)
			}
		}
		r.tells("flow", id, "run_started, step_started a 1", "step_failed a 1 unknown retry", "step_started a 2", "step_failed a 2 unknown fail, run_failed")
		if !calls[1].unknown || calls[0].unknown {
			t.Error("an attempt after one of unknown outcome is told so")
		}
	})
}

func TestWorkflowTimeout(t *testing.T) {
	for name, steps := range map[string]string{
		"running": `{ id: a, uses: test.put, timeout: 1h }`,
		"parked":  `{ sleep: 1h }`,
		"asking":  `{ id: a, uses: test.write, timeout: 2s, on_unknown: ask }`,
		"waiting": `{ id: a, uses: test.put, timeout: 1s, retry: { delay: 1h, max_delay: 1h } }`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], timeout: 20s, steps: [ ` + steps + ` ] }`)
				r.start()
				r.world.lasting(time.Hour)
				run := r.until("flow", r.event(1, nil), engine.Failed)
				if f := run.End.GetRunFailed(); f.Reason != "timeout" {
					t.Errorf("failed for %v", f)
				}
				if late := time.Unix(0, run.End.At).Sub(run.Started.Add(20 * time.Second)); late < 0 || late > time.Second {
					t.Errorf("the timeout came %v late", late)
				}
				r.acked("flow")
				r.drained()
			})
		})
	}
}

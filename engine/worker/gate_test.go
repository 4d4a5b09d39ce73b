package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/gates"
	"zflow/engine/queue"
	"zflow/engine/trigger"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// keyed is a workflow with a concurrency key.
func keyed(name, concurrency string) string {
	return fmt.Sprintf(`{ name: %s, on: [ { zoom: meeting.ended } ], concurrency: { key: "${{ event.payload.object.k }}", %s }, steps: [ { id: a, uses: test.put, timeout: 1h } ] }`, name, concurrency)
}

func ofKey(k string) map[string]any { return map[string]any{"k": k} }

// gateEmpty waits until nothing is left of any gate.
func (r *rig) gateEmpty() {
	r.t.Helper()
	for begun := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		s, err := r.js.Stream(context.Background(), proto.Bucket(proto.Gates))
		r.must(err)
		i, err := s.Info(context.Background())
		r.must(err)
		if i.State.Msgs == 0 {
			return
		}
		if time.Since(begun) > 3*time.Minute { // markers of empty lists stay a minute
			r.t.Fatalf("%d entries are left in GATES", i.State.Msgs)
		}
	}
}

// Runs of one key go one after another (or as many at a time as may), in the order
// of the events, over many keys and several workers; those of other keys do not wait.
func TestEventOrderPerKey(t *testing.T) {
	for _, limit := range []int{1, 3} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.deploy(keyed("flow", fmt.Sprintf("limit: %d", limit)))
				r.world.lasting(700 * time.Millisecond)
				for range 3 {
					r.start()
				}
				const keys, each = 8, 7
				var ids []string
				for n := range keys * each {
					ids = append(ids, r.event(n, ofKey(fmt.Sprint("key ", n%keys, " «…»"))))
				}
				for _, id := range ids {
					r.until("flow", id, engine.Completed)
				}
				all := r.stays("flow", ids)
				if len(all) != keys*each || len(r.world.ledger()) != keys*each {
					t.Errorf("%d stays, %d calls", len(all), len(r.world.ledger()))
				}
				checkStays(t, all, limit)
				first := r.run("flow", ids[0]).Started
				if took := time.Since(first); took > time.Duration(each/limit+1)*3*time.Second {
					t.Errorf("it took %v: keys wait for each other", took)
				}
				r.acked("flow")
				r.drained()
				r.gateEmpty()
			})
		})
	}
}

// The history of a run that waits for its place.
func TestQueuedHistory(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 1"))
		r.world.lasting(10 * time.Second)
		r.start()
		first, second := r.event(1, ofKey("a")), r.event(2, ofKey("a"))
		run := r.until("flow", second, engine.Waiting)
		if !run.Queued() || run.Claim != nil {
			t.Errorf("the second run: queued %v, claimed by %v", run.Queued(), run.Claim)
		}
		r.acked("flow") // neither keeps its event
		r.until("flow", second, engine.Completed)
		for _, id := range []string{first, second} {
			r.tells("flow", id, "run_started, gate_queued", "gate_entered, step_started a 1", "step_completed a, run_completed")
		}
		r.drained()
		r.gateEmpty()
	})
}

// A key that cannot be evaluated fails the run.
func TestKeyThatFails(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 1"))
		r.start()
		for n, object := range []map[string]any{{"k": nil}, {"other": 1}} {
			run := r.until("flow", r.event(n, object), engine.Failed)
			if f := run.End.GetRunFailed(); f.Reason != "trigger" || !strings.Contains(f.Error.Message, "evaluating the key of concurrency") {
				t.Errorf("%v", f)
			}
		}
		r.until("flow", r.event(3, ofKey("a")), engine.Completed)
		r.acked("flow")
	})
}

// The holder's worker dies in its call: another takes the run over, and who waits
// gets in when it has ended.
func TestHolderDies(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 1"))
		r.world.started = make(chan struct{}, 10)
		r.world.lasting(5 * time.Second)
		first := r.start()
		ids := []string{r.event(0, ofKey("a"))}
		<-r.world.started
		second := r.start()
		ids = append(ids, r.event(1, ofKey("a")), r.event(2, ofKey("a")))
		r.until("flow", ids[2], engine.Waiting)
		first.kill()
		for _, id := range ids {
			r.until("flow", id, engine.Completed)
		}
		checkStays(t, r.stays("flow", ids), 1)
		if count("runs_taken_over", second) != 1 || len(r.world.ledger()) != 4 {
			t.Errorf("%d taken over, %d calls", count("runs_taken_over", second), len(r.world.ledger()))
		}
		r.drained()
		r.gateEmpty()
	})
}

// The broker starts anew while runs wait at a gate, and all wakes are lost: the
// sweep wakes who is inside.
func TestGateWakeIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 1"))
		r.world.lasting(time.Second)
		first := r.start()
		time.Sleep(2 * time.Second)
		first.stop()
		// As a worker that dies right after it let the run in, before its wake.
		ids := []string{r.event(0, ofKey("a")), r.event(1, ofKey("a"))}
		for _, id := range ids {
			r.queueAlone("flow", id)
		}
		r.server.Restart(t)
		time.Sleep(3 * time.Second)
		r.start()
		for _, id := range ids {
			r.until("flow", id, engine.Completed)
		}
		checkStays(t, r.stays("flow", ids), 1)
		r.drained()
		r.gateEmpty()
	})
}

// queueAlone does what the start of a keyed run does, but for its wakes: they are lost.
func (r *rig) queueAlone(workflow, id string) {
	r.t.Helper()
	ctx := context.Background()
	e, err := r.catalog.Get(ctx, workflow)
	r.must(err)
	def, err := r.catalog.Workflow(ctx, workflow, e.Version)
	r.must(err)
	stream, err := r.js.Stream(ctx, proto.Events)
	r.must(err)
	for sequence := uint64(1); ; sequence++ {
		m, err := stream.GetMsg(ctx, sequence)
		r.must(err)
		event, err := proto.ReadEvent(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
		r.must(err)
		if event.ID != id {
			continue
		}
		l := &loaded{run: engine.NewRun(proto.RunID(workflow, id))}
		facts, err := l.run.Begin(time.Now(), &v1.RunStarted{Workflow: workflow, Version: def.Version, Event: trigger.Event(event)}, nil, nil)
		r.must(err)
		queued, err := queue.Queued(def, trigger.Event(event))
		r.must(err)
		queued, err = l.run.Add(time.Now(), queued)
		r.must(err)
		l.run.State = engine.Waiting
		s := r.stores(r.js, r.server.Gate(r.t))
		alone := &Worker{Config: Config{Stores: s, Gate: r.server.Gate(r.t)}}
		r.must(alone.append(ctx, l, append(facts, queued)))
		own := gates.Place{Sequence: l.run.Gate.Place, Workflow: workflow, Run: l.run.ID()}
		r.must(s.Gates.Queue(ctx, l.run.Gate.Gate, own))
		_, err = s.Gates.Admit(ctx, l.run.Gate.Gate, 1, func(context.Context, gates.Place) (bool, error) { return false, nil })
		r.must(err)
		return
	}
}

// A leave that was lost: the run has ended, and is inside still. Who comes next
// finds it.
func TestLostLeave(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 1"))
		r.start()
		first := r.event(0, ofKey("a"))
		run := r.until("flow", first, engine.Completed)
		r.drained()
		s := r.stores(r.js, r.server.Gate(t))
		own := gates.Place{Sequence: run.Gate.Place, Workflow: "flow", Run: run.ID()}
		r.must(s.Gates.Queue(t.Context(), run.Gate.Gate, own))
		_, err := s.Gates.Admit(t.Context(), run.Gate.Gate, 1, func(context.Context, gates.Place) (bool, error) { return false, nil })
		r.must(err)
		r.until("flow", r.event(1, ofKey("a")), engine.Completed)
		r.gateEmpty()
	})
}

// A queued run that is canceled ends at once, and so does one whose time is up.
func TestEndsInTheQueue(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 1"))
		r.world.lasting(5 * time.Minute)
		for range 2 {
			r.start()
		}
		first := r.event(1, ofKey("a"))
		r.when("flow", first, "inside", func(run *engine.Run) bool { return run.Gate != nil && run.Gate.Entered })
		r.deploy(strings.Replace(keyed("flow", "limit: 1"), "steps:", "timeout: 2m, finally: [ { set: 1 } ], steps:", 1))
		time.Sleep(2 * time.Second)
		canceled, next, late := r.event(2, ofKey("a")), r.event(3, ofKey("a")), r.event(4, ofKey("a"))
		r.until("flow", late, engine.Waiting)
		r.command("flow", canceled, cancel("c1"))
		begun := time.Now()
		r.until("flow", canceled, engine.Canceled)
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("the cancel took %v", took)
		}
		r.tells("flow", canceled, "run_started, gate_queued", "cancel_requested, run_canceled")
		time.Sleep(time.Minute)
		r.command("flow", next, cancel("c2"))
		run := r.until("flow", late, engine.Failed)
		if f := run.End.GetRunFailed(); f.Reason != "timeout" || !run.Queued() {
			t.Errorf("%v, queued %v", f, run.Queued())
		}
		r.until("flow", next, engine.Canceled)
		r.until("flow", first, engine.Completed)
		r.drained()
		r.gateEmpty()
	})
}

// A signal to a queued run is kept, and lets it in no sooner.
func TestSignalInTheQueue(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], concurrency: { limit: 1 }, steps: [ { id: a, uses: test.put }, { id: w, wait_for: { signal: go } } ] }`)
		r.world.lasting(30 * time.Second)
		r.start()
		first, second := r.event(1, nil), r.event(2, nil)
		r.until("flow", second, engine.Waiting)
		r.command("flow", second, &v1.Command{Id: "s1", Kind: "signal", Name: "go", By: "me"})
		r.when("flow", second, "told", func(run *engine.Run) bool { return run.Knows("s1") && run.State == engine.Waiting })
		r.when("flow", first, "waiting", func(run *engine.Run) bool { return run.Step("w").Status == engine.StepWaiting })
		if !r.run("flow", second).Queued() {
			t.Fatal("the second run is inside beside the first")
		}
		r.command("flow", first, &v1.Command{Id: "s2", Kind: "signal", Name: "go", By: "me"})
		r.until("flow", second, engine.Completed)
		checkStays(t, r.stays("flow", []string{first, second}), 1)
		r.drained()
		r.gateEmpty()
	})
}

// Whoever skips and finds the gate full is refused, and says so.
func TestSkip(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 2, when_busy: skip"))
		r.world.lasting(10 * time.Second)
		for range 2 {
			r.start()
		}
		var ids []string
		for n := range 4 {
			ids = append(ids, r.event(n, ofKey("a")))
		}
		other := r.event(9, ofKey("b"))
		for _, id := range ids[2:] {
			run := r.until("flow", id, engine.Canceled)
			if why := run.End.GetRunCanceled().Why; !strings.HasPrefix(why, "the gate is full") {
				t.Errorf("refused: %s", why)
			}
			r.tells("flow", id, "run_started, gate_queued", "run_canceled")
		}
		for _, id := range append(ids[:2:2], other) {
			r.until("flow", id, engine.Completed)
		}
		r.until("flow", r.event(10, ofKey("a")), engine.Completed)
		r.acked("flow")
		r.drained()
		r.gateEmpty()
	})
}

// Whoever replaces cancels those before it.
func TestReplace(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(strings.Replace(keyed("flow", "when_busy: replace"), "steps:", "finally: [ { sleep: 10s } ], steps:", 1))
		r.world.lasting(time.Minute)
		for range 2 {
			r.start()
		}
		var ids []string
		for n := range 3 { // the second queues while the first cleans up
			ids = append(ids, r.event(n, ofKey("a")))
			time.Sleep(3 * time.Second)
		}
		for _, id := range ids[:2] {
			run := r.until("flow", id, engine.Canceled)
			if why := run.End.GetRunCanceled().Why; !strings.HasSuffix(why, "replaces it") {
				t.Errorf("canceled: %s", why)
			}
		}
		r.tells("flow", ids[1], "run_started, gate_queued", "cancel_requested, run_canceled")
		r.until("flow", ids[2], engine.Completed)
		checkStays(t, r.stays("flow", ids), 1)
		r.acked("flow")
		r.drained()
		r.gateEmpty()
	})
}

// Workflows that name a gate share its places.
func TestSharedGate(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("one", "limit: 2, name: meetings"))
		r.deploy(keyed("two", "limit: 2, name: meetings"))
		r.deploy(keyed("alone", "limit: 2"))
		r.world.lasting(3 * time.Second)
		for range 3 {
			r.start()
		}
		var ids []string
		for n := range 6 {
			ids = append(ids, r.event(n, ofKey("a")))
		}
		var all []stay
		for _, flow := range []string{"one", "two", "alone"} {
			for _, id := range ids {
				r.until(flow, id, engine.Completed)
			}
			checkStays(t, r.stays(flow, ids), 2) // in order
			if flow != "alone" {
				all = append(all, r.stays(flow, ids)...)
			}
		}
		for i := range all {
			all[i].event = 0 // there is no order of events between workflows
		}
		slices.SortFunc(all, func(a, b stay) int { return int(a.from) - int(b.from) })
		for i, s := range all {
			inside := 0
			for _, o := range all[:i+1] {
				if s.from < o.end {
					inside++
				}
			}
			if inside > 2 {
				t.Errorf("%d runs are inside at a time", inside)
			}
		}
		r.drained()
		r.gateEmpty()
	})
}

// A run that is retried queues again, at the tail.
func TestRetryQueuesAtTheTail(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(keyed("flow", "limit: 1"))
		for range 2 {
			r.start()
		}
		r.world.answering(func(ctx context.Context, n int, _ actions.Call) (actions.Result, error) {
			if n == 1 {
				return actions.Result{}, actions.Final("no")
			}
			time.Sleep(5 * time.Second)
			return actions.Result{}, nil
		})
		failed := r.event(0, ofKey("a"))
		r.until("flow", failed, engine.Failed)
		ids := []string{r.event(1, ofKey("a")), r.event(2, ofKey("a"))}
		r.until("flow", ids[1], engine.Waiting)
		r.command("flow", failed, &v1.Command{Id: "r1", Kind: "retry", By: "me"})
		for !r.run("flow", failed).Knows("r1") {
			time.Sleep(200 * time.Millisecond)
		}
		ids = append(ids, r.event(3, ofKey("a")))
		for _, id := range append(ids, failed) {
			r.until("flow", id, engine.Completed)
		}
		all := r.stays("flow", append([]string{failed}, ids...))
		slices.SortFunc(all, func(a, b stay) int { return int(a.from) - int(b.from) })
		order := ""
		for _, s := range all {
			order += fmt.Sprint(s.event)
		}
		if order != "01203" {
			t.Errorf("the order is %s", order)
		}
		r.tells("flow", failed, "run_started, gate_queued", "gate_entered, step_started a 1", "step_failed a 1 final fail, run_failed",
			"run_retried, gate_queued", "gate_entered, step_started a 2", "step_completed a, run_completed")
		r.drained()
		r.gateEmpty()
	})
}

// A run that is called queues as well.
func TestCalledRunsQueue(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: child, on: [ { call: { inputs: { k: text } } } ], concurrency: { key: "${{ event.k }}" }, steps: [ { id: a, uses: test.put } ], output: done }`)
		r.deploy(`{ name: parent, on: [ { zoom: meeting.ended } ], steps: [ { id: c, call: child, with: { k: same } } ] }`)
		r.world.lasting(5 * time.Second)
		for range 2 {
			r.start()
		}
		var ids []string
		for n := range 4 {
			ids = append(ids, r.event(n, nil))
		}
		for _, id := range ids {
			run := r.until("parent", id, engine.Completed)
			if s := run.Step("c"); string(s.Output.GetJson()) != `"done"` {
				t.Errorf("%+v", s)
			}
		}
		for i, a := range r.world.ledger() {
			for _, b := range r.world.ledger()[i+1:] {
				if a.at.Before(b.ended) && b.at.Before(a.ended) {
					t.Errorf("%s and %s are inside at a time", a.key, b.key)
				}
			}
		}
		r.drained()
		r.gateEmpty()
	})
}

package worker

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/history"
	"zflow/internal/natstest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// hooked is JetStream with a word before and after each append to RUNS.
type hooked struct {
	jetstream.JetStream
	hook func(when string, n int)
	n    int
}

func (h *hooked) PublishMsg(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if !strings.HasPrefix(m.Subject, "zflow.run.") {
		return h.JetStream.PublishMsg(ctx, m, opts...)
	}
	h.n++
	n := h.n
	h.hook("before", n)
	ack, err := h.JetStream.PublishMsg(ctx, m, opts...)
	h.hook("after", n)
	return ack, err
}

// image is the world at one moment: what lay on the disk, and what was called.
type image struct {
	name  string
	dir   string
	calls []call
}

const every = `{ name: every, on: [ { zoom: meeting.ended } ], steps: [
	{ id: put, uses: test.put }, { id: nap, sleep: 5s }, { id: probed, uses: test.probed }, { id: read, uses: test.read },
	{ id: write, uses: test.write }, { id: retried, uses: test.write, on_unknown: retry } ],
	output: [ "${{ steps.put.output.of }}", "${{ steps.probed.output.of }}", "${{ steps.read.output.of }}", "${{ steps.write.output.of }}", "${{ steps.retried.output.of }}" ] }`

// telling makes each call bring the step that it was of, and a probe find what happened.
func (w *world) telling() {
	w.answering(func(_ context.Context, _ int, c actions.Call) (actions.Result, error) {
		return actions.Result{Output: map[string]any{"of": c.Key}}, nil
	})
	w.truth = true
}

// TestCrashAtEveryAppend stops the world right before and right after each append
// of a run, broker and worker at once, and lets new ones go on from the disk.
func TestCrashAtEveryAppend(t *testing.T) {
	if testing.Short() {
		t.Skip("one worker at a time: there is little that could race")
	}
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(every)
		r.world.telling()
		var images []image
		hook := func(when string, n int) {
			images = append(images, image{fmt.Sprintf("%s append %d", when, n), r.server.Image(t), r.world.ledger()})
		}
		h := r.start(func(c *Config) {
			var err error
			c.Stores.History, err = history.Open(t.Context(), &hooked{JetStream: natstest.JetStream(t, c.NC), hook: hook}, c.Gate)
			r.must(err)
		})
		id := r.event(1, nil)
		run := r.until("every", id, engine.Completed)
		want := string(run.End.GetRunCompleted().Output.GetJson())
		h.stop()
		r.server.Stop()
		if len(images) < 12 {
			t.Fatalf("%d images", len(images))
		}
		for _, i := range images {
			r.crashed(t, i, id, want)
		}
	})
}

// crashed boots what an image holds and checks how the run goes on.
func (r *rig) crashed(t *testing.T, i image, id, want string) {
	c := &rig{t: t, server: natstest.Start(t, natstest.Dir(i.dir)), world: &world{}, keys: r.keys}
	c.world.telling()
	for k := range i.calls {
		c.world.calls = append(c.world.calls, &i.calls[k])
	}
	c.open()
	before := c.run("every", id)
	h := c.start()
	run := c.untilEnded(id)
	if got := string(run.End.GetRunCompleted().GetOutput().GetJson()); got != want {
		t.Errorf("%s: output %s, not %s\n%s", i.name, got, want, c.facts("every", id))
	}
	calls := c.world.ledger()
	for _, again := range calls[len(i.calls):] {
		step := strings.TrimPrefix(again.key, run.ID()+".")
		if before.Steps[step] != nil && before.Step(step).Status == engine.StepCompleted {
			t.Errorf("%s: step %s was executed though its outcome was recorded", i.name, step)
		}
		for _, first := range i.calls {
			if first.key == again.key && !first.probe && !again.probe && step != "read" {
				c.mayFollow(i.name, id, step)
			}
		}
	}
	c.acked("every")
	c.drained()
	h.stop()
	c.server.Stop()
}

// mayFollow checks that a second call of a step has what it takes.
func (r *rig) mayFollow(name, id, step string) {
	text := r.facts("every", id)
	unknown := strings.Contains(text, "step_failed "+step+" 1 unknown")
	switch step {
	case "write":
		unknown = unknown && strings.Contains(text, "approval_given write")
	case "probed":
		unknown = unknown && strings.Contains(text, "step_failed probed 1 absent")
	}
	if !unknown {
		r.t.Errorf("%s: step %s was called again, unasked\n%s", name, step, text)
	}
}

// untilEnded waits for the end, and answers what a person is asked by the ledger.
func (r *rig) untilEnded(id string) *engine.Run {
	for n := range 100 {
		run := r.when("every", id, "asking or ended", func(run *engine.Run) bool {
			return run.State.Ended() || run.Step("write").Status == engine.StepAsking
		})
		if run.State.Ended() {
			return run
		}
		c := &v1.Command{Id: fmt.Sprint("c", n), Kind: "approve", By: "me", Step: "write", Choice: engine.ChoiceRetry}
		key := proto.RunID("every", id) + ".write"
		for _, call := range r.world.ledger() {
			if call.key == key {
				c.Choice, c.Data = engine.ChoiceDone, fmt.Appendf(nil, `{"of":%q}`, key)
			}
		}
		r.command("every", id, c)
		time.Sleep(3 * time.Second)
	}
	r.t.Fatal("the run asks again and again")
	return nil
}

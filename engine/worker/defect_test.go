package worker

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const napper = `{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { sleep: 1m }, { id: a, uses: test.write } ] }`

// unknownFact is one of a kind that this version does not know.
func unknownFact(number uint64) *v1.Fact {
	f := &v1.Fact{Number: number, At: time.Now().UnixNano()}
	f.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType), []byte("news")))
	return f
}

// A history with a fact of a newer version is left alone: nothing is decided, the
// messages about it stay, and nobody spins.
func TestUnknownFact(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(napper)
		h := r.start()
		id := r.event(1, nil)
		r.until("flow", id, engine.Waiting)
		loaded, err := r.load("flow", id)
		r.must(err)
		r.must(r.history.Append(t.Context(), &loaded.Cursor, history.Append{Workflow: "flow", Run: proto.RunID("flow", id), State: "waiting", Epoch: 1, Facts: []*v1.Fact{unknownFact(3)}}))
		time.Sleep(3 * time.Minute)
		if again, err := r.load("flow", id); err != nil || len(again.Appends) != 2 || len(r.world.ledger()) != 0 {
			t.Errorf("%d appends, %d calls, %v", len(again.Appends), len(r.world.ledger()), err)
		}
		if n := count("runs_unreadable", h); n < 2 || n > 6 {
			t.Errorf("looked at %d times in two minutes, not every 30 s", n)
		}
		r.until("flow", r.event(2, nil), engine.Completed) // others go on
	})
}

// The owner of a running run meets such a fact at its next append: it lets go.
func TestUnknownFactWhileRunning(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.write } ] }`)
		h := r.start()
		r.world.started = make(chan struct{}, 1)
		r.world.lasting(20 * time.Second)
		id := r.event(1, nil)
		<-r.world.started
		loaded, err := r.load("flow", id)
		r.must(err)
		r.must(r.history.Append(t.Context(), &loaded.Cursor, history.Append{Workflow: "flow", Run: proto.RunID("flow", id), State: "running", Epoch: 1, Facts: []*v1.Fact{unknownFact(3)}}))
		time.Sleep(2 * time.Minute)
		if n := count("runs_unreadable", h); n < 2 || n > 6 {
			t.Errorf("looked at %d times, not every 30 s", n)
		}
		if h.holding(proto.RunID("flow", id)) != nil {
			t.Error("the run is still held")
		}
	})
}

// damage stores bytes behind a run's history that do not belong there.
func (r *rig) damage(id string, data []byte) {
	r.t.Helper()
	_, err := r.js.Publish(context.Background(), proto.RunSubject("flow", proto.RunID("flow", id), "waiting"), data)
	r.must(err)
}

func TestDamagedHistory(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(napper)
		h := r.start()
		ids := []string{r.event(1, nil), r.event(2, nil)}
		for _, id := range ids {
			r.until("flow", id, engine.Waiting)
		}
		r.damage(ids[0], []byte("no facts at all"))
		r.must(r.history.Append(t.Context(), &history.Cursor{Sequence: r.last(ids[1]), Number: 7}, history.Append{Workflow: "flow",
			Run: proto.RunID("flow", ids[1]), State: "running", Facts: []*v1.Fact{{Number: 3, Kind: &v1.Fact_RunClaimed{}}}}))
		time.Sleep(3 * time.Minute)
		if n := count("runs_unreadable", h); n < 4 || n > 12 || len(r.world.ledger()) != 0 {
			t.Errorf("two damaged histories were looked at %d times, %d calls", n, len(r.world.ledger()))
		}
	})
}

func (r *rig) last(id string) uint64 {
	r.t.Helper()
	h, err := r.load("flow", id)
	r.must(err)
	return h.Cursor.Sequence
}

// A value that is gone from BLOBS: the run is left alone, it cannot be guessed.
func TestLostValue(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(napper)
		h := r.start()
		id := r.event(1, map[string]any{"text": string(make([]byte, 100_000))}) // \u0000: six bytes each
		r.until("flow", id, engine.Waiting)
		objects, err := r.js.ObjectStore(t.Context(), proto.Blobs)
		r.must(err)
		r.must(objects.Delete(t.Context(), r.run("flow", id).Start.Event.Body.Blob))
		time.Sleep(3 * time.Minute)
		if n := count("runs_unreadable", h); n < 2 || n > 6 || len(r.world.ledger()) != 0 {
			t.Errorf("looked at %d times, %d calls", n, len(r.world.ledger()))
		}
	})
}

// Six workers in a row die in the middle of the same step: the run fails.
func TestPoison(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.put, timeout: 1h, retry: { attempts: 100 } } ] }`)
		r.world.started = make(chan struct{}, 1)
		r.world.lasting(time.Hour)
		id := r.event(1, nil)
		for range 6 {
			h := r.start(func(c *Config) { c.Drain = time.Millisecond })
			<-r.world.started
			h.kill()
		}
		r.start()
		f := r.until("flow", id, engine.Failed).End.GetRunFailed()
		if f.Reason != "poison" || len(r.world.ledger()) != 6 {
			t.Errorf("failed for %s after %d calls", f.Reason, len(r.world.ledger()))
		}
	})
}

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/proto"
)

const pulled = `{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { id: a, uses: test.write } ] }`

// However long the broker is away, a worker's client keeps nothing of the pulls
// that could not be sent.
func TestNothingIsLeftOfAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(pulled)
		w := r.start()
		time.Sleep(10 * time.Second)
		before := w.NC.NumSubscriptions()
		r.server.Down()
		time.Sleep(10 * time.Minute)
		r.server.Up(t)
		time.Sleep(10 * time.Second)
		if after := w.NC.NumSubscriptions(); after > before+5 { // pulls may have been sent in the very moment
			t.Errorf("%d subscriptions before, %d after", before, after)
		}
		r.until("flow", r.event(1, nil), engine.Completed)
	})
}

// cutShort marks a workflow as removed and leaves its consumer, as a removal does
// that fails half-way.
func (r *rig) cutShort(name string) {
	r.t.Helper()
	bucket, err := r.js.KeyValue(r.t.Context(), proto.Definitions)
	r.must(err)
	entry, err := bucket.Get(r.t.Context(), name)
	r.must(err)
	stored := map[string]any{}
	r.must(json.Unmarshal(entry.Value(), &stored))
	stored["state"] = "removed"
	value, err := json.Marshal(stored)
	r.must(err)
	_, err = bucket.Put(r.t.Context(), name, value)
	r.must(err)
}

func (r *rig) consumerGoes(name string) {
	r.t.Helper()
	time.Sleep(5 * time.Second)
	if _, err := r.js.Consumer(context.Background(), proto.Events, name); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		r.t.Errorf("the consumer of %s, which is removed: %v", name, err)
	}
}

// A removal that was cut short is carried out by a worker that sees it, and one
// that no living worker has seen after the broker's next start.
func TestRemovalCutShort(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(pulled)
		first := r.start()
		r.until("flow", r.event(1, nil), engine.Completed)
		r.cutShort("flow")
		r.consumerGoes("flow")
		r.deploy(pulled)
		r.until("flow", r.event(2, nil), engine.Completed)
		first.stop()
		r.cutShort("flow")
		r.server.Restart(t)
		r.start()
		r.consumerGoes("flow")
	})
}

package worker

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/engine"
	"zflow/engine/blobs"
	"zflow/engine/history"
	"zflow/engine/queue"
	v1 "zflow/proto/zflow/v1"
)

// append stores facts that the run has applied already, and moves its cursor.
func (w *Worker) append(ctx context.Context, l *loaded, facts []*v1.Fact) error {
	if err := w.offload(ctx, facts); err != nil {
		return err
	}
	err := w.Stores.History.Append(ctx, &l.cursor, history.Append{
		Workflow: l.run.Start.Workflow, Run: l.run.ID(), State: string(l.run.State), Epoch: l.run.Epoch(),
		Facts: facts, Header: headers(l.run, facts),
	})
	if err == nil {
		l.run.QueuedAt(l.cursor.Sequence)
	}
	return err
}

// headers say in plain text what a subscriber of RUNS wants to know.
func headers(r *engine.Run, facts []*v1.Fact) nats.Header {
	kinds := make([]string, len(facts))
	h := nats.Header{
		"zflow-version":    {r.Start.Version},
		"zflow-event-id":   {r.Start.Event.Id},
		"zflow-event-type": {r.Start.Event.Type},
		"zflow-started-at": {r.Started.Format(time.RFC3339Nano)},
		"zflow-worker":     {r.Claim.GetWorker()},
	}
	for i, f := range facts {
		kinds[i] = engine.Kind(f)
		if f.Step != "" {
			h["zflow-step"] = []string{f.Step}
		}
		if e := errorOf(f); e != "" {
			h["zflow-error"] = []string{e}
		}
		if t := f.GetTimerSet(); t != nil {
			h["zflow-due"] = []string{time.Unix(0, t.Due).UTC().Format(time.RFC3339Nano)}
		}
	}
	queue.Note(h, r)
	h["zflow-facts"] = []string{strings.Join(kinds, " ")}
	return h
}

// errorOf returns the message of a failure, as one line.
func errorOf(f *v1.Fact) string {
	message := f.GetRunFailed().GetError().GetMessage()
	if message == "" {
		message = f.GetStepFailed().GetError().GetMessage()
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, message)
}

// crowded is how many bytes one append may hold in values; beyond it small ones
// go to BLOBS too. A new generation of a long run holds all of its values.
const crowded = 4 << 20

// offload puts values that are too large for a history into BLOBS. Those that a
// new generation keeps are put again, so that they live on with the run.
func (w *Worker) offload(ctx context.Context, facts []*v1.Fact) error {
	values, total, large := history.Values(facts), 0, blobs.Large
	for _, v := range values {
		total += len(v.Json)
	}
	if total > crowded {
		large = blobs.Large / 64
	}
	for _, v := range values {
		if len(v.Json) <= large && v.Blob == "" {
			continue
		}
		name, err := w.Stores.Blobs.Put(ctx, v.Json)
		if err != nil {
			return err
		}
		v.Blob, v.Size = name, uint64(len(v.Json))
	}
	return nil
}

// fetchBlobs brings the values of loaded facts back.
func (w *Worker) fetchBlobs(ctx context.Context, facts []*v1.Fact) error {
	for _, v := range history.Values(facts) {
		if v.Blob == "" {
			continue
		}
		data, err := w.Stores.Blobs.Get(ctx, v.Blob)
		if err != nil {
			return err
		}
		v.Json = data
	}
	return nil
}

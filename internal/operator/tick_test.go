package operator

import (
	"context"
	"testing"
	"time"

	"zflow/proto"
)

// A workflow that polls is shown with its next poll, and with why the last ones failed.
func TestPollsAreShown(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	src := "name: staff\non: { poll: { uses: log, with: { message: x }, every: 15m, items: \"${{ [output] }}\", key: message } }\nsteps: [ { sleep: 1s } ]\n"
	_, problems, err := r.Catalog.Deploy(ctx, "staff.yaml", []byte(src))
	if err != nil {
		t.Fatal(err, problems)
	}
	w, err := r.Workflow(ctx, "staff")
	r.must(err)
	if len(w.Ticks) != 0 || w.Polls != nil || len(w.Triggers) != 1 || w.Triggers[0] != "poll log every 15m0s" {
		t.Errorf("before a worker has seen it: %+v", w)
	}
	next := time.Date(2026, 3, 2, 10, 15, 0, 0, time.UTC)
	kv, err := r.JS.KeyValue(ctx, proto.Ticks)
	r.must(err)
	_, err = kv.Put(ctx, "staff", []byte(`{"poll every 15m0s":{"next":"2026-03-02T10:15:00Z"}}`))
	r.must(err)
	_, err = kv.Put(ctx, "staff.poll", []byte(`{"known":7,"polled":"2026-03-02T09:45:00Z","problem":{"message":"revoked","times":2}}`))
	r.must(err)
	w, err = r.Workflow(ctx, "staff")
	r.must(err)
	if len(w.Ticks) != 1 || !w.Ticks[0].Next.Equal(next) || w.Polls == nil || w.Polls.Known != 7 || w.Polls.Problem.Message != "revoked" {
		t.Errorf("shown as %+v, %+v", w.Ticks, w.Polls)
	}
}

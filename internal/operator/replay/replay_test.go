package replay_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/blobs"
	"zflow/internal/operator/operatortest"
	"zflow/internal/operator/replay"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const flow = `name: hello
on: { zoom: meeting.ended }
steps:
  - { id: a, uses: log, with: { message: a }, undo: { uses: log, with: { message: back } } }
  - { id: b, set: 1 }
  - { id: c, uses: log, with: { message: VERSION } }
`

func begun(step string, attempt uint32) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: attempt, Uses: "log"}}}
}

func done(step string, output []byte) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Attempt: 1, Output: &v1.Value{Json: output}}}}
}

func set(step, value string) *v1.Fact {
	return &v1.Fact{Step: step, Kind: &v1.Fact_ValueSet{ValueSet: &v1.ValueSet{Value: &v1.Value{Json: []byte(value)}}}}
}

func runFailed() *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: "step", Step: "c", Error: &v1.Error{Message: "no"}}}}
}

// upToC is what a run did before its step c.
func upToC(output string) []*v1.Fact {
	return []*v1.Fact{begun("a", 1), done("a", []byte(output)), set("b", "7"), begun("c", 1)}
}

func load(h *operatortest.House, id string) *engine.Run {
	head, err := h.Find(context.Background(), id)
	h.Must(err)
	_, r, err := h.Load(context.Background(), head)
	h.Must(err)
	return r
}

func TestAReplayBeginsWithWhatWasDone(t *testing.T) {
	h := operatortest.New(t)
	version := h.Deploy(flow)
	secret := `{"url":"zs1|sealed"}`
	old := h.Run("hello", version, "e", engine.Failed, append(upToC(secret), runFailed())...)
	dry, err := replay.Run(t.Context(), h.Operator, replay.Replay{Run: old[:8], From: "c", DryRun: true})
	h.Must(err)
	if dry.ID != "" || dry.ReplayOf != old || dry.From != "c" || !slices.Equal(dry.Reused, []string{"a", "b"}) {
		t.Errorf("dry: %+v", dry)
	}
	var made []replay.Made
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 4 { // at once: each is a run of its own
		all.Go(func() {
			m, err := replay.Run(t.Context(), h.Operator, replay.Replay{Run: old, From: "c", By: "me"})
			mu.Lock()
			defer mu.Unlock()
			if made = append(made, m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	ids := map[string]bool{old: true}
	for _, m := range made {
		ids[m.ID] = true
		r := load(h, m.ID)
		if p := r.Start.Replay; p.Run != old || p.From != "c" || p.By != "me" || p.Facts != 2 || r.State != engine.Waiting || r.Start.Event.ReplayOf != "e" {
			t.Errorf("began with %v, %s", r.Start, r.State)
		}
		if string(r.Steps["a"].Output.Json) != secret || string(r.Steps["b"].Output.Json) != "7" || r.Steps["c"] != nil && r.Steps["c"].Status != "" {
			t.Errorf("steps %v", r.Steps)
		}
		if r.Due(time.Now()).GetTimerFired() == nil {
			t.Error("nothing is due")
		}
		d, err := h.Show(t.Context(), m.ID)
		h.Must(err)
		if d.Replay == nil || d.Replay.Run != old || d.Replay.From != "c" || d.EventID == "e" {
			t.Errorf("shown: %+v", d)
		}
	}
	if len(ids) != 5 {
		t.Errorf("%d runs", len(ids))
	}
	if r := load(h, old); r.State != engine.Failed || r.Facts != 6 {
		t.Errorf("the old run is %s, with %d facts", r.State, r.Facts)
	}
	wakes, timers := woken(h, t)
	if len(wakes) != 4 || timers != 4 {
		t.Errorf("%d wakes, %d timers", len(wakes), timers)
	}
}

// woken reads WAKES.
func woken(h *operatortest.House, t *testing.T) (wakes []string, timers int) {
	s, err := h.JS.Stream(t.Context(), wire.Wakes)
	h.Must(err)
	info, err := s.Info(t.Context(), jetstream.WithSubjectFilter(">"))
	h.Must(err)
	for subject := range info.State.Subjects {
		if strings.HasPrefix(subject, "zflow.timer.") {
			timers++
		} else {
			wakes = append(wakes, subject)
		}
	}
	return wakes, timers
}

// A value in BLOBS is put again, and is needed.
func TestAReplayKeepsLargeValues(t *testing.T) {
	h := operatortest.New(t)
	version := h.Deploy(flow)
	large := append(append([]byte(`"`), bytes.Repeat([]byte("x"), blobs.Large)...), '"')
	name, err := h.Blobs.Put(t.Context(), large)
	h.Must(err)
	facts := upToC(`1`)
	facts[1].GetStepCompleted().Output = &v1.Value{Blob: name, Size: uint64(len(large))}
	old := h.Run("hello", version, "e", engine.Failed, append(facts, runFailed())...)
	before := stored(h, t)
	m, err := replay.Run(t.Context(), h.Operator, replay.Replay{Run: old, From: "c"})
	h.Must(err)
	if r := load(h, m.ID); !bytes.Equal(r.Steps["a"].Output.Json, large) || r.Steps["a"].Output.Blob != name {
		t.Errorf("the output is %.20s, in %s", r.Steps["a"].Output.Json, r.Steps["a"].Output.Blob)
	}
	if after := stored(h, t); after <= before {
		t.Errorf("BLOBS is at %d, and was at %d", after, before)
	}
	store, err := h.JS.ObjectStore(t.Context(), wire.Blobs)
	h.Must(err)
	h.Must(store.Delete(t.Context(), name))
	for _, dry := range []bool{true, false} {
		if _, err := replay.Run(t.Context(), h.Operator, replay.Replay{Run: old, From: "c", DryRun: dry}); err == nil || !strings.Contains(err.Error(), "is not in BLOBS any more") {
			t.Errorf("without the value: %v", err)
		}
	}
}

func stored(h *operatortest.House, t *testing.T) uint64 {
	s, err := h.JS.Stream(t.Context(), wire.Objects(wire.Blobs))
	h.Must(err)
	info, err := s.Info(t.Context())
	h.Must(err)
	return info.State.LastSeq
}

func TestAReplayOfAnotherVersionAndInLine(t *testing.T) {
	h := operatortest.New(t)
	version := h.Deploy(flow)
	old := h.Run("hello", version, "e", engine.Failed, append(upToC(`1`), runFailed())...)
	latest := h.Deploy(strings.Replace(flow, "steps:", "concurrency: { key: x }\nsteps:", 1))
	m, err := replay.Run(t.Context(), h.Operator, replay.Replay{Run: old, From: "c", Latest: true})
	h.Must(err)
	if r := load(h, m.ID); m.Version != latest || r.Start.Version != latest || !r.Queued() || len(r.Timers) != 0 {
		t.Errorf("%+v, queued %v", m, r.Queued())
	}
	h.Deploy(strings.Replace(flow, "set: 1", "steps: [ { set: 1 } ]", 1))
	if _, err := replay.Run(t.Context(), h.Operator, replay.Replay{Run: old, From: "c", Latest: true}); err == nil || !strings.Contains(err.Error(), "step b before it is of another kind") {
		t.Errorf("another kind: %v", err)
	}
}

func TestWhatCannotBeReplayed(t *testing.T) {
	h := operatortest.New(t)
	version := h.Deploy(flow)
	undone := append(upToC(`1`), begun("a.undo", 1), runFailed())
	tried := append(upToC(`1`), runFailed())
	for name, c := range map[string]struct {
		run, from, want string
	}{
		"no run":      {"nosuch", "c", "there is none with this id"},
		"no step":     {h.Run("hello", version, "1", engine.Failed, tried...), "d", "workflow hello has no step d"},
		"undone":      {h.Run("hello", version, "2", engine.Failed, undone...), "b", "the run has undone step a, or tried to"},
		"open":        {h.Run("hello", version, "3", engine.Running, upToC(`1`)...), "c", "may yet undo step a"},
		"not reached": {h.Run("hello", version, "4", engine.Canceled, begun("a", 1), &v1.Fact{Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{}}}), "b", "step a before it has not completed, it is running"},
		"cleanup":     {h.Run("hello", version, "5", engine.Failed, proto.CloneOf(runFailed())), "a.undo", "none of the run's own steps"},
		"no version":  {h.Run("hello", "0123", "6", engine.Failed, runFailed()), "a", "0123"},
	} {
		_, err := replay.Run(t.Context(), h.Operator, replay.Replay{Run: c.run, From: c.from})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if wakes, timers := woken(h, t); len(wakes)+timers > 0 {
		t.Errorf("woken: %v, %d", wakes, timers)
	}
}

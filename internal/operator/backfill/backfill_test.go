package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/internal/natstest"
	"zflow/internal/operator/backfill"
	"zflow/internal/operator/operatortest"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const flow = `name: late
on:
  - { zoom: webinar.ended }
  - { zoom: "meeting.*", if: event.duration >= 5 }
steps:
  - { uses: log, with: { message: hi } }
`

// bubble is a server in virtual time, on which an hour passes between events.
func bubble(t *testing.T, test func(t *testing.T, h *operatortest.House)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		test(t, operatortest.New(t))
	})
}

func meeting(h *operatortest.House, n int, duration string) *wire.Event {
	e := h.Event("meeting.ended", n, `{"duration":`+duration+`}`)
	time.Sleep(time.Hour)
	return e
}

// starts lists what stands in WAKES: the run and how it begins.
func starts(t *testing.T, h *operatortest.House) map[string]*v1.RunStarted {
	t.Helper()
	s, err := h.JS.Stream(t.Context(), wire.Wakes)
	h.Must(err)
	info, err := s.Info(t.Context())
	h.Must(err)
	all := map[string]*v1.RunStarted{}
	for n := max(info.State.FirstSeq, 1); n <= info.State.LastSeq; n++ {
		m, err := s.GetMsg(t.Context(), n)
		h.Must(err)
		w := &v1.Wake{}
		h.Must(proto.Unmarshal(m.Data, w))
		if w.Reason != "backfill" || all[m.Subject] != nil {
			t.Errorf("%s: %v", m.Subject, w)
		}
		all[m.Subject] = w.Start
	}
	return all
}

func run(t *testing.T, h *operatortest.House, b backfill.Backfill) string {
	t.Helper()
	b.Workflow = "late"
	d, err := backfill.Run(t.Context(), h.Operator, b)
	h.Must(err)
	return fmt.Sprintf("read %d, replays %d, filtered %d, invalid %d, had %d, started %d", d.Read, d.Replays, d.Filtered, d.Invalid, d.Had, d.Started)
}

func TestEachEventThatMatchesAndHasNoRunIsRun(t *testing.T) {
	bubble(t, func(t *testing.T, h *operatortest.House) {
		begun := time.Now()
		long := meeting(h, 1, "60")
		meeting(h, 2, "1")
		h.Event("recording.completed", 3, `{}`)
		has := meeting(h, 4, "60")
		odd := meeting(h, 5, `"long"`)
		webinar := h.Event("webinar.ended", 6, `{"x":1}`)
		_, err := h.Replay(t.Context(), long.ID)
		h.Must(err)
		time.Sleep(time.Hour)
		version := h.Deploy(flow)
		h.Run("late", version, has.ID, engine.Completed, &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{}}})

		const want = "read 6, replays 1, filtered 1, invalid 1, had 1, started 2"
		if got := run(t, h, backfill.Backfill{Since: begun.Add(-time.Hour), DryRun: true}); got != want || len(starts(t, h)) != 0 {
			t.Errorf("a dry run: %s, %v", got, starts(t, h))
		}
		var seen []backfill.Done
		d, err := backfill.Run(t.Context(), h.Operator, backfill.Backfill{Workflow: "late", Since: begun.Add(-time.Hour), Progress: func(d backfill.Done) { seen = append(seen, d) }})
		h.Must(err)
		if d.Started != 2 || d.Version != version || !strings.Contains(d.Problem, "event "+odd.ID) || len(seen) != 6 || seen[5] != d {
			t.Errorf("%+v after %d events", d, len(seen))
		}
		all := starts(t, h)
		for i, e := range []*wire.Event{webinar, long} {
			s := all[wire.WakeSubject("late", wire.RunID("late", e.ID))]
			if s == nil || s.Version != version || s.Workflow != "late" || int(s.Trigger) != i || s.Event.Id != e.ID || string(s.Event.Body.Json) != string(e.Body) ||
				s.Event.Sequence != e.Sequence || s.Event.ReceivedAt != e.ReceivedAt.UnixNano() || s.Event.Account != "acct" {
				t.Errorf("event %d begins %v", i, s)
			}
		}
		if len(all) != 2 {
			t.Errorf("%d runs are started", len(all))
		}
	})
}

func TestOnlyTheTimeAskedFor(t *testing.T) {
	bubble(t, func(t *testing.T, h *operatortest.House) {
		h.Deploy(flow)
		begun := time.Now()
		for n := range 6 {
			meeting(h, n, "60")
		}
		at := func(hours float64) time.Time { return begun.Add(time.Duration(hours * float64(time.Hour))) }
		for _, c := range []struct {
			since, until time.Time
			want         int
		}{
			{at(-1), time.Time{}, 6}, {at(1.5), time.Time{}, 4}, {at(1.5), at(3.5), 2}, {at(-1), at(-0.5), 0}, {at(7), time.Time{}, 0},
		} {
			want := fmt.Sprintf("read %d, replays 0, filtered 0, invalid 0, had 0, started %d", c.want, c.want)
			if got := run(t, h, backfill.Backfill{Since: c.since, Until: c.until, DryRun: true}); got != want {
				t.Errorf("from %v to %v: %s", c.since.Sub(begun), c.until.Sub(begun), got)
			}
		}
	})
}

// The rate is kept, and an end in between leaves the rest for another time.
func TestRateAndInterruption(t *testing.T) {
	bubble(t, func(t *testing.T, h *operatortest.House) {
		h.Deploy(flow)
		begun := time.Now()
		for n := range 10 {
			meeting(h, n, "60")
		}
		now := time.Now()
		if got := run(t, h, backfill.Backfill{Since: begun.Add(-time.Hour), Rate: 0.5}); !strings.HasSuffix(got, "started 10") {
			t.Error(got)
		}
		if took := time.Since(now); took < 20*time.Second || took > 25*time.Second {
			t.Errorf("ten runs at one in two seconds took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		d, err := backfill.Run(ctx, h.Operator, backfill.Backfill{Workflow: "late", Since: begun.Add(-time.Hour), Rate: 0.5, Progress: func(d backfill.Done) {
			if d.Started == 3 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) || d.Started != 3 {
			t.Errorf("%+v, %v", d, err)
		}
	})
}

func TestWhatCannotBeBackfilled(t *testing.T) {
	h := operatortest.New(t)
	h.Deploy(flow)
	h.Must(h.Catalog.Pause(t.Context(), "late"))
	for name, want := range map[string]string{"nosuch": "no such workflow is deployed", "late": "it is paused: zflow workflows resume late"} {
		if _, err := backfill.Run(t.Context(), h.Operator, backfill.Backfill{Workflow: name}); err == nil || !strings.Contains(err.Error(), "back-filling workflow "+name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := backfill.Run(t.Context(), h.Operator, backfill.Backfill{Workflow: "late", DryRun: true}); err != nil {
		t.Errorf("a dry run of a paused workflow: %v", err)
	}
}

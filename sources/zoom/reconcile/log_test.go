package reconcile_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"zflow/internal/zoomsim"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom/event"
	"zflow/sources/zoom/reconcile"

	"github.com/nats-io/nats.go/jetstream"
)

var roomy = sources.Limits{MaxBytes: 256 << 20}

// TestWhatWasLostIsPutIn: whether ingest was down, or Zoom believes that it took it.
func TestWhatWasLostIsPutIn(t *testing.T) {
	play(t, roomy, func(t *testing.T, r *rig) {
		begun := time.Now()
		r.happen(t, "meeting.started")
		time.Sleep(time.Minute)
		r.sim.SetChaos(zoomsim.Chaos{Drop: 1})
		lost := r.happen(t, "meeting.ended")
		time.Sleep(time.Minute)
		r.sim.SetChaos()
		r.ingest.Store(nil)
		r.happen(t, "recording.completed")
		time.Sleep(3 * time.Hour) // all of its retries fail
		r.start(t)
		r.happen(t, "user.created")
		time.Sleep(time.Minute)
		if n := len(r.events(t)); n != 2 {
			t.Fatalf("%d events before", n)
		}
		dry := r.run(t, reconcile.Want{Since: begun, DryRun: true})
		if dry.Sent != 4 || dry.Held != 2 || dry.Injected != 2 || len(r.events(t)) != 2 {
			t.Errorf("a dry run: %+v, %d events", dry, len(r.events(t)))
		}
		report := r.run(t, reconcile.Want{Since: begun})
		if report.Sent != 4 || report.Held != 2 || report.Injected != 2 || len(report.Problems) != 0 || report.Types["meeting.ended"] != (reconcile.Count{Sent: 1}) {
			t.Errorf("%+v", report)
		}
		all := r.events(t)
		if len(all) != 4 {
			t.Errorf("%d events", len(all))
		}
		e, err := event.Read(lost.Body)
		must(t, err)
		if got := all[event.ID("main", &e)]; len(got) != 1 || got[0].Origin != proto.FromReconcile || !got[0].Time.Equal(e.At) || got[0].Account != r.app.AccountID {
			t.Errorf("the lost one: %+v", got)
		}
		if again := r.run(t, reconcile.Want{Since: begun}); again.Held != 4 || again.Injected != 0 {
			t.Errorf("again: %+v", again)
		}
	})
}

// TestWhatIsPutInIsInOrder: the oldest first, though Zoom lists the newest first.
func TestWhatIsPutInIsInOrder(t *testing.T) {
	play(t, roomy, func(t *testing.T, r *rig) {
		begun := time.Now()
		r.sim.SetChaos(zoomsim.Chaos{Drop: 1})
		for range 700 { // three pages
			r.happen(t, "meeting.participant_joined")
			time.Sleep(time.Minute)
		}
		if report := r.run(t, reconcile.Want{Since: begun}); report.Injected != 700 {
			t.Fatalf("%+v", report)
		}
		var last time.Time
		stream, err := r.js.Stream(t.Context(), proto.Events)
		must(t, err)
		for seq := uint64(1); seq <= 700; seq++ {
			m, err := stream.GetMsg(t.Context(), seq)
			must(t, err)
			e, err := proto.ReadEvent(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
			must(t, err)
			if !e.Time.After(last) {
				t.Fatalf("event %d is of %v, the one before of %v", seq, e.Time, last)
			}
			last = e.Time
		}
	})
}

// TestWhatWasDroppedForRoomStaysDropped: EVENTS is not filled again with what it had
// finished.
func TestWhatWasDroppedForRoomStaysDropped(t *testing.T) {
	play(t, roomy, func(t *testing.T, r *rig) {
		begun := time.Now()
		for range 10 {
			r.happen(t, "meeting.ended")
			time.Sleep(time.Hour)
		}
		stream, err := r.js.Stream(t.Context(), proto.Events)
		must(t, err)
		must(t, stream.Purge(t.Context(), jetstream.WithPurgeSequence(8)))
		report := r.run(t, reconcile.Want{Since: begun})
		if report.Injected != 0 || len(report.Problems) != 1 || !strings.Contains(report.Problems[0], "holds nothing from before") {
			t.Errorf("%+v", report)
		}
		must(t, stream.Purge(t.Context()))
		if report := r.run(t, reconcile.Want{Since: begun}); report.Injected != 0 {
			t.Errorf("after all was dropped: %+v", report)
		}
	})
}

// TestAnotherAppsEventsAreItsOwn.
func TestAnotherAppsEventsAreItsOwn(t *testing.T) {
	play(t, roomy, func(t *testing.T, r *rig) {
		begun := time.Now()
		r.happen(t, "meeting.ended")
		time.Sleep(time.Minute)
		other := r.reconciler(t, func(c *reconcile.Config) { c.App = "other" })
		report, err := other.Run(t.Context(), reconcile.Want{Since: begun})
		if must(t, err); report.Held != 0 || report.Injected != 1 {
			t.Errorf("%+v", report)
		}
	})
}

// TestZoomDoesNotAnswer: that is said, and nothing is put in.
func TestZoomDoesNotAnswer(t *testing.T) {
	play(t, roomy, func(t *testing.T, r *rig) {
		for name, c := range map[string]struct {
			change func(*reconcile.Config)
			fault  zoomsim.Fault
			want   string
		}{
			"another app's log": {change: func(c *reconcile.Config) { c.AppID = "nobody" }, want: "is the app_id right"},
			"no app id":         {change: func(c *reconcile.Config) { c.AppID = "" }, want: "nothing was compared"},
			"a page of HTML":    {fault: zoomsim.Fault{Path: "/v2/marketplace/apps/*/webhook_logs", Times: 1, Status: 200, Body: "<html>"}, want: "the log is not what it is documented to be"},
			"broken":            {fault: zoomsim.Fault{Path: "/v2/marketplace/apps/*/webhook_logs", Times: 1, Status: 500}, want: "Zoom's webhook log"},
		} {
			if c.fault.Path != "" {
				r.sim.Inject(c.fault)
			}
			if c.change == nil {
				c.change = func(*reconcile.Config) {}
			}
			report, err := r.reconciler(t, c.change).Run(t.Context(), reconcile.Want{Since: time.Now().Add(-time.Hour)})
			if must(t, err); report.Injected != 0 || len(report.Problems) != 1 || !strings.Contains(report.Problems[0], c.want) {
				t.Errorf("%s: %+v", name, report)
			}
		}
	})
}

// week plays all of TestAWeek: make week.
var week = flag.Bool("week.full", false, "TestAWeek plays ten thousand events over a week, not a thousand over a day")

// TestAWeek: ten thousand events of which many are lost, late, out of order or doubled,
// while ingest and the server are restarted. In the end each is held once.
func TestAWeek(t *testing.T) {
	events, long := 1000, 24*time.Hour
	if testing.Short() {
		t.Skip("other tests of this package race as much in less time")
	}
	if *week {
		events, long = 10_000, 7*24*time.Hour
	}
	play(t, roomy, func(t *testing.T, r *rig) {
		r.sim.SetChaos(zoomsim.Chaos{Seed: 7, Drop: .05, Fail: .02, Duplicate: .15, Reorder: .1, Delay: .2,
			Late: 30 * time.Minute}) // with retries for 85 minutes it stays within the duplicate window
		kinds := []string{"meeting.started", "meeting.ended", "recording.completed", "meeting.participant_joined", "user.updated", "phone.sms_received", "chat_message.sent"}
		sent := map[string]bool{}
		last, injected := time.Now(), 0
		for i := range events {
			e, err := event.Read(r.happen(t, kinds[i%len(kinds)]).Body)
			must(t, err)
			sent[event.ID("main", &e)] = true
			time.Sleep(long / time.Duration(events))
			switch {
			case i%(events/20) == 0: // ingest is away for a while
				r.ingest.Store(nil)
				time.Sleep(time.Duration(i%7) * 20 * time.Minute)
				r.start(t)
			case i%(events/8) == 1:
				r.server.Down()
				time.Sleep(10 * time.Minute)
				r.server.Up(t)
				time.Sleep(5 * time.Second)
				r.start(t)
			}
			if time.Since(last) > 6*time.Hour {
				report := r.run(t, reconcile.Want{Since: last.Add(-3 * time.Hour)})
				last, injected = time.Now(), injected+report.Injected
			}
		}
		time.Sleep(4 * time.Hour) // for the last retries
		report := r.run(t, reconcile.Want{Since: last.Add(-6 * time.Hour)})
		if len(report.Problems) > 0 {
			t.Error(report.Problems)
		}
		all := r.events(t)
		if len(sent) != events || len(all) != events {
			t.Errorf("%d happened, %d are held", len(sent), len(all))
		}
		for id, copies := range all {
			if len(copies) != 1 || !sent[id] {
				t.Errorf("%s is held %d times (sent: %v)", id, len(copies), sent[id])
			}
		}
		if injected+report.Injected < events/30 {
			t.Errorf("only %d were missing", injected)
		}
		t.Logf("%d of %d put in", injected+report.Injected, events)
	})
}

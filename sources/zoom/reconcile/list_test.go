package reconcile_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
	"zflow/proto"
	"zflow/sources/zoom/event"
	"zflow/sources/zoom/reconcile"
)

// schedule makes a meeting by the API.
func (r *rig) schedule(t *testing.T) int64 {
	t.Helper()
	res, err := r.api.Do(t.Context(), zoomapi.Request{Connection: "school", Method: http.MethodPost, Path: "/users/noor.haddad@harbor.example/meetings",
		Body: map[string]any{"topic": "Pottery", "type": 2, "duration": 30, "start_time": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}})
	must(t, err)
	var m struct {
		ID int64 `json:"id"`
	}
	must(t, json.Unmarshal(res.Body, &m))
	return m.ID
}

func (r *rig) about(t *testing.T, meeting int64, kind string) {
	t.Helper()
	_, err := r.sim.Happen(zoomsim.Event{Type: kind, Meeting: meeting})
	must(t, err)
}

// TestListsShowWhatTheLogDoesNot: of what is listed an event is made up, once what
// Zoom may still deliver has come; what a real event told is not made up again.
func TestListsShowWhatTheLogDoesNot(t *testing.T) {
	play(t, roomy, func(t *testing.T, r *rig) {
		begun := time.Now()
		for _, lost := range []bool{false, true} {
			if lost {
				r.sim.SetChaos(zoomsim.Chaos{Drop: 1})
			}
			m := r.schedule(t) // meeting.created
			r.about(t, m, "meeting.started")
			time.Sleep(30 * time.Minute)
			r.about(t, m, "meeting.ended")
			r.about(t, m, "recording.completed")
			time.Sleep(time.Minute)
		}
		lists := r.reconciler(t, func(c *reconcile.Config) { c.AppID = "" })
		want := reconcile.Want{Since: begun, Lists: reconcile.Families()}
		early, err := lists.Run(t.Context(), want)
		if must(t, err); early.Injected > 0 || len(early.Problems) > 0 {
			t.Errorf("too early: %+v", early)
		}
		time.Sleep(3 * time.Hour)
		before := len(r.events(t))
		report, err := lists.Run(t.Context(), want)
		must(t, err)
		t.Logf("%+v", report)
		if len(report.Problems) > 0 || report.Injected != 5 { // and the account's owner, whom no event told of
			t.Errorf("%+v", report)
		}
		for _, kind := range []string{"meeting.created", "meeting.started", "meeting.ended", "recording.completed"} {
			if n := report.Types[kind]; n != (reconcile.Count{Sent: 2, Held: 1}) {
				t.Errorf("%s: %+v", kind, n)
			}
		}
		if again, err := lists.Run(t.Context(), want); err != nil || again.Injected != 0 || again.Held != 9 {
			t.Errorf("again: %+v, %v", again, err)
		}
		r.madeUp(t, before)
	})
}

// madeUp looks at the events that were made up.
func (r *rig) madeUp(t *testing.T, before int) {
	t.Helper()
	n := 0
	for _, copies := range r.events(t) {
		e := copies[0]
		if e.Origin != proto.FromReconcile {
			continue
		}
		n++
		body, err := event.Read(e.Body)
		must(t, err)
		if e.Account != r.app.AccountID || e.Subject == "" || body.At.IsZero() || len(copies) != 1 {
			t.Errorf("%+v %s", e, e.Body)
		}
		if e.Type == "recording.completed" && (strings.Contains(string(e.Body), "download_access_token") || len(body.Texts("object.recording_files[].id")) == 0) {
			t.Errorf("the recording: %s", e.Body)
		}
	}
	if n != 5 || before != 4 {
		t.Errorf("%d made up beside %d", n, before)
	}
}

func TestWrongLists(t *testing.T) {
	play(t, roomy, func(t *testing.T, r *rig) {
		_, err := r.reconciler(t).Run(t.Context(), reconcile.Want{Since: time.Now(), Lists: []string{"mails"}})
		if err == nil || !strings.Contains(err.Error(), `"mails" cannot be listed: there are meetings`) {
			t.Errorf("got %v", err)
		}
		r.sim.Inject(zoomsim.Fault{Path: "/v2/users", Status: 403, Code: 4711, Message: "does not contain scopes:[user:read:list_users:admin]"})
		report, err := r.reconciler(t).Run(t.Context(), reconcile.Want{Since: time.Now().Add(-time.Hour), Lists: []string{"recordings"}})
		if must(t, err); len(report.Problems) != 1 || !strings.Contains(report.Problems[0], "the list of users") || !strings.Contains(report.Problems[0], "scope") {
			t.Errorf("%+v", report)
		}
	})
}

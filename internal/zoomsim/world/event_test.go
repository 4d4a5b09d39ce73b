package world

import (
	"strconv"
	"strings"
	"testing"

	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/rest"
)

func newTestWorld() *World {
	return New(Options{Limits: rest.NewLimits(nil, false), Pages: rest.NewPages()})
}

func makeHappen(t *testing.T, w *World, e Event) (payload, object map[string]any) {
	t.Helper()
	h, err := w.Happen(e, "mine")
	if err != nil {
		t.Fatal(err)
	}
	v, _ := rest.DecodeObject(h.Body)
	payload, _ = v["payload"].(map[string]any)
	object, _ = payload["object"].(map[string]any)
	return payload, object
}

// newMeeting schedules a meeting without a call.
func newMeeting(w *World) *meeting {
	m := w.add(owner, map[string]any{"topic": "Glazing"}, w.last)
	setDefaults(m)
	return m
}

func TestAnEventKeepsTheTypeOfTheMeetingsID(t *testing.T) {
	w := newTestWorld()
	m := newMeeting(w)
	_, ended := makeHappen(t, w, Event{Type: "meeting.ended", Meeting: m.id})
	if id, isText := ended["id"].(string); !isText || id != m.number() {
		t.Errorf("meeting.ended: id %v", ended["id"])
	}
	_, created := makeHappen(t, w, Event{Type: "meeting.created", Meeting: m.id})
	if _, isText := created["id"].(string); isText || rest.Text(created["id"]) != m.number() {
		t.Errorf("meeting.created: id %v", created["id"])
	}
}

func TestASummaryNamesItsMeetingInItsOwnWay(t *testing.T) {
	w := newTestWorld()
	m := newMeeting(w)
	_, o := makeHappen(t, w, Event{Type: "meeting.summary_completed", Meeting: m.id})
	if rest.Text(o["meeting_id"]) != m.number() || o["meeting_uuid"] != m.uuid || o["meeting_topic"] != "Glazing" || o["id"] != nil {
		t.Errorf("%v", o)
	}
}

func TestEventsOfARecordingAreOfTheOccurrenceThatEnded(t *testing.T) {
	w := newTestWorld()
	m := newMeeting(w)
	first := m.uuid
	_, ended := makeHappen(t, w, Event{Type: "meeting.ended", Meeting: m.id})
	_, done := makeHappen(t, w, Event{Type: "recording.completed", Meeting: m.id})
	_, transcript := makeHappen(t, w, Event{Type: "recording.transcript_completed", Meeting: m.id})
	_, started := makeHappen(t, w, Event{Type: "meeting.started", Meeting: m.id})
	if ended["uuid"] != first || done["uuid"] != first || transcript["uuid"] != first || started["uuid"] == first {
		t.Errorf("ended %v, recording %v, transcript %v, next %v", ended["uuid"], done["uuid"], transcript["uuid"], started["uuid"])
	}
	files, _ := done["recording_files"].([]any)
	for _, f := range files {
		file, _ := f.(map[string]any)
		if !strings.Contains(rest.Text(file["download_url"]), "/rec/webhook_download/") || file["meeting_id"] != first {
			t.Errorf("%v", file)
		}
	}
}

func TestEventsAreOfTheAppsAccount(t *testing.T) {
	w := newTestWorld()
	for _, name := range zoomcatalog.Names() {
		payload, object := makeHappen(t, w, Event{Type: name})
		for _, id := range []any{payload["account_id"], payload["accountId"], object["account_id"]} {
			if id != nil && id != "mine" {
				t.Errorf("%s: account %v", name, id)
			}
		}
	}
}

func TestAnOverrideIsNotSharedWithTheCaller(t *testing.T) {
	w := newTestWorld()
	over := map[string]any{"settings": map[string]any{"a": 1}}
	makeHappen(t, w, Event{Type: "meeting.created", Object: over})
	if inner, _ := over["settings"].(map[string]any); len(inner) != 1 {
		t.Errorf("the caller's object became %v", over)
	}
}

func TestVaryLeavesWhatIsNoJSON(t *testing.T) {
	for _, body := range []string{"", "[1]", "not json"} {
		if got := string(Vary([]byte(body))); got != body {
			t.Errorf("%q became %q", body, got)
		}
	}
}

func TestMeetingNumbersHaveElevenDigits(t *testing.T) {
	w := newTestWorld()
	for range 1000 {
		if n := strconv.FormatInt(w.newMeetingID(), 10); len(n) != 11 {
			t.Fatal(n)
		}
	}
}

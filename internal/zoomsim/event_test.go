package zoomsim

import (
	"strconv"
	"strings"
	"testing"

	"zflow/internal/zoomcatalog"
)

func makeHappen(t *testing.T, s *Sim, e Event) (payload, object map[string]any) {
	t.Helper()
	h, err := s.Happen(e)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := decodeObject(h.Body)
	payload, _ = v["payload"].(map[string]any)
	object, _ = payload["object"].(map[string]any)
	return payload, object
}

// newMeeting schedules a meeting without a call.
func newMeeting(s *Sim) *meeting {
	m := s.world.add(owner, map[string]any{"topic": "Glazing"}, s.world.last)
	setDefaults(m)
	return m
}

func TestAnEventKeepsTheTypeOfTheMeetingsID(t *testing.T) {
	s := New(Options{})
	m := newMeeting(s)
	_, ended := makeHappen(t, s, Event{Type: "meeting.ended", Meeting: m.id})
	if id, isText := ended["id"].(string); !isText || id != m.number() {
		t.Errorf("meeting.ended: id %v", ended["id"])
	}
	_, created := makeHappen(t, s, Event{Type: "meeting.created", Meeting: m.id})
	if _, isText := created["id"].(string); isText || text(created["id"]) != m.number() {
		t.Errorf("meeting.created: id %v", created["id"])
	}
}

func TestASummaryNamesItsMeetingInItsOwnWay(t *testing.T) {
	s := New(Options{})
	m := newMeeting(s)
	_, o := makeHappen(t, s, Event{Type: "meeting.summary_completed", Meeting: m.id})
	if text(o["meeting_id"]) != m.number() || o["meeting_uuid"] != m.uuid || o["meeting_topic"] != "Glazing" || o["id"] != nil {
		t.Errorf("%v", o)
	}
}

func TestEventsOfARecordingAreOfTheOccurrenceThatEnded(t *testing.T) {
	s := New(Options{})
	m := newMeeting(s)
	first := m.uuid
	_, ended := makeHappen(t, s, Event{Type: "meeting.ended", Meeting: m.id})
	_, done := makeHappen(t, s, Event{Type: "recording.completed", Meeting: m.id})
	_, transcript := makeHappen(t, s, Event{Type: "recording.transcript_completed", Meeting: m.id})
	_, started := makeHappen(t, s, Event{Type: "meeting.started", Meeting: m.id})
	if ended["uuid"] != first || done["uuid"] != first || transcript["uuid"] != first || started["uuid"] == first {
		t.Errorf("ended %v, recording %v, transcript %v, next %v", ended["uuid"], done["uuid"], transcript["uuid"], started["uuid"])
	}
	files, _ := done["recording_files"].([]any)
	for _, f := range files {
		file, _ := f.(map[string]any)
		if !strings.Contains(text(file["download_url"]), "/rec/webhook_download/") || file["meeting_id"] != first {
			t.Errorf("%v", file)
		}
	}
}

func TestEventsAreOfTheAppsAccount(t *testing.T) {
	s := New(Options{Apps: []App{{AccountID: "mine"}}})
	for _, name := range zoomcatalog.Names() {
		payload, object := makeHappen(t, s, Event{Type: name})
		for _, id := range []any{payload["account_id"], payload["accountId"], object["account_id"]} {
			if id != nil && id != "mine" {
				t.Errorf("%s: account %v", name, id)
			}
		}
	}
}

func TestAnOverrideIsNotSharedWithTheCaller(t *testing.T) {
	s := New(Options{})
	over := map[string]any{"settings": map[string]any{"a": 1}}
	makeHappen(t, s, Event{Type: "meeting.created", Object: over})
	if inner, _ := over["settings"].(map[string]any); len(inner) != 1 {
		t.Errorf("the caller's object became %v", over)
	}
}

func TestVaryLeavesWhatIsNoJSON(t *testing.T) {
	for _, body := range []string{"", "[1]", "not json"} {
		if got := string(vary([]byte(body))); got != body {
			t.Errorf("%q became %q", body, got)
		}
	}
}

func TestMeetingNumbersHaveElevenDigits(t *testing.T) {
	w := newWorld()
	for range 1000 {
		if n := strconv.FormatInt(w.newMeetingID(), 10); len(n) != 11 {
			t.Fatal(n)
		}
	}
}

func FuzzDecodeID(f *testing.F) {
	for _, seed := range []string{"", "abc==", "%2Fabc", "%252Fabc%252F%252F", "%", "%zz", "a%25b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, param string) {
		id, ok := decodeID(param)
		if ok && strings.HasPrefix(id, "/") && !strings.Contains(param, "%25") {
			t.Errorf("%q gives %q though it was not encoded twice", param, id)
		}
	})
}

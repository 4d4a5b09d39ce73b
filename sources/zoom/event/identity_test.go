package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"zflow/internal/zoomcatalog"
)

func idOf(t testing.TB, body []byte) string {
	t.Helper()
	e, err := Read(body)
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return ID("app", &e)
}

// altered returns the body with one value changed, re-serialised.
func altered(t testing.TB, body []byte, change func(tree map[string]any)) []byte {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var tree map[string]any
	if err := d.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	change(tree)
	out, err := json.MarshalIndent(tree, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// walk calls visit for every scalar below a value; what visit returns takes its place.
func walk(value any, name string, visit func(name string, value any) any) any {
	switch v := value.(type) {
	case map[string]any:
		for n := range v {
			v[n] = walk(v[n], n, visit)
		}
		return v
	case []any:
		for i := range v {
			v[i] = walk(v[i], name, visit)
		}
		return v
	}
	return visit(name, value)
}

// TestTwoEventsOfOneType changes one thing that makes another event of it.
func TestTwoEventsOfOneType(t *testing.T) {
	for _, name := range zoomcatalog.Names() {
		if name == "endpoint.url_validation" {
			continue
		}
		body := zoomcatalog.Sample(name)
		want := idOf(t, body)
		for what, change := range map[string]func(map[string]any){
			"time":    func(tree map[string]any) { tree["event_ts"] = 1790000009999 },
			"account": func(tree map[string]any) { tree["payload"].(map[string]any)["account_id"] = "another" },
			"type":    func(tree map[string]any) { tree["event"] = "x" + tree["event"].(string) },
		} {
			if got := idOf(t, altered(t, body, change)); got == want {
				t.Errorf("%s: another %s has the same id", name, what)
			}
		}
		e, _ := Read(body)
		if ID("other", &e) == want {
			t.Errorf("%s: for another app it has the same id", name)
		}
	}
}

// TestWhatTellsEventsApart: events of one instant that differ in this one place.
func TestWhatTellsEventsApart(t *testing.T) {
	for _, c := range []struct{ kind, a, b string }{
		{"meeting.ended", `{"uuid":"1","id":5}`, `{"uuid":"2","id":5}`},
		{"meeting.ended", `{"id":5}`, `{"id":6}`},
		{"meeting.deleted", `{"id":5,"occurrences":[{"occurrence_id":"1"}]}`, `{"id":5,"occurrences":[{"occurrence_id":"2"}]}`},
		{"meeting.updated", `{"id":5,"topic":"a"}`, `{"id":5,"topic":"b"}`},
		{"meeting.alert", `{"id":5,"issues":["x"]}`, `{"id":5,"issues":["y"]}`},
		{"meeting.participant_joined", `{"uuid":"1","participant":{"user_id":"7"}}`, `{"uuid":"1","participant":{"user_id":"8"}}`},
		{"meeting.participant_joined", `{"uuid":"1","participant":{"user_id":"7","join_time":"a"}}`, `{"uuid":"1","participant":{"user_id":"7","join_time":"b"}}`},
		{"meeting.participant_joined", `{"uuid":"1","participant":{"user_name":"a"}}`, `{"uuid":"1","participant":{"user_name":"b"}}`},
		{"meeting.participant_joined_breakout_room", `{"uuid":"1","breakout_room_uuid":"r","participant":{"user_id":"7"}}`, `{"uuid":"1","breakout_room_uuid":"s","participant":{"user_id":"7"}}`},
		{"meeting.participant_role_changed", `{"uuid":"1","participant":{"user_id":"7","new_role":"host"}}`, `{"uuid":"1","participant":{"user_id":"7","new_role":"attendee"}}`},
		{"webinar.participant_left", `{"uuid":"1","participant":{"participant_uuid":"7"}}`, `{"uuid":"1","participant":{"participant_uuid":"8"}}`},
		{"session.user_joined", `{"id":"1","user":{"id":"7"}}`, `{"id":"1","user":{"id":"8"}}`},
		{"meeting.registration_created", `{"id":5,"registrant":{"id":"r1"}}`, `{"id":5,"registrant":{"id":"r2"}}`},
		{"meeting.registration_created", `{"id":5,"registrant":{"email":"a@x"}}`, `{"id":5,"registrant":{"email":"b@x"}}`},
		{"meeting.chat_message_sent", `{"id":5,"chat_message":{"message_id":"1"}}`, `{"id":5,"chat_message":{"message_id":"2"}}`},
		{"recording.completed", `{"uuid":"1","recording_files":[{"id":"f1"}]}`, `{"uuid":"1","recording_files":[{"id":"f1"},{"id":"f2"}]}`},
		{"recording.completed", `{"uuid":"1","recording_files":[]}`, `{"uuid":"1","recording_files":[],"total_size":1}`},
		{"recording.started", `{"uuid":"1","recording_file":{"recording_start":"a"}}`, `{"uuid":"1","recording_file":{"recording_start":"b"}}`},
		{"user.created", `{"id":"a"}`, `{"id":"b"}`},
		{"user.presence_status_updated", `{"id":"a","presence_status":"Away"}`, `{"id":"a","presence_status":"Available"}`},
		{"phone.callee_ringing", `{"call_id":"1","callee":{"extension_number":1}}`, `{"call_id":"1","callee":{"extension_number":2}}`},
		{"phone.sms_received", `{"message_id":"1","owner":{"id":"a"}}`, `{"message_id":"1","owner":{"id":"b"}}`},
		{"zoomroom.alert", `{"id":"r","issue":"a"}`, `{"id":"r","issue":"b"}`},
		{"revenue_accelerator.conversation_crm_associations_changed", `[{"id":"1"}]`, `[{"id":"2"}]`},
		{"never.heard_of", `{"x":1}`, `{"x":2}`},
	} {
		id := func(object string) string {
			return idOf(t, fmt.Appendf(nil, `{"event":%q,"event_ts":1790000000000,"payload":{"account_id":"A","object":%s}}`, c.kind, object))
		}
		if id(c.a) == id(c.b) {
			t.Errorf("%s: %s and %s have one id", c.kind, c.a, c.b)
		}
	}
}

func TestWhatDoesNotTellThemApart(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		// The issue's own example of a duplicate: other order, other addresses.
		{`{"event":"recording.completed","event_ts":1790000000000,"download_token":"a","payload":{"account_id":"A","object":{"uuid":"1","recording_files":[{"id":"f1","play_url":"p"},{"id":"f2"}]}}}`,
			`{"payload":{"object":{"recording_files":[{"id":"f2","download_url":"q"},{"id":"f1"}],"uuid":"1","password":"x"},"account_id":"A"},"event_ts":"1790000000000","event":"recording.completed"}`},
		{`{"event":"never.heard_of","event_ts":1,"payload":{"a":1,"files":[{"file_download_url":"x"}]}}`,
			`{"event_ts":"1","payload":{"files":[{"file_download_url":"y","play_url":"z"}],"a":"1"},"event":"never.heard_of"}`},
		{`{"event":"app_deauthorized","payload":{"account_id":"A","user_id":"u"}}`, ` {"event":"app_deauthorized ","payload":{"user_id":"u","account_id":"A"}}`},
	} {
		if idOf(t, []byte(c.a)) != idOf(t, []byte(c.b)) {
			t.Errorf("two ids for\n%s\n%s", c.a, c.b)
		}
	}
}

// TestIDsStay pins ids: an id that changes between releases starts runs again.
func TestIDsStay(t *testing.T) {
	for body, want := range map[string]string{
		`{"event":"meeting.ended","event_ts":1790000000000,"payload":{"account_id":"A","object":{"uuid":"1==","id":5}}}`: "tmajxywrnt35e27gedm77s0tef",
		`{"event":"never.heard_of","payload":{"x":[1,"a",null]}}`:                                                        "f0c79ebtp7pp5sd0yspthf17tr",
	} {
		if got := idOf(t, []byte(body)); got != want {
			t.Errorf("%s\nhas the id %s, not %s", body, got, want)
		}
	}
}

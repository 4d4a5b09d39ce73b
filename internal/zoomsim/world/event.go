package world

import (
	"fmt"
	"strings"
	"time"

	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/rest"
)

// Event is something to happen in the simulated account.
type Event struct {
	Type    string         `json:"type"`
	Meeting int64          `json:"meeting,omitempty"`    // which it is about; 0: none of the account's
	Payload map[string]any `json:"payload,omitempty"`    // laid over the payload
	Object  map[string]any `json:"object,omitempty"`     // laid over payload.object
	Copies  int            `json:"copies,omitempty"`     // deliveries at once that differ in URLs and tokens; 0: one
	App     string         `json:"app,omitempty"`        // a client id: in whose account; empty: the first app's
	Account string         `json:"account_id,omitempty"` // empty: the app's own
}

// Happen makes an event happen in an account: the meeting that it is about
// changes. meeting.started, meeting.ended and recording.completed change what the
// REST API answers.
func (w *World) Happen(e Event, account string) (rest.Happened, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Meeting != 0 && w.meetings[e.Meeting] == nil {
		return rest.Happened{}, fmt.Errorf("making %s happen: meeting %d does not exist", e.Type, e.Meeting)
	}
	return w.compose(e, account), nil
}

// compose makes the event's body from the sample, the meeting and what was asked
// for. No two have the same time: it is part of what tells events apart.
func (w *World) compose(e Event, account string) rest.Happened {
	at := time.Now().Truncate(time.Millisecond)
	if !at.After(w.last) {
		at = w.last.Add(time.Millisecond)
	}
	w.last = at
	body, _ := rest.DecodeObject(zoomcatalog.Fresh(e.Type, at, 0)) // always an object
	payload, _ := body["payload"].(map[string]any)
	for _, key := range [...]string{"account_id", "accountId"} {
		if payload[key] != nil {
			payload[key] = account
		}
	}
	if object, ok := payload["object"].(map[string]any); ok {
		if m := w.meetings[e.Meeting]; m != nil {
			w.layMeeting(object, m, e.Type, time.Now())
		}
		if object["account_id"] != nil {
			object["account_id"] = account
		}
		rest.Overlay(object, rest.Clone(e.Object))
		w.follow(e.Type, object, time.Now())
	}
	rest.Overlay(payload, rest.Clone(e.Payload))
	return rest.Happened{Type: e.Type, Account: account, Body: rest.Encode(body)}
}

// layMeeting lets the meeting go through the event and puts it into the object.
func (w *World) layMeeting(object map[string]any, m *meeting, kind string, now time.Time) {
	fields := m.subject()
	switch {
	case kind == "meeting.started", kind == "webinar.started":
		m.started = now
		fields["start_time"] = now.UTC().Format(time.RFC3339)
	case kind == "meeting.ended", kind == "webinar.ended":
		o := w.end(m, now, w.o.ReportDelay)
		fields["uuid"] = o.uuid
		fields["start_time"] = o.started.UTC().Format(time.RFC3339)
		fields["end_time"] = now.UTC().Format(time.RFC3339)
	case strings.HasPrefix(kind, "recording.") && len(m.past) > 0:
		o := m.past[len(m.past)-1]
		if kind == "recording.completed" {
			o.recordedAt, o.trashed = now.Add(w.o.RecordingDelay), false
			fields = webhookRecording(m, o)
		}
		o.trashed = kind == "recording.trashed" || kind == "recording.deleted" || o.trashed && kind != "recording.recovered"
		fields["uuid"] = o.uuid
	}
	if _, isText := object["id"].(string); isText {
		fields["id"] = m.number()
	}
	if object["meeting_id"] != nil { // meeting.summary_* name it so
		fields = map[string]any{"meeting_id": m.id, "meeting_uuid": fields["uuid"], "meeting_topic": m.fields["topic"]}
	}
	rest.Overlay(object, rest.Clone(fields))
}

// webhookRecording is a recording as recording.completed shows it: its files
// have URLs that go with the event's own token.
func webhookRecording(m *meeting, o *occurrence) map[string]any {
	v := recordingView(m, o)
	files, _ := v["recording_files"].([]any)
	for _, f := range files {
		if file, ok := f.(map[string]any); ok {
			file["download_url"] = strings.Replace(rest.Text(file["download_url"]), "/rec/download/", "/rec/webhook_download/", 1)
		}
	}
	return v
}

// Vary returns a second delivery of an event as Zoom makes them: other download
// URLs and another token, else the same.
func Vary(body []byte) []byte {
	v, ok := rest.DecodeObject(body)
	if !ok {
		return body
	}
	varyURLs(v, "copy="+rest.Random(6))
	return rest.Encode(v)
}

func varyURLs(v any, mark string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			varyURLs(item, mark)
		}
	case map[string]any:
		for key, value := range v {
			switch key {
			case "download_token":
				v[key] = rest.Text(value) + "." + mark
			case "download_url", "play_url":
				v[key] = rest.Text(value) + "?" + mark
			default:
				varyURLs(value, mark)
			}
		}
	}
}

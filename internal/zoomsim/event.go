package zoomsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"zflow/internal/zoomcatalog"
)

// Event is something to happen in the simulated account.
type Event struct {
	Type    string         `json:"type"`
	Meeting int64          `json:"meeting,omitempty"` // which it is about; 0: none of the account's
	Payload map[string]any `json:"payload,omitempty"` // laid over the payload
	Object  map[string]any `json:"object,omitempty"`  // laid over payload.object
	Copies  int            `json:"copies,omitempty"`  // deliveries at once that differ in URLs and tokens; 0: one
	App     string         `json:"app,omitempty"`     // a client id: in whose account; empty: the first app's
}

// Happened is an event that happened, as webhooks carry it.
type Happened struct {
	Type    string
	Account string
	Body    []byte
}

// Happen makes an event happen: the meeting that it is about changes, and the
// subscribed URLs get it. meeting.started, meeting.ended and recording.completed
// change what the REST API answers.
func (s *Sim) Happen(e Event) (Happened, error) {
	a, found := s.oauth.App(e.App)
	if !found {
		return Happened{}, fmt.Errorf("making %s happen: %w", e.Type, noApp(e.App))
	}
	s.mu.Lock()
	if e.Meeting != 0 && s.world.meetings[e.Meeting] == nil {
		s.mu.Unlock()
		return Happened{}, fmt.Errorf("making %s happen: meeting %d does not exist", e.Type, e.Meeting)
	}
	h := s.compose(e, a.AccountID)
	s.mu.Unlock()
	s.deliver(h, max(e.Copies, 1))
	return h, nil
}

// compose makes the event's body from the sample, the meeting and what was asked
// for. No two have the same time: it is part of what tells events apart.
func (s *Sim) compose(e Event, account string) Happened {
	at := time.Now().Truncate(time.Millisecond)
	if !at.After(s.world.last) {
		at = s.world.last.Add(time.Millisecond)
	}
	s.world.last = at
	body, _ := decodeObject(zoomcatalog.Fresh(e.Type, at, 0)) // always an object
	payload, _ := body["payload"].(map[string]any)
	for _, key := range [...]string{"account_id", "accountId"} {
		if payload[key] != nil {
			payload[key] = account
		}
	}
	if object, ok := payload["object"].(map[string]any); ok {
		if m := s.world.meetings[e.Meeting]; m != nil {
			s.layMeeting(object, m, e.Type, time.Now())
		}
		if object["account_id"] != nil {
			object["account_id"] = account
		}
		overlay(object, clone(e.Object))
	}
	overlay(payload, clone(e.Payload))
	return Happened{Type: e.Type, Account: account, Body: encode(body)}
}

// layMeeting lets the meeting go through the event and puts it into the object.
func (s *Sim) layMeeting(object map[string]any, m *meeting, kind string, now time.Time) {
	fields := m.subject()
	switch {
	case kind == "meeting.started":
		m.started = now
		fields["start_time"] = now.UTC().Format(time.RFC3339)
	case kind == "meeting.ended":
		o := s.world.end(m, now, s.o.ReportDelay)
		fields["uuid"] = o.uuid
		fields["start_time"] = o.started.UTC().Format(time.RFC3339)
		fields["end_time"] = now.UTC().Format(time.RFC3339)
	case strings.HasPrefix(kind, "recording.") && len(m.past) > 0:
		o := m.past[len(m.past)-1]
		if kind == "recording.completed" {
			o.recordedAt = now.Add(s.o.RecordingDelay)
			fields = webhookRecording(m, o)
		}
		fields["uuid"] = o.uuid
	}
	if _, isText := object["id"].(string); isText {
		fields["id"] = m.number()
	}
	if object["meeting_id"] != nil { // meeting.summary_* name it so
		fields = map[string]any{"meeting_id": m.id, "meeting_uuid": fields["uuid"], "meeting_topic": m.fields["topic"]}
	}
	overlay(object, clone(fields))
}

// webhookRecording is a recording as recording.completed shows it: its files
// have URLs that go with the event's own token.
func webhookRecording(m *meeting, o *occurrence) map[string]any {
	v := recordingView(m, o)
	files, _ := v["recording_files"].([]any)
	for _, f := range files {
		if file, ok := f.(map[string]any); ok {
			file["download_url"] = strings.Replace(text(file["download_url"]), "/rec/download/", "/rec/webhook_download/", 1)
		}
	}
	return v
}

// vary returns a second delivery of an event as Zoom makes them: other download
// URLs and another token, else the same.
func vary(body []byte) []byte {
	v, ok := decodeObject(body)
	if !ok {
		return body
	}
	varyURLs(v, "copy="+randomText(6))
	return encode(v)
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
				v[key] = text(value) + "." + mark
			case "download_url", "play_url":
				v[key] = text(value) + "?" + mark
			default:
				varyURLs(value, mark)
			}
		}
	}
}

// clone copies an object through its text, so that nothing is shared.
func clone(v map[string]any) map[string]any {
	copied, ok := decodeObject(encode(v))
	if !ok {
		return map[string]any{}
	}
	return copied
}

// encode writes JSON as Zoom does, with <, > and & as they are. Everything that
// comes here was made of JSON values.
func encode(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(strconv.Quote(err.Error()))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
}

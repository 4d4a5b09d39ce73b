package zoomcatalog

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestEventFields(t *testing.T) {
	for path, want := range map[string]string{
		"meeting.ended event":                                                             "string",
		"meeting.ended event_ts":                                                          "integer",
		"meeting.ended payload":                                                           "object",
		"meeting.ended payload.object.uuid":                                               "string",
		"meeting.ended payload.object.duration":                                           "integer",
		"meeting.ended payload.object.participant":                                        "",
		"meeting.ended payload.object.uuid[]":                                             "",
		"meeting.participant_joined payload.object.participant.user_name":                 "string",
		"meeting.updated payload.old_object.settings.host_video":                          "boolean",
		"recording.completed download_token":                                              "string",
		"recording.completed payload.object.recording_files":                              "array",
		"recording.completed payload.object.recording_files[].download_url":               "string",
		"recording.completed payload.object.recording_files[].file_size":                  "integer",
		"account.updated payload.object.managed_domains[]":                                "string",
		"account.updated payload.old_object":                                              "object",
		"account.updated payload.old_object.account_name":                                 "",
		"user.created payload.object.email":                                               "string",
		"phone.recording_completed payload.object.recordings[].call_id":                   "string",
		"app_deauthorized payload.user_id":                                                "string",
		"bot_notification payload.cmd":                                                    "string",
		"team_chat.channel_message_posted payload.object.channel_id":                      "string",
		"webinar.registration_created payload.object.registrant.custom_questions[].title": "string",
		"meeting.participant_jbh_joined payload.object.participant":                       "object",
		"meeting.summary_completed payload.object.summary_details[].label":                "string",
		"recording.transcript_completed payload.object.recording_files[].recording_type":  "string",
		"contact_center.engagement_ended payload.object.engagement_id":                    "string",
	} {
		event, path, _ := strings.Cut(path, " ")
		body, ok := EventFields(event)
		if !ok || body.Type != "object" || body.Name != "" {
			t.Errorf("%s: %+v, %v", event, body, ok)
			continue
		}
		if f, ok := body.Find(path); f.Type != want || ok != (want != "") {
			t.Errorf("%s: %s is %q, %v", event, path, f.Type, ok)
		}
	}
}

func TestUnknownEventsHaveNoFields(t *testing.T) {
	for _, name := range []string{"", "#", "a", "meeting", "meeting.end", "meeting.endedx", "zzz.zzz", "contact_center.consumer_messaging_opt_in", "# The documented fields"} {
		if f, ok := EventFields(name); ok {
			t.Errorf("%q has %+v", name, f)
		}
	}
}

// lines returns the table without its comment.
func lines() []string {
	return slices.DeleteFunc(strings.Split(strings.TrimSuffix(eventFields, "\n"), "\n"), func(s string) bool {
		return strings.HasPrefix(s, "#")
	})
}

// Every line is found, is of an event, and says nothing that is not read.
func TestEveryLineIsReadWhole(t *testing.T) {
	table, before, fields := lines(), "", 0
	for _, line := range table {
		name, text, _ := strings.Cut(line, "\t")
		if name <= before || !Known(name) {
			t.Errorf("%s is no event, or in the wrong place", name)
		}
		before = name
		body, ok := EventFields(name)
		if got := write(body); !ok || got != text {
			t.Errorf("%s is read as %s, %v", line, got, ok)
		}
		fields += strings.Count(text, ",") + 1
		if f, ok := body.Find("event"); !ok || f.Type != "string" {
			t.Errorf("%s has no event", name)
		}
	}
	if len(table) != 582 || fields < 13_000 || len(eventFields) > 310_000 {
		t.Errorf("%d events with about %d fields in %d bytes", len(table), fields, len(eventFields))
	}
}

// write is the notation of a value: what fieldReader reads.
func write(f Field) string {
	text := ""
	switch {
	case f.Type == "object":
		var fields []string
		for _, c := range f.Fields {
			fields = append(fields, c.Name+write(c))
		}
		text = "{" + strings.Join(fields, ",") + "}"
	case f.Type == "array":
		text = "[" + write(*f.Items) + "]"
	case f.Format == "date-time":
		text = ":t"
	case f.Format == "email":
		text = ":m"
	case f.Format == "date":
		text = ":d"
	case f.Type == "any":
		text = ":any"
	case f.Type != "string":
		text = ":" + f.Type[:1]
	}
	if f.Required {
		text = "!" + text
	}
	if f.enum != "" {
		text += "=" + f.enum
	}
	return text
}

// What the samples hold is documented: a slip in the table would show here.
func TestSamplesHaveDocumentedFieldsOnly(t *testing.T) {
	entries, err := samples.ReadDir("samples")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".json")
		body, ok := EventFields(name)
		if !ok {
			continue
		}
		checked++
		var v any
		if err := json.Unmarshal(Sample(name), &v); err != nil {
			t.Fatal(err)
		}
		for _, path := range undocumented(v, body, "") {
			t.Errorf("%s: %s is not documented so", name, path)
		}
	}
	if checked < 25 {
		t.Errorf("only %d samples have documented fields", checked)
	}
}

func undocumented(v any, f Field, path string) (bad []string) {
	switch v := v.(type) {
	case map[string]any:
		if f.Type != "object" && f.Type != "any" {
			return []string{path}
		}
		for name, inner := range v {
			known, ok := f.Find(name)
			if !ok && len(f.Fields) > 0 {
				bad = append(bad, path+"."+name)
			} else if ok {
				bad = append(bad, undocumented(inner, known, path+"."+name)...)
			}
		}
	case []any:
		if f.Items == nil {
			return []string{path}
		}
		for _, inner := range v {
			bad = append(bad, undocumented(inner, *f.Items, path+"[]")...)
		}
	}
	return bad
}

func TestLookingUpFieldsIsCheap(t *testing.T) {
	if n := testing.AllocsPerRun(10, func() { EventFields("meeting.endet") }); n > 0 {
		t.Errorf("an unknown event costs %v allocations", n)
	}
	if n := testing.AllocsPerRun(10, func() { EventFields("meeting.ended") }); n > 3 { // one an object
		t.Errorf("a small event costs %v allocations", n)
	}
}

func FuzzEventFields(f *testing.F) {
	f.Add("{a!,b:i=1|2,c!{d},e[{f:t}],g[:n],h=x%2Cy}", "e[].f")
	f.Add("{{,", "[]")
	f.Add("[[[", "a")
	f.Fuzz(func(_ *testing.T, text, path string) {
		if len(text) > 4_000 {
			return // depth is the table's own
		}
		r := fieldReader{rest: text}
		r.value("").Find(path)
		EventFields(text)
	})
}

func BenchmarkEventFields(b *testing.B) {
	for _, name := range []string{"meeting.ended", "recording.completed", "meeting.updated"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				EventFields(name)
			}
		})
	}
}

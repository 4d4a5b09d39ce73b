package zoomcatalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// fieldsOf returns the documented fields of an event, or of the one it is like.
func fieldsOf(e Event) (Field, bool) {
	if like := e.About().Like; like != "" {
		return EventFields(like)
	}
	return EventFields(e.Name)
}

// handMade are the names of the samples that are files.
func handMade(t *testing.T) []string {
	entries, err := samples.ReadDir("samples")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// Every event has a payload that says what its documents say, and nothing else.
func TestEverySampleConformsToItsDocumentedFields(t *testing.T) {
	byHand := handMade(t)
	for _, e := range Events() {
		fields, ok := fieldsOf(e)
		if !ok {
			if !slices.Contains(byHand, e.Name) {
				t.Errorf("%s has neither fields nor a sample", e.Name)
			}
			continue
		}
		for _, fault := range faults(decode(t, Sample(e.Name)), fields, "", slices.Contains(byHand, e.Name)) {
			if !excused(e, fault) {
				t.Errorf("%s: %s", e.Name, fault)
			}
		}
	}
}

// excused are the faults that the table or a sample is right about, not the
// documents: the shape was measured on payloads.
func excused(e Event, fault string) bool {
	switch fault {
	case ".event_ts is missing":
		return e.is(noTS)
	case ".payload.account_id is missing":
		return e.is(noAccount)
	case ".event_ts is no integer":
		return e.is(tsText)
	case ".event_ts is no string", ".event_ts is no string date-time":
		return true // milliseconds, whatever the documents say
	case ".event_ts is not documented":
		return true
	case ".payload.account_id is not documented":
		return !e.is(noAccount)
	}
	return false
}

func faults(v any, f Field, path string, lenient bool) []string {
	switch v := v.(type) {
	case map[string]any:
		return faultsOfObject(v, f, path, lenient)
	case []any:
		if f.Items == nil {
			return []string{path + " is no list"}
		}
		var all []string
		for _, inner := range v {
			all = append(all, faults(inner, *f.Items, path+"[]", lenient)...)
		}
		return all
	}
	if f.Type == "any" || lenient && (strings.HasSuffix(path, "id") || strings.HasSuffix(path, "event_ts")) {
		return nil // ids are written either way
	}
	if !isOf(v, f) {
		return []string{path + " is no " + strings.TrimSpace(f.Type+" "+f.Format)}
	}
	if allowed := f.Enum(); len(allowed) > 0 && !lenient && !slices.Contains(allowed, fmt.Sprint(v)) {
		return []string{fmt.Sprintf("%s is %v, none of %v", path, v, allowed)}
	}
	return nil
}

func faultsOfObject(v map[string]any, f Field, path string, lenient bool) (all []string) {
	if f.Type != "object" {
		return []string{path + " is no object"}
	}
	for name, inner := range v {
		if known, ok := f.Find(name); ok {
			all = append(all, faults(inner, known, path+"."+name, lenient)...)
		} else if len(f.Fields) > 0 {
			all = append(all, path+"."+name+" is not documented")
		}
	}
	for _, known := range f.Fields {
		if _, there := v[known.Name]; !there && known.Required && known.Type != "any" && !lenient {
			all = append(all, path+"."+known.Name+" is missing")
		}
	}
	return all
}

func isOf(v any, f Field) bool {
	switch v := v.(type) {
	case bool:
		return f.Type == "boolean"
	case json.Number:
		_, err := v.Int64()
		return f.Type == "number" || f.Type == "integer" && err == nil
	case string:
		return f.Type == "string" && fitsFormat(v, f.Format)
	}
	return false
}

func fitsFormat(text, format string) bool {
	switch format {
	case "date-time":
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	case "date":
		_, err := time.Parse(time.DateOnly, text)
		return err == nil
	case "email":
		return strings.Count(text, "@") == 1 && !strings.ContainsAny(text, " ,")
	}
	return true
}

// The hand-made samples are trusted, and still have what is said to be always there.
func TestHandMadeSamplesHaveTheRequiredFields(t *testing.T) {
	missing := 0
	for _, name := range handMade(t) {
		e, known := Lookup(name)
		fields, documented := EventFields(name)
		if !known || !documented {
			t.Errorf("%s: known %v, documented %v", name, known, documented)
			continue
		}
		for _, fault := range faults(decode(t, Sample(name)), fields, "", false) {
			if strings.HasSuffix(fault, "is missing") && !excused(e, fault) {
				missing++
				t.Logf("%s: %s", name, fault)
			}
		}
	}
	if missing > 0 {
		t.Errorf("%d required fields are missing", missing)
	}
}

// A made-up event is plausible in the particulars that workflows are written about.
func TestMadeUpValues(t *testing.T) {
	for path, want := range map[string]string{
		"meeting.sharing_started payload.object.uuid":                                          SampleUUID,
		"meeting.sharing_started payload.object.id":                                            sampleMeeting,
		"meeting.sharing_started payload.object.host_id":                                       SampleHost,
		"meeting.sharing_started payload.object.start_time":                                    sampleBegin,
		"webinar.alert payload.object.id":                                                      sampleMeeting,
		"phone.callee_ringing payload.object.call_id":                                          sampleCall,
		"zoomroom.checked_in payload.object.email":                                             guestMail,
		"contact_center.task_created payload.object.task_id":                                   "sample-task",
		"user.settings_updated payload.object.id":                                              "sample-object",
		"workspace.deleted event_ts":                                                           fmt.Sprint(sampleMoment),
		"contact_center.engagement_conference_participant_joined event":                        "contact_center.engagement_conference_participant_joined",
		"contact_center.engagement_conference_participant_joined payload.object.engagement_id": "sample-engagement",
	} {
		event, path, _ := strings.Cut(path, " ")
		if got := fmt.Sprint(at(decode(t, Sample(event)), path)); got != want {
			t.Errorf("%s: %s is %s, want %s", event, path, got, want)
		}
	}
}

func TestSamplesAreOfASaneSize(t *testing.T) {
	for _, name := range Names() {
		if n := len(Sample(name)); n < 60 || n > 40_000 {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

package zoomcatalog

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestAbout(t *testing.T) {
	e, _ := Lookup("account.created")
	a := e.About()
	if a.Description != "A sub-account was created" || a.Basis != Stated || a.Deprecated || a.Like != "" ||
		!slices.Equal(a.Classic, []string{"account:master"}) ||
		!slices.Equal(a.Granular, []string{"account:read:sub_account:master", "account:read:sub_account:admin"}) {
		t.Errorf("%+v", a)
	}
	if all := a.Scopes(); len(all) != 3 || all[2] != "account:master" {
		t.Errorf("all its scopes are %v", all)
	}
	e, _ = Lookup("recording.completed")
	if a := e.About(); a.Basis != Assumed || !slices.Contains(a.Granular, "cloud_recording:read:recording:admin") {
		t.Errorf("%+v", a)
	}
	if a := (Event{Name: "never.heard_of"}).About(); a.Basis != Unknown || a.Description != "" || len(a.Scopes()) > 0 {
		t.Errorf("of an unknown event: %+v", a)
	}
}

// Every line of the table is complete, and its descriptions read as sentences about
// this event and no other.
func TestEveryEventIsDescribed(t *testing.T) {
	seen := map[string]string{}
	for _, e := range Events() {
		a := e.About()
		d := a.Description
		if len(d) < 12 || len(d) > 100 || strings.ToUpper(d[:1]) != d[:1] || strings.HasSuffix(d, ".") || strings.Contains(d, "_") {
			t.Errorf("%s: %q", e.Name, d)
		}
		if other, twice := seen[d]; twice {
			t.Errorf("%s and %s have one description: %q", other, e.Name, d)
		}
		seen[d] = e.Name
		if _, known := Lookup(a.Like); a.Like != "" && !known {
			t.Errorf("%s is like %s", e.Name, a.Like)
		}
		for _, s := range a.Scopes() {
			if strings.ContainsAny(s, " \t") || !strings.Contains(s, ":") {
				t.Errorf("%s: scope %q", e.Name, s)
			}
		}
	}
}

func TestLevels(t *testing.T) {
	scopes := []string{"meeting:read", "meeting:read:admin", "meeting:master", "meeting:read:meeting", "odd"}
	for level, want := range map[Level]string{UserLevel: "meeting:read meeting:read:meeting odd", AccountLevel: "meeting:read:admin", MasterLevel: "meeting:master"} {
		if got := strings.Join(AtLevel(level, scopes), " "); got != want {
			t.Errorf("%s: %q, want %q", level, got, want)
		}
	}
}

func TestIrregularities(t *testing.T) {
	for name, want := range map[string]string{
		"meeting.ended":            "payload.object",
		"app_deauthorized":         "payload event_ts is missing, payload.object is missing",
		"workspace.deleted":        "payload.object event_ts is a string",
		"recording.completed":      "payload.object payload.object.id is a number, download_token stands at the top level",
		"rtms.concurrency_limited": "payload payload.account_id is missing, payload.object is missing",
		"revenue_accelerator.conversation_crm_associations_changed": "payload.object[] payload.object is a list",
	} {
		e, _ := Lookup(name)
		if got := strings.TrimSpace(e.ObjectPath() + " " + strings.Join(e.Irregularities(), ", ")); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A key's paths are documented for every event that has it: a slip in one would make
// two events of one, or fall back to the whole.
func TestKeysNameDocumentedFields(t *testing.T) {
	used := map[string]bool{"whole": true}
	for _, e := range Events() {
		k := e.Key()
		used[k.Name] = true
		fields, ok := fieldsOf(e)
		if k.Whole() || !ok {
			continue
		}
		for what, group := range map[string][]string{"about": k.Object, "part": k.Part} {
			if len(group) > 0 && !slices.ContainsFunc(group, func(path string) bool { _, there := fields.Find("payload." + path); return there }) {
				t.Errorf("%s: of its key %s no field of %v (%s) is documented", e.Name, k.Name, group, what)
			}
		}
	}
	for _, k := range keys {
		if !used[k.Name] {
			t.Errorf("no event has the key %s", k.Name)
		}
		for _, path := range k.Paths() {
			last := path[strings.LastIndexByte(path, '.')+1:]
			if Volatile(strings.TrimSuffix(last, "[]")) {
				t.Errorf("key %s: %s differs from delivery to delivery", k.Name, path)
			}
		}
	}
}

// What must be there of a key is an identifier or a time of the thing itself: whose
// account it is, or who hosts it, would make one event of many.
func TestKeysIdentify(t *testing.T) {
	identifier := regexp.MustCompile(`(^|[._])(id|uuid|email|date_time|timestamp)$`)
	for _, k := range keys {
		for _, path := range slices.Concat(k.Object, k.Part) {
			if !identifier.MatchString(path) || regexp.MustCompile(`(account|host|operator|owner)_id$`).MatchString(path) {
				t.Errorf("key %s: %s identifies nothing", k.Name, path)
			}
		}
	}
}

func TestKeyOf(t *testing.T) {
	for name, want := range map[string]string{
		"meeting.ended": "session", "webinar.participant_left": "participant", "recording.completed": "files",
		"user.deactivated": "user", "meeting.updated": "whole", "never.heard_of": "whole", "": "whole",
	} {
		if got := KeyOf(name); got.Name != want || got.Whole() != (want == "whole") {
			t.Errorf("%s: %s, want %s", name, got.Name, want)
		}
	}
}

func TestVolatile(t *testing.T) {
	for name, want := range map[string]bool{
		"download_url": true, "file_download_url": true, "transcript_download_url": true, "download_token": true, "play_url": true,
		"join_url": false, "url": false, "id": false, "": false, "stream_url": false, "download": false,
	} {
		if Volatile(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func BenchmarkAbout(b *testing.B) {
	e, _ := Lookup("recording.completed")
	b.ReportAllocs()
	for b.Loop() {
		e.About()
	}
}

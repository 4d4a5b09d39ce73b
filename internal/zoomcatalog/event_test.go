package zoomcatalog

import (
	"regexp"
	"slices"
	"testing"
)

func TestLookup(t *testing.T) {
	e, ok := Lookup("meeting.ended")
	if !ok || e.Name != "meeting.ended" || e.Product != "meetings" {
		t.Fatalf("Lookup(meeting.ended) = %+v, %v", e, ok)
	}
	for _, name := range []string{"", "meeting", "meeting.", "meeting.endet", "Meeting.ended", "zzz.zzz", " meeting.ended"} {
		if e, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q) finds %q", name, e.Name)
		}
	}
}

func TestEveryNameIsFoundAndFitsASubject(t *testing.T) {
	names := Names()
	if len(names) != 606 || !slices.IsSorted(names) {
		t.Fatalf("%d names, sorted: %v", len(names), slices.IsSorted(names))
	}
	fits := regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)?$`)
	for _, name := range names {
		if e, ok := Lookup(name); !ok || e.Name != name || e.Product == "" {
			t.Errorf("Lookup(%q) = %+v, %v", name, e, ok)
		}
		if !fits.MatchString(name) {
			t.Errorf("%q does not fit a subject", name)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"meeting.ended", "meeting.ended", true},
		{"meeting.ended", "meeting.started", false},
		{"meeting.*", "meeting.ended", true},
		{"meeting.*", "meeting", false},
		{"meeting.*", "meetings.ended", false},
		{"*.ended", "webinar.ended", true},
		{"*.ended", "webinar.started", false},
		{"*.ended", "ended", false},
		{"*.ended", "a.b.ended", false},
		{"*", "meeting.ended", true},
		{"*", "app_deauthorized", true},
		{"a.*", "a.b.c", true}, // one or more at the end
		{"a.*.c", "a.b.c", true},
		{"a.*.c", "a.c", false},
		{"meeting", "meeting.ended", false},
		{"meeting.ended", "meeting", false},
		{"meet*", "meeting", false}, // a star is a whole token
		{"", "meeting.ended", false},
		{"*", "", false},
	} {
		if got := Match(c.pattern, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func TestKnown(t *testing.T) {
	for pattern, want := range map[string]bool{
		"recording.completed": true, "recording.*": true, "*.ended": true, "*": true,
		"recording.complete": false, "recordings.*": false, "*.endet": false, "": false,
	} {
		if got := Known(pattern); got != want {
			t.Errorf("Known(%q) = %v", pattern, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	for name, want := range map[string]string{
		"meeting.end":                   "meeting.ended",
		"meetings.ended":                "meeting.ended",
		"Meeting.Ended":                 "meeting.ended",
		"meeting_ended":                 "meeting.ended",
		"ended":                         "meeting.ended",
		"recoding.completed":            "recording.completed",
		"recording.complete":            "recording.completed",
		"meeting.registration_canceled": "meeting.registration_cancelled",
		"app_deauthorised":              "app_deauthorized",
		"recordings.*":                  "recording.*",
		"summary_completed":             "meeting.summary_completed",
		"bogus":                         "",
		"xyzzy.*":                       "",
		"":                              "",
		"quite.another_thing_entirely":  "",
	} {
		if got := Suggest(name); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestOperation(t *testing.T) {
	want := []string{
		"add_meeting_registrant", "create_meeting", "delete_meeting", "get_meeting", "get_meeting_recordings",
		"list_meetings", "list_past_meeting_participants", "send_chat_message", "update_meeting",
	}
	var got []string
	for _, o := range Operations() {
		got = append(got, o.Name)
		if found, ok := Operation(o.Name); !ok || found.Path != o.Path {
			t.Errorf("Operation(%q) = %+v, %v", o.Name, found, ok)
		}
		if o.Method == "" || o.Path[0] != '/' || o.Label == "" || len(o.Scopes()) != len(o.Classic)+len(o.Granular) {
			t.Errorf("%s is incomplete: %+v", o.Name, o)
		}
	}
	if !slices.IsSorted(got) {
		t.Errorf("operations %v", got)
	}
	for _, name := range want {
		if _, ok := Operation(name); !ok {
			t.Errorf("%s is not found", name)
		}
	}
	if _, ok := Operation("frobnicate"); ok {
		t.Error("frobnicate is found")
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("meeting.*", "meeting.ended")
	f.Add("*", "a")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		Match(pattern, name)
		Suggest(name)
		if name != "" && !slices.Contains([]byte(name), '*') && Match(name, name) == (name[0] == '.' || regexp.MustCompile(`\.(\.|$)`).MatchString(name)) {
			t.Errorf("%q does not match itself, or has an empty token", name)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Lookup("recording.completed")
	}
}

func BenchmarkMatch(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Match("recording.*", "recording.completed")
	}
}

package proto

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestToken(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "_",
		"_":                    "=5F",
		"meeting":              "meeting",
		"aCc_Ept-1":            "aCc_Ept-1",
		"a.b":                  "a=2Eb",
		"a b":                  "a=20b",
		"*":                    "=2A",
		">":                    "=3E",
		"=41":                  "=3D41",
		"kV7p/Q+m==":           "kV7p=2FQ=2Bm=3D=3D",
		"Übung":                "=C3=9Cbung",
		"line\nbreak\x00":      "line=0Abreak=00",
		"endpoint.validation ": "endpoint=2Evalidation=20",
	} {
		if got := Token(text); got != want {
			t.Errorf("Token(%q) = %q, not %q", text, got, want)
		}
		if got := Text(want); got != text {
			t.Errorf("Text(%q) = %q, not %q", want, got, text)
		}
	}
	for _, token := range []string{"=", "=4", "=ZZ", "a=0"} {
		if got := Text(token); got != token {
			t.Errorf("Text(%q) = %q: what Token cannot make stays", token, got)
		}
	}
}

func TestTokenIsReversibleAndFitsASubject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text"))
		token := Token(text)
		if Text(token) != text {
			t.Fatalf("%q became %q became %q", text, token, Text(token))
		}
		if token == "" || strings.ContainsAny(token, " .*>\r\n\t\x00") {
			t.Fatalf("%q became %q, which is no token", text, token)
		}
	})
}

func TestSubjects(t *testing.T) {
	for got, want := range map[string]string{
		EventSubject("zoom", "acct-1", "meeting.ended"):   "zflow.event.zoom.acct-1.meeting.ended",
		EventSubject("zoom", "", "app_deauthorized"):      "zflow.event.zoom._.app_deauthorized",
		EventSubject("app", "", "order paid.now"):         "zflow.event.app._.order=20paid.now",
		EventFilter("zoom", "meeting.ended"):              "zflow.event.zoom.*.meeting.ended",
		EventFilter("zoom", "recording.*"):                "zflow.event.zoom.*.recording.>",
		EventFilter("zoom", "*.created"):                  "zflow.event.zoom.*.*.created",
		EventFilter("zoom", "*"):                          "zflow.event.zoom.*.>",
		RunSubject("hello", "r1", "running"):              "zflow.run.hello.r1.running",
		RunFilter("hello", "r1"):                          "zflow.run.hello.r1.*",
		WakeSubject("hello", "r1"):                        "zflow.wake.hello.r1",
		CommandSubject("hello", "r1"):                     "zflow.command.hello.r1",
		TimerSubject("hello", "r1", 18446744073709551615): "zflow.timer.hello.r1.18446744073709551615",
		WorkerSubject("01JD"):                             "zflow.worker.01JD",
		FlushSubject(Bucket(Definitions)):                 "zflow.flush.KV_DEFINITIONS",
		Objects(Blobs):                                    "OBJ_BLOBS",
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestParseSubjects(t *testing.T) {
	w, r, s, err := ParseRunSubject(RunSubject("hello", "r1", "failed"))
	if w != "hello" || r != "r1" || s != "failed" || err != nil {
		t.Error(w, r, s, err)
	}
	for _, bad := range []string{"", "zflow.run.a.b", "zflow.run.a.b.c.d", "other.run.a.b.c", "zflow.wake.a.b.c"} {
		if _, _, _, err := ParseRunSubject(bad); err == nil {
			t.Errorf("%q is read as a run's subject", bad)
		}
	}
	for subject, command := range map[string]bool{WakeSubject("w", "r"): false, CommandSubject("w", "r"): true} {
		w, r, c, err := ParseWakeSubject(subject)
		if w != "w" || r != "r" || c != command || err != nil {
			t.Error(subject, w, r, c, err)
		}
	}
	for _, bad := range []string{"", "zflow.wake.a", "zflow.timer.a.b.3", "zflow.timer.a.b"} {
		if _, _, _, err := ParseWakeSubject(bad); err == nil {
			t.Errorf("%q is read as a wake", bad)
		}
	}
}

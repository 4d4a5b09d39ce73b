package proto

import (
	"testing"
	"time"
)

func event() *Event {
	return &Event{
		ID: "abc", Type: "meeting.ended", Source: "zoom/default", Account: "acct-1", Subject: "4444AAAiAAAAAiAiAiiAii==",
		Origin: FromWebhook, ContentType: "application/json", Time: time.Date(2026, 3, 2, 10, 0, 0, 123e6, time.UTC),
		ReceivedAt: time.Date(2026, 3, 2, 10, 0, 1, 5, time.UTC), Body: []byte(`{"a":1}`),
	}
}

func TestEventTravels(t *testing.T) {
	for name, change := range map[string]func(*Event){
		"whole":          func(*Event) {},
		"replay":         func(e *Event) { e.ID, e.Origin, e.ReplayOf = ReplayID(e.ID, 2), FromReplay, "abc" },
		"without":        func(e *Event) { e.Account, e.Subject, e.ContentType = "", "", "" },
		"trigger":        func(e *Event) { e.Trigger = []byte(`{"method":"POST","query":{"n":"1\\n"}}`) },
		"odd type":       func(e *Event) { e.Type = "Meeting ended!.*" },
		"odd account":    func(e *Event) { e.Account = "a.b/c=" },
		"empty token":    func(e *Event) { e.Type = "meeting..ended" },
		"other location": func(e *Event) { e.Time = e.Time.In(time.FixedZone("", 3600)) },
	} {
		want := event()
		change(want)
		subject, header := want.Wire()
		got, err := ReadEvent(subject, header, want.Body, 7, time.Now())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !got.Time.Equal(want.Time) || !got.ReceivedAt.Equal(want.ReceivedAt) || got.Sequence != 7 {
			t.Errorf("%s: %+v", name, got)
		}
		got.Time, got.ReceivedAt, got.Sequence = want.Time, want.ReceivedAt, 0
		if got.ID != want.ID || got.Type != want.Type || got.Source != want.Source || got.Account != want.Account ||
			got.Subject != want.Subject || got.Origin != want.Origin || got.ContentType != want.ContentType ||
			got.ReplayOf != want.ReplayOf || string(got.Body) != string(want.Body) || string(got.Trigger) != string(want.Trigger) {
			t.Errorf("%s: %+v, not %+v", name, got, want)
		}
	}
}

// A plain NATS client publishes without our headers.
func TestEventWithoutHeaders(t *testing.T) {
	stored := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	e, err := ReadEvent("zflow.event.app._.order=20paid.now", nil, []byte(`{}`), 9, stored)
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != "seq-9" || e.Type != "order paid.now" || e.Source != "app" || e.Kind() != "app" || e.Account != "" ||
		e.Origin != FromPublish || !e.Time.Equal(stored) || !e.ReceivedAt.Equal(stored) {
		t.Errorf("%+v", e)
	}
	e, err = ReadEvent("zflow.event.app._.x", map[string][]string{"Nats-Msg-Id": {"mine"}, "ce-time": {"yesterday"}}, nil, 9, stored)
	if err != nil || e.ID != "mine" || !e.Time.Equal(stored) {
		t.Errorf("%+v, %v", e, err)
	}
	for _, bad := range []string{"", "zflow.event.app._", "zflow.run.a.b.c"} {
		if _, err := ReadEvent(bad, nil, nil, 1, stored); err == nil {
			t.Errorf("%q is read as an event", bad)
		}
	}
}

func TestIDs(t *testing.T) {
	id := EventID("default", "meeting.ended", "uuid", "1790000000000")
	if id != "bq4j643jvzzw00858keg1wasbz" || RunID("hello", id) != "xvdzs3530b71dx93y4w37qk75g" {
		t.Errorf("ids are derived otherwise now, %s and %s: what was stored under the old ones would come twice", id, RunID("hello", id))
	}
	others := map[string]bool{id: true}
	for _, other := range []string{
		EventID("other", "meeting.ended", "uuid", "1790000000000"),
		EventID("default", "meeting.started", "uuid", "1790000000000"),
		EventID("default", "meeting.ended", "uuid1", "790000000000"),
		EventID("default", "meeting.ended", "uuid"),
		RunID("default", "meeting.ended"),
		RunID("hello", id), RunID("hello", ReplayID(id, 1)), RunID("hello", ReplayID(id, 2)),
	} {
		if others[other] || Token(other) != other {
			t.Errorf("%s is there twice, or is no token", other)
		}
		others[other] = true
	}
}

func FuzzReadEvent(f *testing.F) {
	f.Add("zflow.event.zoom._.meeting.ended", "ce-id", "abc", []byte(`{}`))
	f.Add("zflow.event.zoom.=ZZ.=", "ce-time", "2026", []byte(nil))
	f.Fuzz(func(t *testing.T, subject, name, value string, body []byte) {
		e, err := ReadEvent(subject, map[string][]string{name: {value}}, body, 1, time.Unix(0, 0))
		if err == nil && e.ID == "" {
			t.Error("an event without id")
		}
	})
}

func BenchmarkWire(b *testing.B) {
	e := event()
	b.ReportAllocs()
	for b.Loop() {
		e.Wire()
	}
}

func BenchmarkReadEvent(b *testing.B) {
	e := event()
	subject, header := e.Wire()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadEvent(subject, header, e.Body, 1, e.Time); err != nil {
			b.Fatal(err)
		}
	}
}

package record

import (
	"strings"
	"testing"
	"time"

	"zflow/internal/operator/operatortest"
	"zflow/internal/sealed"
	"zflow/proto"
)

func TestAnEventBecomesAFixture(t *testing.T) {
	h := operatortest.New(t)
	keys, err := sealed.GenerateKeys()
	h.Must(err)
	h.Event("recording.completed", 1, `{"event":"recording.completed","n":1}`)
	e := h.Event("recording.completed", 2, `{"event":"recording.completed","id":12345678901234567890,"download_token":"`+keys.Public().Seal("secret")+`"}`)
	h.Event("meeting.ended", 3, `{}`)
	dir := t.TempDir()
	for _, order := range []EventOrder{{Event: e.ID}, {Event: "2"}, {Type: "recording.*"}} {
		order.To = dir
		m, err := Event(t.Context(), h.Operator, order)
		h.Must(err)
		if m.ID != e.ID || m.Stanza != "event: { type: recording.completed, file: fixtures/recording_completed.json }" || len(m.Files) != 1 {
			t.Errorf("%+v: %+v", order, m)
		}
		want := "{\n  \"event\": \"recording.completed\",\n  \"id\": 12345678901234567890,\n  \"download_token\": \"••••\"\n}\n"
		if got := content(t, m.Files[0]); got != want {
			t.Errorf("%s", got)
		}
	}
	for _, c := range []struct {
		order EventOrder
		want  string
	}{
		{EventOrder{Event: "1"}, "--force replaces it"},
		{EventOrder{Event: "99"}, "there is none in EVENTS"},
		{EventOrder{Event: "nosuch"}, "there is none in EVENTS"},
		{EventOrder{Type: "webinar.*"}, `there is none of type "webinar.*"`},
		{EventOrder{Type: "a..b"}, "is not like meeting.ended"},
	} {
		c.order.To = dir
		if _, err := Event(t.Context(), h.Operator, c.order); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.order, err)
		}
	}
}

func TestEventsThatATestCannotState(t *testing.T) {
	h := operatortest.New(t)
	for _, e := range []*proto.Event{{Type: "a b", Source: "app"}, {Type: "tick", Source: "metronome"}} {
		e.ID, e.Time, e.ReceivedAt, e.Body = proto.EventID("x", e.Type), time.Now(), time.Now(), []byte("1")
		_, err := h.Publisher.Publish(t.Context(), e)
		h.Must(err)
		if _, err := Event(t.Context(), h.Operator, EventOrder{Event: e.ID, To: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "a test ") {
			t.Errorf("%s: %v", e.Type, err)
		}
	}
}

// A type that Zoom has too, from somewhere else, says where it is from; the same
// body is one fixture.
func TestStanzas(t *testing.T) {
	out := &folder{}
	for _, c := range []struct {
		e    happened
		want string
	}{
		{happened{"meeting.ended", "app", []byte("1"), nil}, "{ type: meeting.ended, source: app, file: fixtures/w_meeting_ended.json }"},
		{happened{"meeting.ended", "zoom/other", []byte("1"), nil}, "{ type: meeting.ended, file: fixtures/w_meeting_ended.json }"},
		{happened{"meeting.ended", "zoom/other", []byte("2"), nil}, "{ type: meeting.ended, file: fixtures/w_meeting_ended_2.json }"},
		{happened{"order.paid", "app", []byte("3"), nil}, "{ type: order.paid, file: fixtures/w_order_paid.json }"},
		{happened{"new.thing", "zoom/default", []byte("3"), nil}, "{ type: new.thing, source: zoom, file: fixtures/w_new_thing.json }"},
		{happened{"call", "call", []byte("{}"), nil}, "{ type: call, file: fixtures/w_call.json }"},
	} {
		got, err := out.event("w_", c.e)
		if err != nil || flow(got) != c.want {
			t.Errorf("%s, want %s (%v)", flow(got), c.want, err)
		}
	}
	if _, err := out.event("", happened{"a.b", "app", []byte("{"), nil}); err == nil {
		t.Error("no JSON is a body")
	}
}

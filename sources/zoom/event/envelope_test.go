package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"zflow/internal/zoomcatalog"
	"zflow/proto"
)

func TestDecodeTakesWhatZoomSends(t *testing.T) {
	at := time.UnixMilli(1790000000123)
	for _, c := range []struct {
		name, in string
		want     Envelope // but for the trees
	}{
		{"usual", `{"event":"meeting.ended","event_ts":1790000000123,"payload":{"account_id":"A-1","object":{"id":"812","uuid":"u=="}}}`,
			Envelope{Type: "meeting.ended", Account: "A-1", Subject: "812", At: at}},
		{"event_ts a string", `{"event":"workspace.created","event_ts":"1790000000123","payload":{"account_id":"A"}}`, Envelope{Type: "workspace.created", Account: "A", At: at}},
		{"event_ts in seconds", `{"event":"a","event_ts":1790000000}`, Envelope{Type: "a", At: at.Truncate(time.Second)}},
		{"event_ts a fraction", `{"event":"a","event_ts":1.790000000123e12}`, Envelope{Type: "a", At: at}},
		{"event_ts missing", `{"event":"app_deauthorized","payload":{"account_id":"A"}}`, Envelope{Type: "app_deauthorized", Account: "A"}},
		{"event_ts nonsense", `{"event":"a","event_ts":"soon"}`, Envelope{Type: "a"}},
		{"event_ts out of range", `{"event":"a","event_ts":1e300}`, Envelope{Type: "a"}},
		{"event_ts negative", `{"event":"a","event_ts":-5}`, Envelope{Type: "a"}},
		{"event_ts an object", `{"event":"a","event_ts":{}}`, Envelope{Type: "a"}},
		{"accountId", `{"event":"bot_notification","event_ts":1790000000123,"payload":{"accountId":"B"}}`, Envelope{Type: "bot_notification", Account: "B", At: at}},
		{"account in the object", `{"event":"a","payload":{"object":{"account_id":"C"}}}`, Envelope{Type: "a", Account: "C"}},
		{"account a number", `{"event":"a","payload":{"account_id":42}}`, Envelope{Type: "a", Account: "42"}},
		{"id a number", `{"event":"a","payload":{"object":{"id":84512306977123456789}}}`, Envelope{Type: "a", Subject: "84512306977123456789"}},
		{"no payload", `{"event":"a"}`, Envelope{Type: "a"}},
		{"payload a list", `{"event":"a","payload":[1]}`, Envelope{Type: "a"}},
		{"object a list", `{"event":"a","payload":{"account_id":"A","object":[{"id":"x"}]}}`, Envelope{Type: "a", Account: "A"}},
		{"object null", `{"event":"a","payload":{"account_id":"A","object":null}}`, Envelope{Type: "a", Account: "A"}},
		{"name with blanks and dots", `{"event":" meeting..ended. \n"}`, Envelope{Type: "meeting.ended"}},
		{"unknown name", `{"event":"brand.new_thing/v2"}`, Envelope{Type: "brand.new_thing/v2"}},
		{"name not ASCII", `{"event":"treffen.übung"}`, Envelope{Type: "treffen.übung"}},
	} {
		got, err := Read([]byte(c.in))
		got.body, got.payload = nil, nil
		if err != nil || got.Type != c.want.Type || got.Account != c.want.Account || got.Subject != c.want.Subject || !got.At.Equal(c.want.At) {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
	}
}

func TestDecodeRefusesWhatIsNoEvent(t *testing.T) {
	for _, in := range []string{``, `{`, `null`, `[]`, `"event"`, `{}`, `{"event":""}`, `{"event":" . "}`, `{"event":1}`, `{"event":null}`,
		`{"event":"a"} {}`, `{"event":"a"}x`, `event=a`} {
		if e, err := Read([]byte(in)); err == nil {
			t.Errorf("%q was taken as %+v", in, e)
		}
	}
}

func TestLongNamesStayApart(t *testing.T) {
	long := strings.Repeat("é", 500)
	a, b := cleanType(long+"a"), cleanType(long+"b")
	if a == b || len(a) > maxName || !utf8.ValidString(a) {
		t.Errorf("%q and %q", a, b)
	}
	if s := proto.EventSubject("zoom", strings.Repeat("/", 0)+clean(strings.Repeat("/", 5000)), a); len(s) > 1000 {
		t.Errorf("a subject of %d bytes", len(s))
	}
}

// FuzzDecode: whatever is taken can be named, put in a subject and sealed.
func FuzzDecode(f *testing.F) {
	for _, name := range zoomcatalog.Names() {
		f.Add(zoomcatalog.Sample(name))
	}
	f.Add([]byte(`{"event":"a b","event_ts":"1e309","payload":{"object":[[]]}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := Read(in)
		if err != nil {
			return
		}
		if !json.Valid(in) {
			t.Fatal("taken, but not JSON")
		}
		if e.Type == "" || len(e.Type) > maxName || len(e.Account) > maxName {
			t.Fatalf("got %+v", e)
		}
		subject := proto.EventSubject("zoom", e.Account, e.Type)
		if strings.ContainsAny(subject, " \t\r\n*>") || strings.Contains(subject, "..") || strings.HasSuffix(subject, ".") {
			t.Fatalf("the subject is %q", subject)
		}
		if first, second := ID("app", &e), ID("app", &e); first != second {
			t.Fatal("the id changes")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := zoomcatalog.Sample("meeting.participant_joined")
	b.ReportAllocs()
	for b.Loop() {
		e, err := Read(body)
		if err != nil || ID("app", &e) == "" {
			b.Fatal(err)
		}
	}
}

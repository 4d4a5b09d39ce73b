package zoom

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
		want     envelope // but for the trees
	}{
		{"usual", `{"event":"meeting.ended","event_ts":1790000000123,"payload":{"account_id":"A-1","object":{"id":"812","uuid":"u=="}}}`,
			envelope{kind: "meeting.ended", account: "A-1", subject: "812", at: at}},
		{"event_ts a string", `{"event":"workspace.created","event_ts":"1790000000123","payload":{"account_id":"A"}}`, envelope{kind: "workspace.created", account: "A", at: at}},
		{"event_ts in seconds", `{"event":"a","event_ts":1790000000}`, envelope{kind: "a", at: at.Truncate(time.Second)}},
		{"event_ts a fraction", `{"event":"a","event_ts":1.790000000123e12}`, envelope{kind: "a", at: at}},
		{"event_ts missing", `{"event":"app_deauthorized","payload":{"account_id":"A"}}`, envelope{kind: "app_deauthorized", account: "A"}},
		{"event_ts nonsense", `{"event":"a","event_ts":"soon"}`, envelope{kind: "a"}},
		{"event_ts out of range", `{"event":"a","event_ts":1e300}`, envelope{kind: "a"}},
		{"event_ts negative", `{"event":"a","event_ts":-5}`, envelope{kind: "a"}},
		{"event_ts an object", `{"event":"a","event_ts":{}}`, envelope{kind: "a"}},
		{"accountId", `{"event":"bot_notification","event_ts":1790000000123,"payload":{"accountId":"B"}}`, envelope{kind: "bot_notification", account: "B", at: at}},
		{"account in the object", `{"event":"a","payload":{"object":{"account_id":"C"}}}`, envelope{kind: "a", account: "C"}},
		{"account a number", `{"event":"a","payload":{"account_id":42}}`, envelope{kind: "a", account: "42"}},
		{"id a number", `{"event":"a","payload":{"object":{"id":84512306977123456789}}}`, envelope{kind: "a", subject: "84512306977123456789"}},
		{"no payload", `{"event":"a"}`, envelope{kind: "a"}},
		{"payload a list", `{"event":"a","payload":[1]}`, envelope{kind: "a"}},
		{"object a list", `{"event":"a","payload":{"account_id":"A","object":[{"id":"x"}]}}`, envelope{kind: "a", account: "A"}},
		{"object null", `{"event":"a","payload":{"account_id":"A","object":null}}`, envelope{kind: "a", account: "A"}},
		{"name with blanks and dots", `{"event":" meeting..ended. \n"}`, envelope{kind: "meeting.ended"}},
		{"unknown name", `{"event":"brand.new_thing/v2"}`, envelope{kind: "brand.new_thing/v2"}},
		{"name not ASCII", `{"event":"treffen.übung"}`, envelope{kind: "treffen.übung"}},
	} {
		got, err := decode([]byte(c.in))
		got.body, got.payload = nil, nil
		if err != nil || got.kind != c.want.kind || got.account != c.want.account || got.subject != c.want.subject || !got.at.Equal(c.want.at) {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
	}
}

func TestDecodeRefusesWhatIsNoEvent(t *testing.T) {
	for _, in := range []string{``, `{`, `null`, `[]`, `"event"`, `{}`, `{"event":""}`, `{"event":" . "}`, `{"event":1}`, `{"event":null}`,
		`{"event":"a"} {}`, `{"event":"a"}x`, `event=a`} {
		if e, err := decode([]byte(in)); err == nil {
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
		e, err := decode(in)
		if err != nil {
			return
		}
		if !json.Valid(in) {
			t.Fatal("taken, but not JSON")
		}
		if e.kind == "" || len(e.kind) > maxName || len(e.account) > maxName {
			t.Fatalf("got %+v", e)
		}
		subject := proto.EventSubject("zoom", e.account, e.kind)
		if strings.ContainsAny(subject, " \t\r\n*>") || strings.Contains(subject, "..") || strings.HasSuffix(subject, ".") {
			t.Fatalf("the subject is %q", subject)
		}
		if first, second := eventID("app", &e), eventID("app", &e); first != second {
			t.Fatal("the id changes")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := zoomcatalog.Sample("meeting.participant_joined")
	b.ReportAllocs()
	for b.Loop() {
		e, err := decode(body)
		if err != nil || eventID("app", &e) == "" {
			b.Fatal(err)
		}
	}
}

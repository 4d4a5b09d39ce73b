package operator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	v1 "zflow/proto/zflow/v1"
)

func TestFactsAreJSONByTheNamesOfTheProtoFile(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 5, time.UTC).UnixNano()
	for _, c := range []struct {
		fact *v1.Fact
		want string
	}{
		{&v1.Fact{Number: 1, At: at, Step: "a", Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: 2, Uses: "log", Input: &v1.Value{Json: []byte(`{"big":12345678901234567890,"t":"<&>"}`)}, Deadline: at, Again: true}}},
			`{"kind":"step_started","number":1,"at":"2026-03-02T10:00:00.000000005Z","step":"a","step_started":{"attempt":2,"uses":"log","input":{"big":12345678901234567890,"t":"<&>"},"deadline":"2026-03-02T10:00:00.000000005Z","again":true}}`},
		{&v1.Fact{Number: 2, At: at, Claim: &v1.Claim{Worker: "w", Epoch: 3, Stream: "EVENTS", Sequence: 18446744073709551615}, Kind: &v1.Fact_RunClaimed{RunClaimed: &v1.RunClaimed{}}},
			`{"kind":"run_claimed","number":2,"at":"2026-03-02T10:00:00.000000005Z","claim":{"worker":"w","epoch":3,"stream":"EVENTS","sequence":18446744073709551615},"run_claimed":{}}`},
		{&v1.Fact{Number: 3, Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Took: 1500000000, Log: []string{"a\n", `"<b>"`}}}},
			`{"kind":"step_completed","number":3,"step_completed":{"took":"1.5s","log":["a\n","\"<b>\""]}}`},
		{&v1.Fact{Number: 4, Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{Output: &v1.Value{Json: []byte("no json")}}}},
			`{"kind":"run_completed","number":4,"run_completed":{"output":"no json"}}`},
		{&v1.Fact{Number: 5, Kind: &v1.Fact_StepFailed{StepFailed: &v1.StepFailed{Error: &v1.Error{Message: "m", Status: 404}}}},
			`{"kind":"step_failed","number":5,"step_failed":{"error":{"message":"m","status":404}}}`},
		{&v1.Fact{Number: 6}, `{"kind":"unknown","number":6}`},
	} {
		raw, err := json.Marshal(struct{ F any }{factOf(c.fact)})
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if json.Unmarshal(raw, &got) != nil || json.Unmarshal([]byte(`{"F":`+c.want+`}`), &want) != nil {
			t.Fatalf("no JSON: %s", raw)
		}
		if text := string(factOf(c.fact).json); text != c.want {
			t.Errorf("got  %s\nwant %s", text, c.want)
		}
	}
}

// Every kind of fact has a line for people, and is known to describe.
func TestEveryFactIsDescribed(t *testing.T) {
	kinds := (&v1.Fact{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
	for i := range kinds.Len() {
		field := kinds.Get(i)
		f := &v1.Fact{}
		m := f.ProtoReflect()
		m.Set(field, m.NewField(field))
		if text := describe(f); text == "" || strings.Contains(text, "does not know") {
			t.Errorf("%s is described as %q", field.Name(), text)
		}
	}
}

func TestDescriptionsAreOneLineFitForATerminal(t *testing.T) {
	f := stepFailed("a", 3, "retryable", "retry", "line one\nline two\x1b[2J")
	text := describe(f)
	if strings.ContainsAny(text, "\n\x1b") || !strings.Contains(text, "attempt 3 failed after 1.0 s: line one line two") || !strings.Contains(text, "(status 503, code 300)") {
		t.Errorf("described as %q", text)
	}
	for class, want := range map[string]string{"unknown": "has an unknown outcome", "absent": "had not happened"} {
		if text := describe(stepFailed("a", 1, class, "ask", "x")); !strings.Contains(text, want) || !strings.Contains(text, "a person decides") {
			t.Errorf("%s: %q", class, text)
		}
	}
}

func TestDecode(t *testing.T) {
	raw, err := proto.Marshal(&v1.Facts{Number: 2, Previous: []byte{0xab}, Epoch: 1, State: "running", Facts: []*v1.Fact{started("hello", "e")}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(raw)
	if err != nil || !strings.HasPrefix(string(got), `{"number":2,"previous":"ab","epoch":1,"facts":[{"kind":"run_started"`) || !strings.HasSuffix(string(got), `"state":"running"}`) {
		t.Errorf("decoded to %s, %v", got, err)
	}
	unknown, _ := proto.Marshal(&v1.Facts{Facts: []*v1.Fact{{Number: 7}}})
	for name, in := range map[string][]byte{"nothing": nil, "noise": {0xff, 0xff, 1}, "a text": []byte("hello"), "an unknown fact": unknown} {
		if got, err := Decode(in); err == nil {
			t.Errorf("%s decoded to %s", name, got)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 µs", 900 * time.Microsecond: "900 µs", 12 * time.Millisecond: "12 ms", 1500 * time.Millisecond: "1.5 s",
		90 * time.Second: "1 min 30 s", 200 * time.Minute: "3 h 20 min", 74 * time.Hour: "3 d 2 h",
	} {
		if got := Took(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	raw, _ := proto.Marshal(&v1.Facts{Number: 1, Facts: []*v1.Fact{started("hello", "e"), stepCompleted("a", 1, "{}")}})
	f.Add(raw)
	f.Fuzz(func(t *testing.T, in []byte) {
		if out, err := Decode(in); err == nil && !json.Valid(out) {
			t.Errorf("decoded to no JSON: %s", out)
		}
	})
}

package zoomcatalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2027, 5, 4, 12, 0, 0, 123e6, time.UTC)

func decode(t *testing.T, body []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decoding %s: %v", body, err)
	}
	return v
}

// at returns the value at a path such as payload.object.id, or nil.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[key]
	}
	return v
}

func TestEverySampleHasTheShapeThatTheTableGivesIt(t *testing.T) {
	for _, e := range events {
		v := decode(t, Sample(e.Name))
		if v["event"] != e.Name {
			t.Errorf("%s: its sample is of %v", e.Name, v["event"])
		}
		ts, isText := v["event_ts"].(string)
		if isText != e.is(tsText) && e.Name != "workspace.created" || (v["event_ts"] == nil) != e.is(noTS) {
			t.Errorf("%s: event_ts is %v (%q)", e.Name, v["event_ts"], ts)
		}
		if has := at(v, "payload.account_id") != nil; has == e.is(noAccount) {
			t.Errorf("%s: has an account_id: %v", e.Name, has)
		}
		if has := at(v, "payload.object") != nil; has == e.is(noObject) {
			t.Errorf("%s: has an object: %v", e.Name, has)
		}
		if e.is(token) && v["download_token"] == nil && e.Name != "recording.trashed" {
			t.Errorf("%s: has no download_token", e.Name)
		}
	}
}

func TestSamplesAreInventedAndBelongToOneAccount(t *testing.T) {
	for _, name := range append(Names(), "meeting.not_yet_known") {
		text := string(Sample(name))
		if strings.Contains(text, "zoom.us") || strings.Contains(text, "\n") {
			t.Errorf("%s: %s", name, text)
		}
		if id := at(decode(t, []byte(text)), "payload.account_id"); id != nil && id != SampleAccount {
			t.Errorf("%s: account %v", name, id)
		}
	}
}

func TestSampleOfAnUnknownEventHasTheUsualEnvelope(t *testing.T) {
	v := decode(t, Sample(`odd."name"`))
	if v["event"] != `odd."name"` || at(v, "payload.object.uuid") != SampleUUID || v["event_ts"] == nil {
		t.Errorf("%v", v)
	}
}

func TestFreshIsNewEachTimeAndTheSameForTheSameInput(t *testing.T) {
	seen := map[string]int{}
	for n := range 500 {
		body := Fresh("meeting.ended", noon, n)
		if again := Fresh("meeting.ended", noon, n); !bytes.Equal(body, again) {
			t.Fatalf("n = %d gives %s and then %s", n, body, again)
		}
		v := decode(t, body)
		key := fmt.Sprint(at(v, "payload.object.uuid"), at(v, "payload.object.id"))
		if earlier, twice := seen[key]; twice {
			t.Fatalf("%d and %d are about the same meeting: %s", earlier, n, key)
		}
		seen[key] = n
		if id := fmt.Sprint(at(v, "payload.object.id")); len(id) != 11 {
			t.Errorf("id %s", id)
		}
	}
}

func TestFreshMovesEveryTime(t *testing.T) {
	v := decode(t, Fresh("meeting.ended", noon, 1))
	for path, want := range map[string]string{
		"event_ts":                  fmt.Sprint(noon.UnixMilli()),
		"payload.object.start_time": "2027-05-04T11:12:34Z", // 47:26 before, as in the sample
		"payload.object.end_time":   "2027-05-04T12:00:00Z",
	} {
		if got := fmt.Sprint(at(v, path)); got != want {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
	for _, name := range Names() {
		if body := Fresh(name, noon, 1); times.Match(body) || bytes.Contains(body, []byte(sampleMark)) || bytes.Contains(body, []byte(sampleMeeting)) {
			t.Errorf("%s keeps something of its sample: %s", name, body)
		}
	}
}

func TestFreshKeepsTheTypeOfEventTS(t *testing.T) {
	want := fmt.Sprintf(`"event_ts":"%d"`, noon.UnixMilli())
	if body := Fresh("workspace.created", noon, 0); !bytes.Contains(body, []byte(want)) {
		t.Errorf("%s lacks %s", body, want)
	}
}

func TestFreshEventsOfOneMomentTellOneStory(t *testing.T) {
	started, ended := decode(t, Fresh("meeting.started", noon, 7)), decode(t, Fresh("meeting.ended", noon, 7))
	if a, b := at(started, "payload.object.uuid"), at(ended, "payload.object.uuid"); a != b || a == SampleUUID {
		t.Errorf("started %v, ended %v", a, b)
	}
}

func BenchmarkFresh(b *testing.B) {
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		Fresh("meeting.ended", noon, n)
	}
}

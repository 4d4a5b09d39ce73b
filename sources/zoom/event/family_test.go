package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/internal/zoomcatalog"
)

// eachType runs a check for every event that is known, with a payload of it whose
// lists hold two of each object.
func eachType(t *testing.T, check func(t *testing.T, name string, body []byte)) {
	t.Helper()
	for _, name := range zoomcatalog.Names() {
		check(t, name, altered(t, zoomcatalog.Sample(name), func(tree map[string]any) { double(tree) }))
	}
}

// double puts a second object into each list that has one.
func double(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for n := range v {
			v[n] = double(v[n])
		}
	case []any:
		for i := range v {
			v[i] = double(v[i])
		}
		if len(v) != 1 {
			return v
		}
		if object, ok := v[0].(map[string]any); ok {
			twin := map[string]any{}
			for n, inner := range object {
				twin[n] = inner
				if text, is := inner.(string); is && !zoomcatalog.Volatile(n) {
					twin[n] = text + "-2"
				}
			}
			return append(v, twin)
		}
	}
	return value
}

// reversed turns lists of objects around.
func reversed(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for n := range v {
			v[n] = reversed(v[n])
		}
	case []any:
		for i := range v {
			v[i] = reversed(v[i])
		}
		if len(v) > 0 {
			if _, objects := v[0].(map[string]any); objects {
				slices.Reverse(v)
			}
		}
	}
	return value
}

// A redelivery has other tokens and addresses, another order of keys, files and
// members, and writes ids as numbers or text as it likes. It is the same event.
func TestARedeliveryIsTheSameEvent(t *testing.T) {
	eachType(t, func(t *testing.T, name string, body []byte) {
		want := idOf(t, body)
		again := altered(t, body, func(tree map[string]any) {
			walk(tree, "", func(name string, value any) any {
				_, number := value.(json.Number)
				switch {
				case differs(name):
					return fmt.Sprint(value, "?another=1")
				case number:
					return scalar(value) // 7 or "7"
				}
				return value
			})
			reversed(tree)
			tree["download_token"] = "another token"
		})
		if got := idOf(t, again); got != want {
			t.Errorf("%s: a second delivery has another id", name)
		}
	})
}

// differs tells what a second delivery has anew: the list of what was seen to.
func differs(name string) bool {
	return slices.Contains([]string{"download_url", "transcript_download_url", "play_url", "transcript_url", "response_url", "start_url", "file_download_link", "download_token"}, name)
}

// Whatever identifies an event: if it differs, it is another event.
func TestAnotherValueIsAnotherEvent(t *testing.T) {
	eachType(t, func(t *testing.T, name string, body []byte) {
		key, want := zoomcatalog.KeyOf(name), idOf(t, body)
		for _, path := range identifying(t, key, body) {
			other := altered(t, body, func(tree map[string]any) { setAt(tree, strings.Split(path, "."), "changed-9") })
			if idOf(t, other) == want {
				t.Errorf("%s: another %s has the same id (key %s)", name, path, key.Name)
			}
		}
	})
}

// identifying returns the paths, from the body's top, of what identifies an event
// and is there: those of its key, or all that is not volatile.
func identifying(t *testing.T, key zoomcatalog.Key, body []byte) []string {
	var tree map[string]any
	if err := json.Unmarshal(body, &tree); err != nil {
		t.Fatal(err)
	}
	if key.Whole() {
		return some(leaves(tree, ""), 15)
	}
	var paths []string
	for _, path := range key.Paths() {
		if len(lookUp(tree, "payload."+path)) > 0 {
			paths = append(paths, "payload."+path)
		}
	}
	if len(paths) == 0 {
		t.Errorf("%s: nothing of the key %s is in its sample", tree["event"], key.Name)
	}
	return append(paths, "event_ts")
}

// some returns n of the paths, spread evenly: the settings of an account have 700.
func some(paths []string, n int) []string {
	slices.Sort(paths)
	if len(paths) <= n {
		return paths
	}
	spread := make([]string, n)
	for i := range spread {
		spread[i] = paths[i*len(paths)/n]
	}
	return spread
}

func leaves(value any, path string) []string {
	var all []string
	switch v := value.(type) {
	case map[string]any:
		for n, inner := range v {
			if !zoomcatalog.Volatile(n) && !(path == "" && n == "event") {
				all = append(all, leaves(inner, strings.TrimPrefix(path+"."+n, "."))...)
			}
		}
	case []any:
		for _, inner := range v {
			all = append(all, leaves(inner, path+"[]")...)
			break
		}
	default:
		return []string{path}
	}
	return all
}

// setAt sets the value at a path, of a list in its first element.
func setAt(value any, path []string, to any) {
	name, lists := strings.TrimRight(path[0], "[]"), strings.Count(path[0], "[]")
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	set := func(v any) { object[name] = v }
	inner := object[name]
	for ; lists > 0; lists-- {
		list, _ := inner.([]any)
		if len(list) == 0 {
			return
		}
		set, inner = func(v any) { list[0] = v }, list[0]
	}
	if len(path) == 1 {
		set(to)
		return
	}
	setAt(inner, path[1:], to)
}

// event_ts may be text, or a time in words, or be missing.
func TestWithoutAUsualTime(t *testing.T) {
	eachType(t, func(t *testing.T, name string, body []byte) {
		want := idOf(t, body)
		asText := altered(t, body, func(tree map[string]any) {
			if ts, ok := tree["event_ts"]; ok {
				tree["event_ts"] = fmt.Sprint(ts)
			}
		})
		if idOf(t, asText) != want {
			t.Errorf("%s: event_ts as text makes another event", name)
		}
		without := altered(t, body, func(tree map[string]any) { delete(tree, "event_ts") })
		id := idOf(t, without)
		if id == "" || idOf(t, without) != id {
			t.Errorf("%s: without event_ts its id is %q", name, id)
		}
		for _, path := range some(leaves(payloadOf(t, without), "payload"), 6) {
			other := altered(t, without, func(tree map[string]any) { setAt(tree, strings.Split(path, "."), "changed-9") })
			if idOf(t, other) == id {
				t.Errorf("%s: without event_ts, another %s has the same id", name, path)
			}
		}
	})
}

func payloadOf(t *testing.T, body []byte) any {
	var tree struct{ Payload any }
	if err := json.Unmarshal(body, &tree); err != nil {
		t.Fatal(err)
	}
	return tree.Payload
}

// An entry of the catalogue that is missing, or names what the event does not have,
// loses and merges nothing: then all that the event says identifies it.
func TestAWrongEntryMergesNothing(t *testing.T) {
	wrong := []zoomcatalog.Key{
		{Name: "missing"},
		{Name: "no such path", Object: []string{"object.no_such_thing", "nothing[].at.all"}},
		{Name: "an object, not a value", Object: []string{"object"}},
		{Name: "a list, not a value", Object: []string{"object.recording_files", "object[]"}},
		{Name: "no part", Object: []string{"object.id", "object.uuid", "account_id", "accountId"}, Part: []string{"object.no_such_part"}},
		{Name: "no path", Object: []string{""}},
	}
	eachType(t, func(t *testing.T, name string, body []byte) {
		e, err := Read(body)
		if err != nil {
			t.Fatal(err)
		}
		want := idBy(zoomcatalog.Key{}, "app", &e)
		for _, key := range wrong {
			if got := idBy(key, "app", &e); got != want {
				t.Errorf("%s: the entry %q gives %s, not that of the whole", name, key.Name, got)
			}
		}
	})
}

// Events that are made up for one moment after the other are as many events.
func TestFreshEventsAreNewEvents(t *testing.T) {
	now := time.UnixMilli(1790000000000)
	for _, name := range zoomcatalog.Names() {
		seen := map[string]bool{}
		for n := range 3 {
			at := now.Add(time.Duration(n) * time.Millisecond)
			seen[idOf(t, zoomcatalog.Fresh(name, at, n))] = true
			if !bytes.Equal(zoomcatalog.Fresh(name, at, n), zoomcatalog.Fresh(name, at, n)) {
				t.Errorf("%s: the same input gives another event", name)
			}
		}
		if len(seen) != 3 {
			t.Errorf("%s: 3 fresh events have %d ids", name, len(seen))
		}
	}
}

// What happens again is another event, however alike.
func TestWhatHappensAgainIsKept(t *testing.T) {
	const at = 1790000000000
	event := func(kind string, ts int64, object string) []byte {
		return fmt.Appendf(nil, `{"event":%q,"event_ts":%d,"payload":{"account_id":"A","object":%s}}`, kind, ts, object)
	}
	joined := `{"uuid":"m==","id":"5","participant":{"user_id":"7","id":"p","join_time":"2026-03-02T09:00:%02dZ"}}`
	left := `{"uuid":"m==","id":"5","participant":{"user_id":"7","id":"p","leave_time":"2026-03-02T09:00:%02dZ"}}`
	for what, bodies := range map[string][][]byte{
		"join, leave, join, leave": {
			event("meeting.participant_joined", at, fmt.Sprintf(joined, 1)), event("meeting.participant_left", at+5000, fmt.Sprintf(left, 6)),
			event("meeting.participant_joined", at+9000, fmt.Sprintf(joined, 10)), event("meeting.participant_left", at+9500, fmt.Sprintf(left, 10)),
		},
		"a join after a leave in one millisecond": {
			event("meeting.participant_joined", at, fmt.Sprintf(joined, 1)), event("meeting.participant_joined", at, fmt.Sprintf(joined, 2)),
		},
		"a second deactivation": {
			event("user.deactivated", at, `{"id":"u"}`), event("user.activated", at+1000, `{"id":"u"}`), event("user.deactivated", at+2000, `{"id":"u"}`),
		},
		"two recordings of one meeting": {
			event("recording.completed", at, `{"uuid":"m==","id":5,"recording_files":[{"id":"f1"}]}`),
			event("recording.completed", at, `{"uuid":"m==","id":5,"recording_files":[{"id":"f2"}]}`),
		},
		"updates of a meeting": {
			event("meeting.updated", at, `{"id":5,"topic":"a"}`), event("meeting.updated", at+60_000, `{"id":5,"topic":"b"}`), event("meeting.updated", at+120_000, `{"id":5,"topic":"a"}`),
		},
		"updates of a user": {
			event("user.updated", at, `{"id":"u","dept":"x"}`), event("user.updated", at+1, `{"id":"u","dept":"y"}`), event("user.updated", at+2, `{"id":"u","dept":"x"}`),
		},
		"a meeting started twice": {
			event("meeting.started", at, `{"uuid":"m1==","id":5,"start_time":"2026-03-02T09:00:00Z"}`), event("meeting.started", at, `{"uuid":"m2==","id":5,"start_time":"2026-03-02T09:00:00Z"}`),
		},
		"holds of one call": {
			event("phone.callee_hold", at, `{"call_id":"1","date_time":"2026-03-02T09:00:00Z"}`), event("phone.callee_hold", at+7, `{"call_id":"1","date_time":"2026-03-02T09:00:00Z"}`),
		},
	} {
		ids := map[string]bool{}
		for _, b := range bodies {
			ids[idOf(t, b)] = true
		}
		if len(ids) != len(bodies) {
			t.Errorf("%s: of %d events %d are kept", what, len(bodies), len(ids))
		}
	}
}

// FuzzID: an id survives another spelling of the same body, and is the app's own.
func FuzzID(f *testing.F) {
	for _, name := range []string{"meeting.participant_joined", "recording.completed", "user.updated", "phone.callee_ringing", "app_deauthorized", "task.updated"} {
		f.Add(zoomcatalog.Sample(name))
	}
	f.Add([]byte(`{"event":"a","event_ts":"x","payload":{"object":[{"b":1},{"a":[[]]}]}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := Read(in)
		if err != nil {
			return
		}
		id := ID("app", &e)
		if id == "" || ID("other", &e) == id {
			t.Fatalf("the ids are %q and %q", id, ID("other", &e))
		}
		again := altered(t, in, func(tree map[string]any) { reversed(tree); tree["download_token"] = "t" })
		if got := idOf(t, again); got != id {
			t.Fatalf("%s became %s:\n%s\n%s", id, got, in, again)
		}
		if other := idBy(zoomcatalog.Key{}, "app", &e); zoomcatalog.KeyOf(e.Type).Whole() && other != id {
			t.Fatalf("the whole gives %s and %s", id, other)
		}
	})
}

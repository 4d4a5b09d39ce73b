package waits_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zflow/engine/waits"
	"zflow/internal/natstest"
	"zflow/proto"
)

const uuid = `{"payload":{"object":{"uuid":"u1"}}}`

// A waiter gets what comes while it is registered, and takes it away.
func TestRegisterArriveTookDrop(t *testing.T) {
	r := newRig(t)
	a, b := waiter("a", 3, "recording.completed", "payload.object.uuid", "u1"), waiter("b", 9, "recording.completed", "payload.object.uuid", "u1")
	r.comes(1, "recording.completed", uuid)
	r.has(a)
	r.register(a)
	r.register(a, a)
	r.comes(2, "recording.completed", uuid, "a")
	r.comes(2, "recording.completed", uuid, "a") // delivered again
	r.register(b)
	r.comes(3, "recording.completed", uuid, "a", "b")
	r.has(a, 2, 3)
	r.has(b, 3)
	must(t, r.Took(t.Context(), a, waits.Arrived{Sequences: []uint64{2, 77}}))
	must(t, r.Took(t.Context(), a, waits.Arrived{Sequences: []uint64{2}}))
	r.has(a, 3)
	r.has(b, 3)
	must(t, r.Drop(t.Context(), a))
	must(t, r.Drop(t.Context(), a))
	r.comes(4, "recording.completed", uuid, "b")
	r.has(a)
	must(t, r.Took(t.Context(), a, waits.Arrived{Sequences: []uint64{4}}))
	r.register(a) // a late ensure: nothing of before is there
	r.has(a)
	must(t, r.Drop(t.Context(), a, b))
	r.comes(5, "recording.completed", uuid)
	must(t, r.Register(t.Context()))
	must(t, r.Drop(t.Context()))
}

// Of a run that waits twice, for the same or for another thing, one wait is dropped.
func TestDropIsExact(t *testing.T) {
	r := newRig(t)
	kept := waiter("a", 9, "x", "id", "1")
	others := []waits.Waiter{waiter("a", 3, "x", "id", "1"), waiter("a", 9, "x", "id", "2"), waiter("a", 9, "y", "id", "1"), waiter("a", 9, "x"), waiter("b", 9, "x", "id", "1")}
	second, app, other := kept, kept, kept
	second.Alternative, app.Source, other.Workflow = 1, "app", "other"
	others = append(others, second, app, other)
	r.register(kept)
	r.register(others...)
	must(t, r.Drop(t.Context(), others...))
	r.comes(1, "x", `{"id":1}`, "a")
	r.has(kept, 1)
	for _, w := range others {
		r.has(w)
	}
}

// Each source, type and set of values is apart.
func TestMatch(t *testing.T) {
	r := newRig(t)
	app := waiter("app", 1, "meeting.ended", "id", "1")
	app.Source = "app"
	r.register(
		waiter("id", 1, "meeting.ended", "id", "1"), waiter("both", 1, "meeting.ended", "id", "1", "host", "h"), app,
		waiter("turned", 1, "meeting.ended", "id", "h", "host", "1"), waiter("any", 1, "meeting.ended"), waiter("type", 1, "meeting.started", "id", "1"))
	r.comes(1, "meeting.ended", `{"id":1,"host":"h"}`, "any", "both", "id")
	r.comes(2, "meeting.ended", `{"id":"1","host":"i"}`, "any", "id")
	r.comes(3, "meeting.ended", `{"id":"h","host":1}`, "any", "turned")
	r.comes(4, "meeting.ended", `{}`, "any")
	r.comes(5, "meeting.ended", `no JSON`, "any")
	r.comes(6, "meeting.ended", ``, "any")
	r.comes(7, "meeting.started", `{"id":1}`, "type")
	r.comes(8, "meeting", `{"id":1}`)
	r.comes(9, "meeting.ended.twice", `{"id":1}`)
	entries, err := r.Match(t.Context(), "app", "meeting.ended", []byte(`{"id":1}`))
	must(t, err)
	if woken, err := r.Arrive(t.Context(), 10, entries...); err != nil || len(woken) != 1 || woken[0] != app.Wait {
		t.Errorf("an event of apps wakes %v, %v", woken, err)
	}
}

func TestPatterns(t *testing.T) {
	r := newRig(t)
	r.register(waiter("all", 1, "*", "id", "1"), waiter("recordings", 1, "recording.*", "id", "1"), waiter("any completed", 1, "*.completed"),
		waiter("one", 1, "recording.completed", "id", "1"), waiter("other", 1, "recording.*", "uuid", "u"))
	r.comes(1, "recording.completed", `{"id":1}`, "all", "any completed", "one", "recordings")
	r.comes(2, "recording.started", `{"id":1,"uuid":"u"}`, "all", "other", "recordings")
	r.comes(3, "recording.started", `{"id":2}`)
	r.comes(4, "chat.completed", `{"id":2}`, "any completed")
	r.comes(5, "recording.*", `{"id":1}`, "all", "recordings") // a type that looks like one
	must(t, r.Drop(t.Context(), waiter("recordings", 1, "recording.*", "id", "1")))
	r.comes(6, "recording.started", `{"id":1,"uuid":"u"}`, "all", "other")
}

// Values are compared as text, whatever their type.
func TestValuesAsText(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 10_000)
	for i, c := range []struct {
		json, text string
		want       bool
	}{
		{`123`, "123", true}, {`"123"`, "123", true}, {`123.0`, "123", true}, {`1.23e2`, "123", true}, {`123`, "0123", false}, {`"0123"`, "0123", true},
		{`-0.5`, "-0.5", true}, {`98765432101234567890`, "98765432101234567890", true}, {`9007199254740993`, "9007199254740993", true},
		{`true`, "true", true}, {`"true"`, "true", true}, {`false`, "true", false}, {`null`, "", false}, {`null`, "null", false}, {`""`, "", true},
		{`"a b.c*>"`, "a b.c*>", true}, {`"日本"`, "日本", true}, {`"\u65e5\u672c"`, "日本", true}, {`"A"`, "a", false}, {`" a"`, "a", false},
		{`"` + long + `"`, long, true}, {`"` + long + `"`, long + "x", false}, {`"u\/1=="`, "u/1==", true}, {`"\u0000"`, "\x00", true},
	} {
		path := fmt.Sprint("p", i)
		w := waiter("a", 1, "x", path, c.text)
		r.register(w)
		body := `{"` + path + `":` + c.json + `}`
		want := []string{}
		if c.want {
			want = append(want, "a")
		}
		r.comes(uint64(i+1), "x", body, want...)
		if w.Wants("zoom", "x", []byte(body)) != c.want {
			t.Errorf("%.50s wants %.50s: not %v", c.text, c.json, c.want)
		}
	}
}

func TestPaths(t *testing.T) {
	r := newRig(t)
	const body = `{"a":{"b":[{"id":"first"},{"id":"second"},["x"]],"1":"one","":"empty","d.e":"dots"},"ä ö":"odd","b":"text"}`
	for i, c := range []struct {
		path, value string
		want        bool
	}{
		{"a.b.0.id", "first", true}, {"a.b[1].id", "second", true}, {"a.b[2][0]", "x", true}, {"a.b.2.0", "x", true}, {"a.b.3.id", "first", false},
		{"a.b.-1.id", "first", false}, {"a.b.id", "first", false}, {"a.b.99999999999999999999", "first", false}, {"a.1", "one", true}, {"a.", "empty", true},
		{"a.d.e", "dots", false}, {"ä ö", "odd", true}, {"b.c", "text", false}, {"", "", false}, {"a.b.0", `{"id":"first"}`, true}, {strings.Repeat("p", 10_000), "", false},
	} {
		w := waiter("a", 1, fmt.Sprint("type", i), c.path, c.value)
		r.register(w)
		want := []string{}
		if c.want {
			want = append(want, "a")
		}
		r.comes(uint64(i+1), w.Type, body, want...)
	}
}

func TestWants(t *testing.T) {
	w := waiter("a", 1, "recording.*", "id", "1", "host", "h")
	for _, c := range []struct {
		source, eventType, body string
		want                    bool
	}{
		{"zoom", "recording.completed", `{"id":1,"host":"h"}`, true}, {"app", "recording.completed", `{"id":1,"host":"h"}`, false},
		{"zoom", "meeting.ended", `{"id":1,"host":"h"}`, false}, {"zoom", "recording.completed", `{"id":1}`, false}, {"zoom", "recording.completed", `{"id":1,"host":"H"}`, false},
		{"zoom", "recording.completed", `{`, false},
	} {
		if got := w.Wants(c.source, c.eventType, []byte(c.body)); got != c.want {
			t.Errorf("%v: %v", c, got)
		}
	}
}

// Types and sources may be any text.
func TestOddTypes(t *testing.T) {
	r := newRig(t)
	for i, eventType := range []string{"", "_", "a b", "日本", ">", "a>", strings.Repeat("x", 3_000), strings.Repeat("x", 3_001)} {
		r.register(waiter(fmt.Sprint(i), 1, eventType, "id", "1"))
		r.comes(1, eventType, `{"id":1}`, fmt.Sprint(i))
	}
}

// Over restarts all stays that was said to be done.
func TestWaitsOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := newRig(t)
		a, b := waiter("a", 3, "x", "id", "1"), waiter("b", 3, "x", "id", "1")
		steps := []func(){
			func() { r.register(a, b) },
			func() { r.comes(7, "x", `{"id":1}`, "a", "b") },
			func() { r.has(a, 7); must(t, r.Took(t.Context(), a, waits.Arrived{Sequences: []uint64{7}})) },
			func() { r.has(a); r.has(b, 7); must(t, r.Drop(t.Context(), b)) },
			func() { r.comes(8, "x", `{"id":1}`, "a") },
		}
		for _, step := range steps {
			step()
			r.server.Restart(t)
			time.Sleep(time.Second)
		}
	})
}

// What nobody waits for leaves nothing behind, after a while, but the set of paths.
func TestNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := newRig(t)
		for i := range 10 {
			w := waiter("a", uint64(i), "x", "id", fmt.Sprint(i))
			r.register(w)
			r.comes(uint64(i+1), "x", fmt.Sprintf(`{"id":%d}`, i), "a")
			must(t, r.Drop(t.Context(), w))
		}
		time.Sleep(3 * time.Minute)
		if n := r.messages(); n != 1 {
			t.Errorf("%d messages are left, want the set of paths", n)
		}
		r.register(waiter("b", 1, "x", "id", "1"))
		r.comes(20, "x", `{"id":1}`, "b")
	})
}

func TestErrorsOfWaits(t *testing.T) {
	s := natstest.Start(t)
	if _, err := waits.Open(t.Context(), s.JetStream(t), s.Gate(t)); err == nil || !strings.Contains(err.Error(), "WAITERS") {
		t.Errorf("opened nothing: %v", err)
	}
	r := newRig(t)
	w := waiter("a", 7, "x", "id", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errArrivals := r.Arrivals(ctx, w)
	r.register(w)
	entries, err := r.Match(t.Context(), "zoom", "x", []byte(`{"id":1}`))
	must(t, err)
	_, errArrive := r.Arrive(ctx, 8, entries...)
	for what, err := range map[string]error{
		"registering run a, which waits for x (fact 7)": r.Register(ctx, w), "dropping run a,": r.Drop(ctx, w), "looking what came for run a,": errArrivals,
		"dropping what came for run a,": r.Took(ctx, w, waits.Arrived{Sequences: []uint64{1}}), "event 8 in EVENTS": errArrive,
	} {
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), what) {
			t.Errorf("want %q: %v", what, err)
		}
	}
	r.has(w)
}

// What somebody else wrote into the bucket is an error that names the key.
func TestDamagedWaiters(t *testing.T) {
	w := waiter("a", 7, "x", "id", "1")
	for _, key := range []string{proto.WaitKey("zoom", "x", []string{"id"}, []string{"1"}), proto.PathsKey("zoom", "x"), proto.PatternsKey("zoom")} {
		r := newRig(t)
		r.register(w, waiter("a", 8, "*"))
		_, err := r.server.JetStream(t).Publish(t.Context(), "$KV.WAITERS."+key, []byte("?"))
		must(t, err)
		if strings.HasPrefix(key, "wait.") {
			_, err = r.Arrivals(t.Context(), w)
		} else {
			_, err = r.Match(t.Context(), "zoom", "x", nil)
		}
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
		if err := r.Register(t.Context(), w, waiter("a", 8, "*")); err == nil || !strings.Contains(err.Error(), "reading ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

package expr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

func benchmark(b *testing.B, src string) {
	p, err := Compile(src, testScope())
	if err != nil {
		b.Fatal(err)
	}
	env := testEnv()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Eval(env, testClock); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPath(b *testing.B)      { benchmark(b, "steps.people.output.participants") }
func BenchmarkDefault(b *testing.B)   { benchmark(b, "event.object?.c ?? ''") }
func BenchmarkCondition(b *testing.B) { benchmark(b, "event.id > 3 && event.topic endsWith 'ly'") }
func BenchmarkLoop(b *testing.B)      { benchmark(b, "map(filter(event.list, # > 1), # * 2)") }
func BenchmarkNow(b *testing.B)       { benchmark(b, "now() + duration('1d')") }

func BenchmarkTemplate(b *testing.B) {
	tpl, err := ParseTemplate(obj{"to": "${{ event.topic }}", "text": "Hello ${{ event.id }}, ${{ vars.office }}", "n": "${{ event.id + 1 }}", "fixed": obj{"a": 1}}, testScope())
	if err != nil {
		b.Fatal(err)
	}
	env := testEnv()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tpl.Eval(env, testClock); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	s := testScope()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile("event.id > 3 && event.topic endsWith 'ly'", s); err != nil {
			b.Fatal(err)
		}
	}
}

// webhook is an event as Zoom sends it, in size and shape.
func webhook() []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, `{"event":"meeting.ended","event_ts":1772445600123,"payload":{"account_id":"abcDEF123","object":{"uuid":"u/1==","id":"98765432101","host_id":"xyz","topic":"Weekly \"sync\"","type":2,"start_time":"2026-03-02T09:00:00Z","timezone":"Europe/Berlin","duration":45,"participants":[`)
	for i := range 5 {
		fmt.Fprintf(&b, `%s{"user_id":"%d","user_name":"Someone %d","email":"u%d@example.org","join_time":"2026-03-02T09:00:00Z"}`, map[bool]string{true: "", false: ","}[i == 0], i, i, i)
	}
	fmt.Fprint(&b, `]}}}`)
	return b.Bytes()
}

func BenchmarkDecodeJSON(b *testing.B) {
	data := webhook()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeJSON(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStandardJSON is what DecodeJSON is compared with.
func BenchmarkStandardJSON(b *testing.B) {
	data := webhook()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeJSON(b *testing.B) {
	v, err := DecodeJSON(webhook())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EncodeJSON(v); err != nil {
			b.Fatal(err)
		}
	}
}

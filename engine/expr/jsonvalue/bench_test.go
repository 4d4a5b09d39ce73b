package jsonvalue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

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

func BenchmarkDecode(b *testing.B) {
	data := webhook()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStandardJSON is what Decode is compared with.
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

func BenchmarkEncode(b *testing.B) {
	v, err := Decode(webhook())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(v); err != nil {
			b.Fatal(err)
		}
	}
}

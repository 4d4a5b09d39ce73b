package app

import (
	"errors"
	"sync"
	"testing"

	"zflow/engine/expr"
	"zflow/internal/zoomcatalog"
)

// said is what a person is told about an expression over an event of this type.
func said(t *testing.T, types *eventTypes, event, src string) string {
	t.Helper()
	body, ok := types.of(event)
	if !ok {
		t.Fatalf("nothing is known of %s", event)
	}
	p, err := expr.Compile(src, expr.NewScope(map[string]expr.Type{"event": body}, nil, nil))
	var e *expr.Error
	switch {
	case errors.As(err, &e):
		return "error: " + e.Message
	case err != nil:
		t.Fatal(err)
	case len(p.Warnings()) > 0:
		return p.Warnings()[0].Message
	}
	return ""
}

func TestEventTypes(t *testing.T) {
	types := &eventTypes{}
	const object = "event.payload.object"
	for _, c := range []struct{ event, src, want string }{
		{"meeting.ended", object + ".duration >= 5", ""},
		{"meeting.ended", object + ".duraton >= 5", "error: event.payload.object has no field duraton"},
		{"meeting.ended", object + ".participant.user_name", "event.payload.object has no known field participant"},
		{"meeting.*", object + ".participant.user_name", ""},
		{"meeting.*", object + ".duration", ""},
		{"*", object + ".recording_files[0].file_type", ""},
		{"*.ended", object + ".recording_files", "event.payload.object has no known field recording_files"},
		{"recording.completed", "map(" + object + ".recording_files, .file_typ)", "error: there is no field file_typ here"},
		{"recording.completed", object + ".recording_files.file_type", "event.payload.object.recording_files is a list and has no field file_type"},
		{"recording.completed", object + ".duration == '45'", "event.payload.object.duration is a number, and is compared with text"},
		{"recording.completed", object + ".on_prem == 1", "event.payload.object.on_prem is true or false, and is compared with a number"},
		{"recording.completed", object + ".id == '91000000001'", ""}, // a number in the documents
		{"meeting.ended", object + ".id == 91000000001", ""},         // and text here
		{"meeting.ended", object + ".host_id == 1", ""},
		{"meeting.ended", "event.event_ts == '1'", ""},
		{"account.updated", "event.payload.old_object.account_name", ""}, // whatever has changed
	} {
		if got := said(t, types, c.event, c.src); got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.event, c.src, got, c.want)
		}
	}
	for _, name := range []string{"meeting.endet", "contact_center.consumer_messaging_opt_in", "x.*", ""} {
		if typ, ok := types.of(name); ok {
			t.Errorf("%s is %v", name, typ.FieldNames())
		}
	}
}

// Every field of every event can be named without a word said.
func TestEveryEventHasAType(t *testing.T) {
	types, n := &eventTypes{}, 0
	for _, name := range zoomcatalog.Names() {
		body, ok := zoomcatalog.EventFields(name)
		if !ok {
			continue
		}
		n++
		for _, f := range body.Fields {
			if got := said(t, types, name, "event['"+f.Name+"']"); got != "" {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	if n != 582 {
		t.Errorf("%d events have types", n)
	}
}

func TestATypeIsMadeOnce(t *testing.T) {
	types := &eventTypes{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { types.of("recording.*") })
	}
	wg.Wait()
	if n := testing.AllocsPerRun(10, func() { types.of("recording.*") }); n > 0 {
		t.Errorf("the second look costs %v allocations", n)
	}
}

func BenchmarkEventType(b *testing.B) {
	for _, pattern := range []string{"meeting.ended", "recording.completed", "meeting.*", "*"} {
		b.Run(pattern, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				eventType(pattern)
			}
		})
	}
}

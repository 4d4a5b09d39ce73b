package record

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"zflow/internal/flowtest/testfile"
	"zflow/internal/operator"
	"zflow/proto"
)

// EventOrder says which event is recorded, and where.
type EventOrder struct {
	Event string // its id or sequence; empty: the newest of Type
	Type  string // a type, or a pattern
	To    string // the folder of the test
	Force bool   // files that are there may be replaced
}

// EventMade is a recorded event.
type EventMade struct {
	ID     string   `json:"id"`
	Type   string   `json:"type"`
	Stanza string   `json:"event"` // how a test in the folder names it, as YAML
	Files  []string `json:"files"`
}

// Event writes an event's body as a fixture.
func Event(ctx context.Context, o *operator.Operator, order EventOrder) (*EventMade, error) {
	if order.Event == "" {
		newest, err := o.Events(ctx, operator.EventQuery{Type: order.Type, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(newest) == 0 {
			return nil, fmt.Errorf("recording an event: there is none of type %.60q", order.Type)
		}
		order.Event = newest[0].ID
	}
	e, err := o.Event(ctx, order.Event)
	if err != nil {
		return nil, err
	}
	out := folder{dir: order.To, force: order.Force}
	stanza, err := out.event("", happened{Type: e.Type, Source: e.Source, Body: e.Body, Trigger: e.Trigger})
	if err != nil {
		return nil, fmt.Errorf("recording event %s: %w", e.ID, err)
	}
	m := &EventMade{ID: e.ID, Type: e.Type, Stanza: "event: " + flow(stanza)}
	m.Files, err = out.write()
	return m, err
}

// happened is an event from outside, with what is sealed in it masked.
type happened struct {
	Type, Source string
	Body         json.RawMessage
	Trigger      json.RawMessage // what a request had beside its body
}

var typeText = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// event adds the fixture of an event and returns how a test names it.
func (f *folder) event(prefix string, e happened) (object, error) {
	kind, _, _ := strings.Cut(e.Source, "/")
	if kind == proto.SourceHTTP {
		return f.requested(prefix, e)
	}
	if kind == "poll" || kind == "schedule" || kind == "email" || kind == "run" {
		e.Type = kind // a test means its own workflow
	}
	switch {
	case !typeText.MatchString(e.Type):
		return nil, fmt.Errorf("a test cannot name its type %.60q", e.Type)
	case !slices.Contains([]string{"zoom", "app", "call", "poll", "schedule", "email", "run"}, kind):
		return nil, fmt.Errorf("it comes from %.60q, and a test has events of Zoom, of applications, of polls, schedules, mails and runs, requests and calls", kind)
	}
	body, err := pretty(e.Body)
	if err != nil {
		return nil, err
	}
	stanza := object{{"type", e.Type}}
	if said := (&testfile.Event{Type: e.Type}); said.Kind() != kind {
		stanza.add("source", kind)
	}
	name := f.free("fixtures/"+prefix+strings.ReplaceAll(e.Type, ".", "_"), f.hidden.out(body))
	stanza.add("file", name)
	return stanza, nil
}

// requested adds the body of a request and returns how a test names it.
func (f *folder) requested(prefix string, e happened) (object, error) {
	o, err := f.hidden.request(e.Trigger)
	if err != nil {
		return nil, err
	}
	body, err := pretty(e.Body)
	if err != nil {
		return nil, err
	}
	return object{{"http", o}, {"file", f.free("fixtures/"+prefix+"request", f.hidden.out(body))}}, nil
}

// free adds a file under a name that no other of the files has.
func (f *folder) free(base string, data []byte) string {
	for n := 1; ; n++ {
		name := base + ".json"
		if n > 1 {
			name = fmt.Sprintf("%s_%d.json", base, n)
		}
		i := slices.IndexFunc(f.files, func(one file) bool { return one.name == name })
		if i < 0 {
			f.add(name, data)
		}
		if i < 0 || bytes.Equal(f.files[i].data, data) {
			return name
		}
	}
}

// pretty indents a body.
func pretty(body []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		return nil, fmt.Errorf("its body is no JSON: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

package app

import (
	"strings"
	"sync"

	"zflow/engine/expr"
	"zflow/internal/zoomcatalog"
)

// eventTypes makes the types of Zoom's events for expressions, each once.
type eventTypes struct {
	mu   sync.Mutex
	made map[string]expr.Type
}

// of returns what is known of the body of an event. For a pattern such as
// recording.* it is the union of the events it covers, without those of which only
// the names are known; ok is false where there is none.
func (e *eventTypes) of(pattern string) (t expr.Type, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok = e.made[pattern]; ok {
		return t, true
	}
	if t, ok = eventType(pattern); !ok {
		return t, false
	}
	if e.made == nil {
		e.made = map[string]expr.Type{}
	}
	e.made[pattern] = t
	return t, true
}

func eventType(pattern string) (expr.Type, bool) {
	names := []string{pattern}
	if strings.Contains(pattern, "*") {
		names = zoomcatalog.Names()
	}
	var types []expr.Type
	for _, name := range names {
		if name != pattern && !zoomcatalog.Match(pattern, name) {
			continue
		}
		if body, ok := zoomcatalog.EventFields(name); ok {
			types = append(types, typeOfField(body))
		}
	}
	return expr.Union(types...), len(types) > 0
}

// typeOfField is what can be relied on: the fields of objects and the elements of
// lists. Zoom writes ids and event_ts as text in one event and as a number in
// another, against its own documents too, so nothing is said about these.
func typeOfField(f zoomcatalog.Field) expr.Type {
	switch {
	case len(f.Fields) > 0:
		fields := make(map[string]expr.Type, len(f.Fields))
		for _, inner := range f.Fields {
			fields[inner.Name] = typeOfField(inner)
		}
		return expr.Guided(fields)
	case f.Items != nil:
		return expr.List(typeOfField(*f.Items))
	case f.Name == "id" || f.Name == "event_ts" || strings.HasSuffix(f.Name, "_id"):
		return expr.Type{}
	}
	switch f.Type {
	case "string":
		return expr.Scalar(expr.Text)
	case "integer", "number":
		return expr.Scalar(expr.Number)
	case "boolean":
		return expr.Scalar(expr.Bool)
	}
	return expr.Type{}
}

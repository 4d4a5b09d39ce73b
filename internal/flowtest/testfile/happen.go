package testfile

import (
	"regexp"
	"slices"
	"strings"

	"zflow/engine/definition/document"
	"zflow/internal/zoomcatalog"
)

var eventType = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// event reads an event over what is there.
func (r *reader) event(n *node, e *Event) {
	if n == nil || !r.keys(n, "event", "type", "source", "at", "file", "body", "set", "http", "connection") {
		return
	}
	e.Line = n.Line
	if at := n.Get("type"); at != nil {
		e.Type = r.text(at, "type")
		if e.Type != "" && !eventType.MatchString(e.Type) {
			r.Fail(at, "such as meeting.ended", "%q is no event type", e.Type)
		}
	}
	if at := n.Get("source"); at != nil {
		if e.Source = r.text(at, "source"); !slices.Contains(sources, e.Source) {
			r.Fail(at, "it is one of "+strings.Join(sources, ", "), "there is no source %s", e.Source)
		}
	}
	if at := n.Get("connection"); at != nil {
		e.Connection = r.text(at, "connection")
	}
	if at := n.Get("at"); at != nil {
		e.At = r.start(at, "at", e.At)
	}
	if at := n.Get("file"); at != nil {
		e.File, e.Body = r.text(at, "file"), nil
	}
	if at := n.Get("body"); at != nil {
		if n.Get("file") != nil {
			r.Fail(at, "leave one of them out", "event has a file and a body")
		}
		e.Body, e.File = r.json(at), ""
	}
	if at := n.Get("http"); at != nil {
		e.HTTP, e.Type = r.request(at), "http"
	}
	e.Set = append(slices.Clone(e.Set), r.settings(n.Get("set"))...)
}

// request reads a request.
func (r *reader) request(n *node) *Request {
	q := &Request{Query: map[string]any{}, Headers: map[string]string{}}
	if !r.keys(n, "http", "method", "path", "query", "headers", "auth") {
		return q
	}
	if at := n.Get("method"); at != nil {
		q.Method = strings.ToUpper(r.text(at, "method"))
	}
	if at := n.Get("path"); at != nil {
		q.Path = r.text(at, "path")
	}
	if at := n.Get("auth"); at != nil {
		if q.Auth = (&Caller{}); at.IsText() {
			q.Auth.Secret = r.text(at, "auth")
		} else {
			q.Auth.Known = r.flag(at, "auth")
		}
	}
	for _, f := range r.fields(n.Get("query"), "query") {
		if f.Value.Kind != document.List {
			q.Query[f.Key.Value] = r.maybeEmpty(f.Value, "a value of query")
			continue
		}
		all := []any{}
		for _, item := range f.Value.Items {
			all = append(all, r.maybeEmpty(item, "a value of query"))
		}
		q.Query[f.Key.Value] = all
	}
	for _, f := range r.fields(n.Get("headers"), "headers") {
		q.Headers[strings.ToLower(f.Key.Value)] = r.maybeEmpty(f.Value, "a header")
	}
	return q
}

// maybeEmpty reads a text that may be empty.
func (r *reader) maybeEmpty(n *node, what string) string {
	if n.IsText() && n.Value == "" {
		return ""
	}
	return r.text(n, what)
}

// fields are those of an object, none where it is not there.
func (r *reader) fields(n *node, what string) []document.Pair {
	if n == nil {
		return nil
	}
	if n.Kind != document.Object {
		r.Fail(n, "such as "+what+": { name: text }", "%s is an object, this is %s", what, n.What())
		return nil
	}
	return n.Fields
}

var sources = []string{"zoom", "app", "call", "poll", "schedule", "email", "run"}

// Kind is the source of an event: what the file says, else Zoom where Zoom has
// such an event.
func (e *Event) Kind() string {
	switch _, known := zoomcatalog.Lookup(e.Type); {
	case e.HTTP != nil:
		return "http"
	case e.Source != "":
		return e.Source
	case e.Type == "call" || e.Type == "poll" || e.Type == "schedule" || e.Type == "email" || e.Type == "run":
		return e.Type
	case known:
		return "zoom"
	}
	return "app"
}

func (r *reader) settings(n *node) []Setting {
	if n == nil {
		return nil
	}
	if n.Kind != document.Object {
		r.Fail(n, "such as set: { payload.object.duration: 45 }", "set is an object, this is %s", n.What())
		return nil
	}
	var all []Setting
	for _, f := range n.Fields {
		path := strings.Split(f.Key.Value, ".")
		if slices.Contains(path, "") {
			r.Fail(f.Key, "such as payload.object.duration", "%q is no path", f.Key.Value)
			continue
		}
		all = append(all, Setting{path, r.value(f.Value)})
	}
	return all
}

// kinds are what can happen; each action is one of them.
var kinds = []string{"crash", "event", "signal", "approve", "cancel", "redeliver"}

func (r *reader) then(n *node) []Action {
	if n == nil {
		return nil
	}
	if n.Kind != document.List {
		r.Fail(n, "such as - { after: 2h, crash: true }", "then is a list, this is %s", n.What())
		return nil
	}
	var all []Action
	for _, item := range n.Items {
		a, ok := r.action(item)
		if ok && len(all) > 0 && a.After < all[len(all)-1].After {
			r.Fail(item, "after counts from the test's event on, not from the line before", "this happens before what stands above it")
		}
		all = append(all, a)
	}
	return all
}

func (r *reader) action(n *node) (a Action, ok bool) {
	a.Line = n.Line
	if !r.keys(n, "what happens", append([]string{"after"}, kinds...)...) {
		return a, false
	}
	a.After = r.duration(r.required(n, "after", "how long after the test's event, such as 2h"), "after")
	n0 := 0
	for _, k := range kinds {
		if n.Get(k) != nil {
			n0++
		}
	}
	if n0 != 1 {
		r.Fail(n, "it is one of "+strings.Join(kinds, ", "), "one thing happens at a time, here are %d", n0)
		return a, false
	}
	a.Crash = r.flag(n.Get("crash"), "crash")
	a.Redeliver = r.flag(n.Get("redeliver"), "redeliver")
	if e := n.Get("event"); e != nil {
		a.Event = &Event{}
		if r.event(e, a.Event); a.Event.Type == "" && e.Kind == document.Object {
			r.Fail(e, "such as type: recording.completed", "type is missing")
		}
	}
	a.Signal, a.Approve, a.Cancel = r.signal(n.Get("signal")), r.approve(n.Get("approve")), r.cancel(n.Get("cancel"))
	return a, true
}

func (r *reader) signal(n *node) *Signal {
	if n == nil || !r.keys(n, "signal", "name", "data") {
		return nil
	}
	return &Signal{Name: r.text(r.required(n, "name", ""), "name"), Data: r.json(n.Get("data"))}
}

func (r *reader) approve(n *node) *Approve {
	if n == nil || !r.keys(n, "approve", "step", "choice", "comment", "fields") {
		return nil
	}
	return &Approve{
		Step: r.text(r.required(n, "step", "the path of the step that asks"), "step"), Choice: r.text(r.required(n, "choice", "such as approved"), "choice"),
		Comment: r.text(n.Get("comment"), "comment"), Fields: r.json(n.Get("fields")),
	}
}

func (r *reader) cancel(n *node) *Cancel {
	switch {
	case n == nil:
		return nil
	case n.Kind == document.Object:
		r.keys(n, "cancel", "now")
		return &Cancel{Now: r.flag(n.Get("now"), "now")}
	case !r.flag(n, "cancel"):
		return nil
	}
	return &Cancel{}
}

package zoomsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/oauth"
)

// call is a REST call that may go on: it has an app and a body that is JSON.
type call struct {
	op    zoomcatalog.Op
	by    oauth.Grant
	id    string // the path's parameter, decoded
	query url.Values
	body  map[string]any
	now   time.Time
	told  []Event // what the call makes happen
	made  []Happened
}

// handler does an operation. It runs under the Sim's lock.
type handler func(*Sim, *call) answer

// route is an operation with its handler.
type route struct {
	op       zoomcatalog.Op
	segments []string
	do       handler
}

func newRoutes() []route {
	handlers := map[string]handler{
		"create_meeting":                 (*Sim).createMeeting,
		"get_meeting":                    (*Sim).getMeeting,
		"update_meeting":                 (*Sim).updateMeeting,
		"delete_meeting":                 (*Sim).deleteMeeting,
		"list_meetings":                  (*Sim).listMeetings,
		"add_meeting_registrant":         (*Sim).addRegistrant,
		"list_past_meeting_participants": (*Sim).listParticipants,
		"get_meeting_recordings":         (*Sim).getRecordings,
		"send_chat_message":              (*Sim).sendChatMessage,
	}
	var routes []route
	for _, op := range zoomcatalog.Operations() {
		if do := handlers[op.Name]; do != nil {
			routes = append(routes, route{op: op, segments: strings.Split("/v2"+op.Path, "/"), do: do})
		}
	}
	return routes
}

// find returns the route of a call and its path parameter, still encoded. The
// path is split before it is decoded: a slash in a parameter must not divide.
func (s *Sim) find(method, escapedPath string) (*route, string) {
	segments := strings.Split(escapedPath, "/")
	for i := range s.routes {
		r := &s.routes[i]
		if r.op.Method != method || len(r.segments) != len(segments) {
			continue
		}
		if param, ok := bind(r.segments, segments); ok {
			return r, param
		}
	}
	return nil, ""
}

func bind(pattern, segments []string) (param string, ok bool) {
	for i := range pattern {
		switch {
		case strings.HasPrefix(pattern[i], "{") && segments[i] != "":
			param = segments[i]
		case pattern[i] != segments[i]:
			return "", false
		}
	}
	return param, true
}

// decodeID decodes a path parameter as Zoom does: once, and once more if that
// leaves something encoded. An id that begins with a slash or has two in a row
// must have come encoded twice.
func decodeID(param string) (string, bool) {
	once, err := url.PathUnescape(param)
	if err != nil {
		return "", false
	}
	if strings.Contains(once, "%") {
		if twice, err := url.PathUnescape(once); err == nil {
			return twice, true
		}
	}
	return once, !strings.HasPrefix(once, "/") && !strings.Contains(once, "//")
}

func (s *Sim) serveREST(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	entry := Entry{Kind: KindCall, Method: r.Method, Path: path, Query: r.URL.RawQuery, Body: wordOf(body), Time: time.Now()}
	if err != nil {
		s.reply(w, entry, zoomError(http.StatusBadRequest, 300, "Request Body should be a valid JSON object."))
		return
	}
	route, param := s.find(r.Method, path)
	if route != nil {
		entry.Operation = route.op.Name
	}
	s.serve(w, r, &entry, func() answer { return s.answerREST(r, route, param, body, &entry) })
}

// serve answers a call with what do returns, unless a fault is due.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, e *Entry, do func() answer) {
	f := s.takeFault(r.Method, r.URL.EscapedPath())
	if f == nil {
		a := do()
		s.reply(w, *e, a)
		return
	}
	if f.Delay > 0 && !s.wait(r, f.Delay) {
		e.Note = "fault: the caller left during the delay"
		s.ledger.add(*e)
		return
	}
	var a answer
	if f.Do || f.onlyDelays() {
		a = do()
	}
	if f.onlyDelays() {
		s.reply(w, *e, a)
		return
	}
	s.fail(w, r, *e, f)
}

// answerREST does the call and makes its events happen.
func (s *Sim) answerREST(r *http.Request, route *route, param string, body []byte, e *Entry) answer {
	if route == nil {
		return zoomError(http.StatusNotFound, 2300, "This API endpoint is not recognized.")
	}
	c := &call{op: route.op, query: r.URL.Query(), now: time.Now()}
	a := s.admit(r, c, param, body)
	e.App = c.by.App.ClientID
	if a == nil {
		done := s.perform(route.do, c)
		a = &done
	}
	for _, h := range c.made {
		s.deliver(h, 1)
	}
	return *a
}

// perform runs a handler with the limits' headers on its answer. Answer and
// events are made into text before the lock is left: they share the world's maps.
func (s *Sim) perform(do handler, c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	header, refused := s.spend(c.op.Label, c.by.Account, c.now)
	if refused != nil {
		return *refused
	}
	a := do(s, c)
	if a.header == nil {
		a.header = header
	}
	for _, e := range c.told {
		c.made = append(c.made, s.compose(e, c.by.Account))
	}
	return a.written()
}

// admit checks token, scope, path and body; it returns a refusal or nil.
func (s *Sim) admit(r *http.Request, c *call, param string, body []byte) *answer {
	by, refused := s.authorize(r)
	if refused != nil {
		return refused
	}
	c.by = by
	if !by.Allows(c.op.Scopes()) {
		a := lacksScope(c.op)
		return &a
	}
	id, ok := decodeID(param)
	if !ok {
		a := noMeeting(id)
		return &a
	}
	c.id = id
	if c.op.Method == http.MethodGet || c.op.Method == http.MethodDelete {
		return nil
	}
	if c.body, ok = decodeObject(body); !ok {
		a := zoomError(http.StatusBadRequest, 300, "Request Body should be a valid JSON object.")
		return &a
	}
	return nil
}

func lacksScope(op zoomcatalog.Op) answer {
	return zoomError(http.StatusBadRequest, 4711, "Invalid access token, does not contain scopes:[%s].", strings.Join(op.Granular, ", "))
}

// decodeObject reads a JSON object; numbers keep their digits.
func decodeObject(text []byte) (map[string]any, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if d.Decode(&object) != nil || object == nil || d.More() {
		return nil, false
	}
	return object, true
}

package rest

import (
	"net/url"
	"strings"
	"time"

	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/oauth"
)

// Call is a call that may go on: it has a good token and a body that is JSON.
type Call struct {
	Op    zoomcatalog.Op
	By    oauth.Grant
	ID    string   // the path's first parameter, decoded
	IDs   []string // all of them
	Query url.Values
	Body  map[string]any
	Now   time.Time
	Made  []Happened // what the call made happen
}

// Happened is an event that happened, as webhooks carry it.
type Happened struct {
	Type    string
	Account string
	Body    []byte
}

// Handler does an operation.
type Handler func(*Call) Answer

// Route is an operation with its handler.
type Route struct {
	Op       zoomcatalog.Op
	Do       Handler
	segments []string
}

// Router finds the operation of a call.
type Router []Route

// NewRouter returns the operations that have a handler, by name.
func NewRouter(handlers map[string]Handler) Router {
	var routes Router
	for _, op := range zoomcatalog.Operations() {
		if do := handlers[op.Name]; do != nil {
			routes = append(routes, Route{Op: op, Do: do, segments: strings.Split("/v2"+op.Path, "/")})
		}
	}
	return routes
}

// Find returns the route of a call and its path parameters, still encoded. The
// path is split before it is decoded: a slash in a parameter must not divide.
func (all Router) Find(method, escapedPath string) (*Route, []string) {
	segments := strings.Split(escapedPath, "/")
	for i := range all {
		r := &all[i]
		if r.Op.Method != method || len(r.segments) != len(segments) {
			continue
		}
		if params, ok := bind(r.segments, segments); ok {
			return r, params
		}
	}
	return nil, nil
}

func bind(pattern, segments []string) (params []string, ok bool) {
	for i := range pattern {
		switch {
		case strings.HasPrefix(pattern[i], "{") && segments[i] != "":
			params = append(params, segments[i])
		case pattern[i] != segments[i]:
			return nil, false
		}
	}
	return params, true
}

// Take puts the decoded parameters into the call; false names one that is not
// encoded as it must be.
func (c *Call) Take(params []string) (wrong string, ok bool) {
	for _, param := range params {
		id, good := decodeID(param)
		if !good {
			return id, false
		}
		c.IDs = append(c.IDs, id)
	}
	if len(c.IDs) > 0 {
		c.ID = c.IDs[0]
	}
	return "", true
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

// LacksScope refuses a call whose token was not granted what the operation needs.
func LacksScope(op zoomcatalog.Op) Answer {
	scopes := op.Granular
	if len(scopes) == 0 {
		scopes = op.Classic
	}
	return Error(400, 4711, "Invalid access token, does not contain scopes:[%s].", strings.Join(scopes, ", "))
}

package http

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	nethttp "net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"zflow/proto"
	"zflow/sources"
)

// Path begins the paths of HTTP triggers.
const Path = proto.PathHTTP

// Limits are those of requests. Zero numbers are the defaults.
type Limits struct {
	Body    int64         // bytes of a body that stands in an event, within what the server takes: 1 MiB
	Upload  int64         // bytes of the files of a request: 32 MiB
	Read    time.Duration // for a body: 10 s; for files 2 min
	Reading int           // requests that are read at once: 1,024
	Files   int           // of them with files: 32
	Waiting int           // requests that wait for their run: 1,000
}

const (
	defaultBody    = 1 << 20
	defaultUpload  = 32 << 20
	defaultRead    = 10 * time.Second
	readFiles      = 2 * time.Minute
	storeWithin    = 5 * time.Second
	defaultReading = 1024
	defaultFiles   = 32
	defaultWaiting = 1000
	writeWithin    = 10 * time.Second
	retryAfter     = "5" // seconds, beside 503
)

func (l Limits) withDefaults() Limits {
	return Limits{Body: cmp.Or(l.Body, defaultBody), Upload: cmp.Or(l.Upload, defaultUpload), Read: cmp.Or(l.Read, defaultRead),
		Reading: cmp.Or(l.Reading, defaultReading), Files: cmp.Or(l.Files, defaultFiles), Waiting: cmp.Or(l.Waiting, defaultWaiting)}
}

// Config is what a Handler is made of.
type Config struct {
	Limits
	// Routes returns the table that is known, nil while none is.
	Routes func() *Table
	// Fresh asks for the routes again, unless that was done a moment ago, and returns
	// the table; nil: as Routes.
	Fresh func(context.Context) *Table
	// Publish stores an event durably.
	Publish func(context.Context, *proto.Event) (sources.Ack, error)
	// Room returns an error while nothing may be accepted; nil: always room.
	Room func(context.Context) error
	// MaxPayload returns the NATS server's limit, 0 while it is unknown.
	MaxPayload func() int64
	Files      Files
	Runs       Runs
	Log        *zap.Logger
}

// Handler answers requests to HTTP triggers. See the package's obligations.
type Handler struct {
	config  Config
	reading chan struct{}
	files   chan struct{}
	waiting chan struct{}
	counts  counts
	stop    chan struct{}
	stopped atomic.Bool
}

// NewHandler returns a handler.
func NewHandler(c Config) *Handler {
	c.Limits = c.Limits.withDefaults()
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return &Handler{config: c, reading: make(chan struct{}, c.Reading), files: make(chan struct{}, c.Limits.Files), waiting: make(chan struct{}, c.Waiting),
		counts: counts{all: map[Count]*atomic.Int64{}}, stop: make(chan struct{})}
}

// Stop ends the waits: who waits is told that the run goes on.
func (h *Handler) Stop() {
	if !h.stopped.Swap(true) {
		close(h.stop)
	}
}

// Stats says what became of the requests, by workflow, and how many wait.
func (h *Handler) Stats() (counts []Count, waiting int) { return h.counts.list(), len(h.waiting) }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	routes, f := h.routes(r)
	if f != nil {
		h.refuse(w, nil, f)
		return
	}
	route := find(routes, r.Method)
	if h.aside(w, r, routes, route) {
		return
	}
	if route == nil {
		w.Header().Set("Allow", allowed(routes))
		h.refuse(w, routes[0], &fault{BadMethod, "the workflow takes " + allowed(routes) + " here", 0})
		return
	}
	(*origins)(route.CORS).mark(w.Header(), r)
	if f := h.serve(w, r, route); f != nil {
		h.refuse(w, route, f)
	}
}

// routes returns those of the request's path.
func (h *Handler) routes(r *nethttp.Request) ([]*Route, *fault) {
	path := r.URL.Path[len(Path):]
	table := h.config.Routes()
	if table == nil && h.config.Fresh != nil {
		table = h.config.Fresh(r.Context())
	}
	if table == nil {
		return nil, &fault{NoRoutes, "the workflows are not known yet: send it again", 0}
	}
	routes := table.at(path)
	if len(routes) == 0 && h.config.Fresh != nil {
		if table = h.config.Fresh(r.Context()); table != nil {
			routes = table.at(path)
		}
	}
	if len(routes) == 0 {
		return nil, &fault{UnknownPath, "no workflow has this path", 0}
	}
	return routes, nil
}

// refuse answers what is not taken.
func (h *Handler) refuse(w nethttp.ResponseWriter, route *Route, f *fault) {
	workflow := ""
	if route != nil {
		workflow = route.Workflow
		if c := route.Auth.challenge(); f.Outcome == Unauthorized && c != "" {
			w.Header().Set("WWW-Authenticate", c)
		}
	}
	h.counts.add(workflow, f.Outcome)
	if f.status() == nethttp.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	say(w, f.status(), map[string]any{"error": f.text})
}

// serve takes a request in and answers it, unless it returns a fault.
func (h *Handler) serve(w nethttp.ResponseWriter, r *nethttp.Request, route *Route) *fault {
	switch {
	case route.Problem != "":
		return &fault{NotServed, "the workflow cannot take requests now", 0}
	case len(r.Header) > mostHeaders:
		return &fault{TooManyParts, "the request has more than 100 headers", nethttp.StatusRequestHeaderFieldsTooLarge}
	case !route.Auth.knows(r):
		return &fault{Unauthorized, "who calls is not known: " + string(route.Auth.Kind) + " authentication is needed", 0}
	}
	release, ok := take(h.reading)
	if !ok {
		return &fault{Overload, "too many requests at once: send it again", 0}
	}
	call, f := h.receive(w, r, route)
	release()
	if f != nil {
		return f
	}
	if !route.Wait || route.Paused {
		return h.acceptNow(w, call)
	}
	return h.acceptAndWait(w, r, call)
}

// call is a request whose event is made.
type call struct {
	route *Route
	event *proto.Event
	run   string
}

// take takes a place if one is free: who has to wait is better told to come again.
func take(places chan struct{}) (release func(), ok bool) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, true
	default:
		return nil, false
	}
}

// acceptNow stores the event and says so.
func (h *Handler) acceptNow(w nethttp.ResponseWriter, c *call) *fault {
	if _, f := h.store(c); f != nil {
		return f
	}
	say(w, nethttp.StatusAccepted, c.ids())
	return nil
}

func (c *call) ids() map[string]any {
	return map[string]any{"event_id": c.event.ID, "run_id": c.run}
}

// store publishes the event. It does not depend on the caller, who may be gone.
func (h *Handler) store(c *call) (again bool, f *fault) {
	ctx, cancel := context.WithTimeout(context.Background(), storeWithin)
	defer cancel()
	if h.config.Room != nil {
		if err := h.config.Room(ctx); err != nil {
			return false, h.unavailable(c, err)
		}
	}
	ack, err := h.config.Publish(ctx, c.event)
	if err != nil {
		return false, h.unavailable(c, err)
	}
	outcome := Accepted
	if ack.Duplicate {
		outcome = Duplicate
	}
	h.counts.add(c.route.Workflow, outcome)
	return ack.Duplicate, nil
}

func (h *Handler) unavailable(c *call, err error) *fault {
	h.config.Log.Warn("a request was not taken", zap.String("event_id", c.event.ID), zap.String("workflow", c.route.Workflow), zap.Error(err))
	if errors.Is(err, sources.ErrNoRoom) {
		return &fault{NoRoom, "there is no room for more now: send it again", 0}
	}
	return &fault{Unavailable, "the request cannot be stored now: send it again", 0}
}

// say answers with JSON. Whoever took long to send still has time to read.
func say(w nethttp.ResponseWriter, status int, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		status, raw = nethttp.StatusInternalServerError, []byte(`{"error":"the answer is no JSON"}`)
	}
	extend(nethttp.NewResponseController(w))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// Who is gone needs no answer.
	_, _ = w.Write(append(raw, '\n'))
}

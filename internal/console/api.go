package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine/catalog"
	"zflow/internal/connections/desk"
	"zflow/internal/operator"
	"zflow/internal/operator/live"
	"zflow/internal/tokens"
	wire "zflow/proto"
)

// api answers requests.
type api struct {
	config  Config
	guard   *guard
	numbers *numbers
	mux     *http.ServeMux
	backend atomic.Pointer[Backend] // nil: the server was not there yet
	events  *live.Hub
	runs    *live.Hub
	open    atomic.Int64 // streams
	ending  context.Context
	stop    context.CancelFunc // ends the streams
}

// route is one thing that can be asked.
type route struct {
	method, path, scope string
	do                  func(*api, *call) (any, error)
	streams             bool // do writes the answer itself, for as long as it likes
}

// routes are all of the API.
func routes() []route {
	return []route{
		{"GET", "/api/v1/events", tokens.EventsRead, (*api).listEvents, false},
		{"GET", "/api/v1/events/stream", tokens.EventsRead, (*api).streamEvents, true},
		{"GET", "/api/v1/events/{id}", tokens.EventsRead, bare((*api).showEvent), false},
		{"GET", "/api/v1/runs", tokens.RunsRead, (*api).listRuns, false},
		{"GET", "/api/v1/runs/stream", tokens.RunsRead, (*api).streamRuns, true},
		{"GET", "/api/v1/runs/{id}", tokens.RunsRead, bare((*api).showRun), false},
		{"POST", "/api/v1/runs/{id}/cancel", tokens.RunsWrite, bare((*api).cancelRun), false},
		{"POST", "/api/v1/runs/{id}/signal", tokens.RunsWrite, bare((*api).signalRun), false},
		{"POST", "/api/v1/runs/{id}/approve", tokens.RunsWrite, bare((*api).approveRun), false},
		{"POST", "/api/v1/runs/{id}/retry", tokens.RunsWrite, bare((*api).retryRun), false},
		{"GET", "/api/v1/workflows", tokens.WorkflowsRead, bare((*api).listWorkflows), false},
		{"GET", "/api/v1/workflows/{name}", tokens.WorkflowsRead, bare((*api).showWorkflow), false},
		{"GET", "/api/v1/connections", tokens.ConnectionsRead, bare((*api).listConnections), false},
	}
}

// bare is for what takes no parameters.
func bare(do func(*api, *call) (any, error)) func(*api, *call) (any, error) {
	return func(a *api, c *call) (any, error) {
		for name := range c.r.URL.Query() {
			return nil, invalid("there is no parameter %.40q: there are none here", name)
		}
		return do(a, c)
	}
}

func newAPI(c Config) *api {
	a := &api{config: c, guard: newGuard(c.Tokens, c.Site), numbers: newNumbers(), mux: http.NewServeMux()}
	a.ending, a.stop = context.WithCancel(context.Background())
	byPath := map[string]map[string]route{}
	for _, r := range routes() {
		if byPath[r.path] == nil {
			byPath[r.path] = map[string]route{}
		}
		byPath[r.path][r.method] = r
	}
	for path, methods := range byPath {
		a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { a.choose(w, r, methods) })
	}
	a.mux.HandleFunc("GET "+callbackPath, a.callback)
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.serve(w, r, route{path: "none", scope: tokens.EventsRead, do: (*api).nothing})
	})
	return a
}

// begin is called once the server is there.
func (a *api) begin(b *Backend) {
	a.events, a.runs = live.NewHub(b.Operator.JS, wire.Events), live.NewHub(b.Operator.JS, wire.Runs)
	a.backend.Store(b)
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	a.mux.ServeHTTP(w, r)
}

// choose takes the route of the request's method.
func (a *api) choose(w http.ResponseWriter, r *http.Request, methods map[string]route) {
	method := r.Method
	if get, ok := methods[http.MethodGet]; method == http.MethodHead && ok && !get.streams {
		method = http.MethodGet
	}
	if chosen, ok := methods[method]; ok {
		a.serve(w, r, chosen)
		return
	}
	allowed := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
	w.Header().Set("Allow", allowed)
	a.fail(w, "method", answer{http.StatusMethodNotAllowed, fmt.Errorf("%.20s is not how this is asked: %s is", r.Method, allowed)})
}

// call is one request.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	backend *Backend
	token   tokens.Token
	text    string // of the token
}

func (a *api) serve(w http.ResponseWriter, r *http.Request, to route) {
	c := &call{w: w, r: r, ctx: r.Context(), backend: a.backend.Load()}
	if c.backend == nil {
		a.fail(w, to.path, errAway)
		return
	}
	if !to.streams {
		var cancel context.CancelFunc
		c.ctx, cancel = context.WithTimeout(c.ctx, answerWithin)
		defer cancel()
	}
	if err := a.admit(c, to.scope); err != nil {
		a.fail(w, to.path, err)
		return
	}
	v, err := to.do(a, c)
	switch {
	case err != nil:
		a.fail(w, to.path, err)
	case to.streams:
		a.numbers.answered(to.path, http.StatusOK)
	default:
		a.say(w, to.path, http.StatusOK, v)
	}
}

func (a *api) nothing(*call) (any, error) {
	return nil, answer{http.StatusNotFound, errors.New("there is nothing at this address: docs/api.md lists what there is")}
}

// say answers with JSON.
func (a *api) say(w http.ResponseWriter, route string, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // who asked and is gone needs no answer
	a.numbers.answered(route, status)
}

// answer is an error with the status that it is answered with.
type answer struct {
	status int
	error
}

// Unwrap implements errors.Is and errors.As.
func (e answer) Unwrap() error { return e.error }

func invalid(format string, args ...any) error {
	return answer{http.StatusBadRequest, fmt.Errorf(format, args...)}
}

var errAway = answer{http.StatusServiceUnavailable, errors.New("the NATS server cannot be reached: try again")}

// statusOf is the table of what errors are answered with.
func statusOf(err error) int {
	var given answer
	if errors.As(err, &given) {
		return given.status
	}
	for _, e := range []struct {
		kind   error
		status int
	}{
		{operator.ErrNotTaken, http.StatusAccepted},
		{operator.ErrNotFound, http.StatusNotFound},
		{operator.ErrInvalid, http.StatusBadRequest},
		{operator.ErrConflict, http.StatusConflict},
		{catalog.ErrNotDeployed, http.StatusNotFound},
		{catalog.ErrNoVersion, http.StatusNotFound},
		{desk.ErrNoWorker, http.StatusServiceUnavailable},
		{context.DeadlineExceeded, http.StatusServiceUnavailable},
		{nats.ErrTimeout, http.StatusServiceUnavailable},
		{nats.ErrNoResponders, http.StatusServiceUnavailable},
		{nats.ErrReconnectBufExceeded, http.StatusServiceUnavailable},
		{nats.ErrDisconnected, http.StatusServiceUnavailable},
		{nats.ErrConnectionClosed, http.StatusServiceUnavailable},
		{jetstream.ErrNoHeartbeat, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, e.kind) {
			return e.status
		}
	}
	if errors.As(err, new(live.Beyond)) {
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// fail answers with an error.
func (a *api) fail(w http.ResponseWriter, route string, err error) {
	status := statusOf(err)
	text := operator.Line(err.Error())
	if b := a.backend.Load(); status >= 500 && b != nil && !b.Operator.NC.IsConnected() {
		status, text = errAway.status, errAway.Error()
	}
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "2")
	case http.StatusInternalServerError:
		a.config.Log.Error("a request failed", zap.String("route", route), zap.Error(err))
	}
	a.say(w, route, status, map[string]string{"error": text})
}

// parameters checks that a request has no others than these, and each once unless
// it is several.
func (c *call) parameters(several []string, single ...string) error {
	for name, values := range c.r.URL.Query() {
		switch {
		case slices.Contains(several, name):
		case !slices.Contains(single, name):
			return invalid("there is no parameter %.40q: there are %s", name, strings.Join(append(several, single...), ", "))
		case len(values) > 1:
			return invalid("the parameter %s is given %d times", name, len(values))
		}
	}
	return nil
}

// maxBody is what a request may bring: an order's data, and what stands around it.
const maxBody = 1<<20 + 64<<10

// body reads the request's JSON object. A form of another page is no JSON, and so
// does nothing.
func (c *call) body(into any) error {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return answer{http.StatusUnsupportedMediaType, errors.New("the body is to be JSON: Content-Type: application/json")}
	}
	d := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	d.DisallowUnknownFields()
	err = d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows the object")
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return answer{http.StatusRequestEntityTooLarge, fmt.Errorf("the body has more than %d bytes", large.Limit)}
	}
	if err != nil && !errors.Is(err, io.EOF) { // no body: nothing is set
		return invalid("the body is not what it should be: %w", err)
	}
	return nil
}

// by is who gives an order.
func (c *call) by() string { return "api:" + c.token.Name }

// sinceOf reads a moment, or a span before now.
func sinceOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); err == nil && n == 1 && text == fmt.Sprintf("%dd", days) && days >= 0 && days < 100_000 {
		return time.Now().AddDate(0, 0, -days), nil
	}
	span, err := time.ParseDuration(text)
	if err != nil || span < 0 {
		return time.Time{}, invalid("since=%.40q is neither a time such as 2026-03-02T10:00:00Z nor a span such as 30m, 24h or 7d", text)
	}
	return time.Now().Add(-span), nil
}

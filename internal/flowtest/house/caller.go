package house

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/url"
	"strconv"
	"strings"

	"zflow/engine"
	"zflow/internal/app/routes"
	"zflow/internal/flowtest/testfile"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/http"
)

// Refused is the error of a request that ingest would not take.
type Refused struct {
	Status int
	Text   string // of the answer
}

func (r *Refused) Error() string {
	return fmt.Sprintf("the request is refused: %d %s", r.Status, r.Text)
}

// checked is the event of a request that is taken in as ingest does: who calls is asked.
func (h *House) checked(ctx context.Context, e *testfile.Event, t *engine.HTTP, body []byte) (*proto.Event, error) {
	def, err := h.Definition(ctx)
	if err != nil {
		return nil, err
	}
	c := &routes.Caller{Workflow: def, Trigger: t, Secrets: h.readable(), Secret: e.HTTP.Auth.Secret}
	route := c.Route()
	if route.Problem != "" {
		return nil, fmt.Errorf("sending a request: the trigger cannot be served: %s: give the test such a secret (secrets: { … })", route.Problem)
	}
	route.Wait = false // the answer is not looked at
	r, body, err := requestOf(ctx, e.HTTP, t, body)
	if err != nil {
		return nil, err
	}
	if a := e.HTTP.Auth; a.Known || a.Secret != "" {
		if err := c.Introduce(r, body); err != nil {
			return nil, fmt.Errorf("sending a request: %w", err)
		}
	}
	event, err := taken(route, r)
	if err == nil && !http.Keyed(r, t.Key, event.Body) { // else it would be another in every play of the test
		event.ID = proto.EventID(proto.SourceHTTP, h.name, "request", strconv.Itoa(e.Line))
	}
	return event, err
}

// taken is the event that ingest makes of a request, or how it refuses.
func taken(route http.Route, r *nethttp.Request) (event *proto.Event, err error) {
	table, _ := http.NewTable([]http.Route{route})
	a := &reply{header: nethttp.Header{}}
	http.NewHandler(http.Config{Routes: func() *http.Table { return table }, Publish: func(_ context.Context, e *proto.Event) (sources.Ack, error) {
		event = e
		return sources.Ack{}, nil
	}}).ServeHTTP(a, r)
	if event == nil {
		var said struct{ Error string }
		_ = json.Unmarshal(a.body.Bytes(), &said) // else it says nothing
		return nil, &Refused{a.status, said.Error}
	}
	event.Origin = proto.FromTest
	return event, nil
}

// requestOf is a test's request, and the bytes of its body: of another type than JSON it is
// the text that the test gives.
func requestOf(ctx context.Context, q *testfile.Request, t *engine.HTTP, body []byte) (*nethttp.Request, []byte, error) {
	kind := cmp.Or(q.Headers["content-type"], "application/json")
	var text string
	if !strings.Contains(kind, "json") && json.Unmarshal(body, &text) == nil {
		body = []byte(text)
	}
	query := url.Values{}
	for name, v := range q.Query {
		all, isList := v.([]any)
		if !isList {
			all = []any{v}
		}
		for _, one := range all {
			query.Add(name, fmt.Sprint(one))
		}
	}
	method := cmp.Or(q.Method, append(t.Methods, nethttp.MethodPost)[0])
	address := url.URL{Scheme: "http", Host: cmp.Or(q.Headers["host"], "localhost"), Path: proto.PathHTTP + t.Path, RawQuery: query.Encode()}
	r, err := nethttp.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("sending a request: %w", err)
	}
	for name, value := range q.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", kind)
	return r, body, nil
}

// reply keeps what a request is answered.
type reply struct {
	header nethttp.Header
	status int
	body   bytes.Buffer
}

func (a *reply) Header() nethttp.Header { return a.header }

func (a *reply) WriteHeader(status int) { a.status = status }

func (a *reply) Write(p []byte) (int, error) { return a.body.Write(p) }

// IsRefused tells whether an error says that a request was refused.
func IsRefused(err error) (*Refused, bool) {
	var r *Refused
	return r, errors.As(err, &r)
}
